"""A machine with a kernel of its own, in QEMU: cut() takes what was not on its disk yet.

Without KVM everything in it is ten times slower, so that a test tells it beforehand all that it
shall do in one life; on_machine.py does it and says so, a line of JSON each, on a serial line.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from boxes import BOOKWORM, REPOSITORY, run, until

KERNEL = REPOSITORY / ".cache/e2e/kernel"
INSIDE = Path(__file__).with_name("on_machine.py")
DISK_MB = 2000
UNIT = """[Unit]
Description=What the test wants
After=multi-user.target

[Service]
ExecStart=/usr/bin/python3 /root/on_machine.py
"""
ON_ITS_DISK = """
mount -t overlay overlay "$FOLDER/tree" \\
    -o "lowerdir=$DEBIAN,upperdir=$FOLDER/upper,workdir=$FOLDER/work"
mkfs.ext4 -q -d "$FOLDER/tree" "$FOLDER/disk.img" "${DISK_MB}M"
"""


class Machine:
    """One bike's box on a kernel of its own; off until start()."""

    def __init__(self, folder: Path) -> None:
        """Take a new folder for its disk."""
        self.folder = folder
        self._qemu: subprocess.Popen[bytes] | None = None
        self._lives = 0
        self._heard = 0
        for part in ("upper/etc/systemd/system/multi-user.target.wants", "work", "tree"):
            (folder / part).mkdir(parents=True)
        (folder / "upper/root").mkdir(mode=0o700)
        self.put("etc/hostname", "bike-in-qemu\n")
        self.put("etc/systemd/system/scene.service", UNIT)
        wants = folder / "upper/etc/systemd/system/multi-user.target.wants/scene.service"
        wants.symlink_to("/etc/systemd/system/scene.service")
        self.put("root/on_machine.py", INSIDE)

    def put(self, path: str, given: str | Path) -> None:
        """Put a text, or a copy of a file or folder, on the disk before there is one."""
        place = self.folder / "upper" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(given, str):
            place.write_text(given)
        elif given.is_dir():
            shutil.copytree(given, place)
        else:
            shutil.copy(given, place)

    def make_disk(self) -> None:
        """Make its disk of Debian and what was put there."""
        names = {"FOLDER": str(self.folder), "DEBIAN": str(BOOKWORM), "DISK_MB": str(DISK_MB)}
        run(["unshare", "--mount", "bash", "-ec", ON_ITS_DISK], **names)

    def start(self, *scene: str) -> None:
        """Give it power, and tell it what to do in this life."""
        self._lives += 1
        self._heard = 0
        words = f"console=ttyS0 quiet panic=-1 scene={','.join(scene)}"
        self._qemu = subprocess.Popen(
            [
                "setpriv", "--pdeathsig", "KILL", "qemu-system-x86_64",
                "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
                "-nodefaults", "-display", "none", "-no-reboot",
                "-kernel", KERNEL / "vmlinuz", "-initrd", KERNEL / "initrd.img", "-append", words,
                "-drive", f"file={self.folder}/disk.img,if=virtio,format=raw,cache=writeback",
                "-serial", f"file:{self.folder}/console-{self._lives}.log",
                "-serial", f"file:{self._said}",
            ],
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    @property
    def _said(self) -> Path:
        return self.folder / f"said-{self._lives}.log"

    def next(self, seconds: float = 300) -> dict:
        """Return the next thing that it says in this life; raise TimeoutError after seconds."""
        until(lambda: len(self._lines()) > self._heard, seconds, f"a word; {self._end()}")
        told: dict = json.loads(self._lines()[self._heard])
        self._heard += 1
        return told

    def _lines(self) -> Sequence[str]:
        if self._qemu is None or self._qemu.poll() is not None:
            raise RuntimeError(f"the machine is off: {self._end()}")
        text = self._said.read_text(errors="replace") if self._said.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()

    def _end(self) -> str:
        console = self.folder / f"console-{self._lives}.log"
        return console.read_text(errors="replace")[-2000:] if console.exists() else ""

    def cut(self) -> None:
        """Pull the plug: its memory is gone, and with it all that it has not put on the disk."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait(20)
            self._qemu = None
