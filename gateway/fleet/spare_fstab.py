"""Mounts what is on a card noatime; run by a box's own Python, and imported to see whether it must.

The standard library only; it is piped in, not installed.
"""

import re
import subprocess
from pathlib import Path

FSTAB = Path("/etc/fstab")


def spared(fstab: str) -> str:
    """Return the table with noatime for what is on the card."""
    lines = []
    for line in fstab.splitlines(keepends=True):
        found = re.match(r"(\s*[^#\s]\S*\s+/\S*\s+(?:ext4|f2fs|btrfs)\s+)(\S+)", line)
        if found and "noatime" not in found[2].split(","):
            options = [o for o in found[2].split(",") if o not in ("relatime", "strictatime")]
            line = found[1] + ",".join([*options, "noatime"]) + line[found.end() :]  # noqa: PLW2901 - its better half
        lines.append(line)
    return "".join(lines)


def main() -> None:
    """Do it, whole or not at all, now and for every start."""
    was = FSTAB.read_text(encoding="utf-8")
    if (text := spared(was)) != was:
        fresh = FSTAB.with_name("fstab.new")
        fresh.write_text(text, encoding="utf-8")
        subprocess.run(["/usr/bin/sync", fresh], check=True)  # noqa: S603 - fixed words
        fresh.replace(FSTAB)
        subprocess.run(["/usr/bin/mount", "-o", "remount,noatime", "/"], check=True)


if __name__ == "__main__":
    main()
