"""Run on a box as root, by its own Python: tells what provisioning must know, as one JSON object.

The standard library only; it is piped in, not installed. Standard input says, as JSON, which
packages and files are asked after.
"""

import grp
import hashlib
import importlib.util
import json
import platform
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

GROUP = "bikebox-technician"
LOG_CONF = Path("/etc/systemd/journald.conf.d/50-bikebox.conf")
UPDATER = Path("/usr/local/lib/bikebox-updater")


def main() -> None:
    """Look, and tell."""
    asked = json.load(sys.stdin)
    lines = [line.split("=", 1) for line in read(Path("/etc/os-release")).splitlines()]
    system = {line[0]: line[-1].strip('"') for line in lines}
    told = {
        "system": system.get("PRETTY_NAME", ""),
        "codename": system.get("VERSION_CODENAME", ""),
        "machine": platform.machine(),
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "hostname": platform.node(),
        "free_bytes": shutil.disk_usage("/opt").free,
        "packages": [name for name in asked["packages"] if installed(name)],
        "lacks_pins": lacks_pins(),
        "files": {path: digest(Path(path)) for path in asked["files"]},
        "technicians": technicians(),
        "updater": UPDATER.resolve().name if UPDATER.exists() else "",
        "inbox": mode(Path("/var/lib/bikebox-update/inbox")),
        "unused": [path.name for path in Path("/run/bikebox-provision").glob("*")],
        "settings": read(Path("/etc/bikebox/bikebox.toml")),
        "fstab": read(Path("/etc/fstab")),
        "swap_file": Path("/etc/dphys-swapfile").exists() and installed("dphys-swapfile"),
        "log_on_card": Path("/var/log/journal").is_dir() and LOG_CONF.exists(),
        "certificate": Path("/etc/bikebox/identity/cert.pem").exists(),
    }
    sys.stdout.write(json.dumps(told))


def read(path: Path) -> str:
    """Return a text, or nothing when it is not there."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def digest(path: Path) -> str:
    """Return "mode sha256", or nothing."""
    try:
        permissions = path.stat().st_mode & 0o7777
        return f"{permissions:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    except OSError:
        return ""


def mode(path: Path) -> str:
    """Return "mode group" of a folder, or nothing."""
    try:
        return f"{path.stat().st_mode & 0o7777:o} {path.group()}"
    except (OSError, KeyError):
        return ""


def installed(name: str) -> bool:
    """Tell whether Debian has it."""
    asked = ["/usr/bin/dpkg-query", "-W", "-f=${db:Status-Status}", name]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return said.stdout == "installed"


def lacks_pins() -> bool:
    """Tell whether this is a Raspberry Pi whose own Python cannot read them."""
    return Path("/proc/device-tree/model").exists() and importlib.util.find_spec("lgpio") is None


def technicians() -> dict[str, str]:
    """Return login to authorized keys of whoever is in the group."""
    try:
        members = grp.getgrnam(GROUP).gr_mem
    except KeyError:
        return {}
    homes = {user.pw_name: Path(user.pw_dir) for user in pwd.getpwall()}
    return {
        name: read(homes[name] / ".ssh/authorized_keys").strip()
        for name in members
        if name in homes
    }


main()
