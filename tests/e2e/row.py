"""A row of boxes in one network with a technician's laptop, and nothing else in it.

with Row(folder, boxes=4) as row:
    box = row.boxes[0]
    box.run("systemctl", "is-system-running")   # as root, without SSH
    row.ssh(box, "uname -a")                    # as a technician at a laptop
    row.laptop("bikebox", "fleet", "plan")      # any program, in the laptop's network
    box.cut()                                   # the plug is pulled
    box.start()
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from boxes import BOOKWORM, Box, make_key, run, until


class Row:
    """A row of boxes in one network with a technician's laptop."""

    def __init__(self, folder: Path, boxes: int, debian: Path = BOOKWORM) -> None:
        """Make the network, the technician's key and the boxes; nothing has power yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._debian = debian
        self._keepers: list[subprocess.Popen[bytes]] = []
        self.key = folder / "technician"
        make_key(self.key, "technician@laptop")
        self._laptop = self._network()
        self.laptop("ip", "link", "add", "row", "type", "bridge")
        self.laptop("ip", "address", "add", "10.77.0.1/24", "dev", "row")
        self.laptop("ip", "link", "set", "row", "up")
        self.boxes = [self._box(n) for n in range(1, boxes + 1)]

    ip = "10.77.0.1"
    """The laptop's, where a broker or a studio of the tests would be."""

    def _box(self, n: int) -> Box:
        keeper = self._network()
        box = Box(n, self.folder / f"box-{n}", self.key, keeper.pid, self._debian)
        self.laptop(
            "ip", "link", "add", f"to{n}", "type", "veth",
            "peer", "name", "host0", "netns", str(keeper.pid),
        )  # fmt: skip
        self.laptop("ip", "link", "set", f"to{n}", "master", "row", "up")
        inside = self._inside(keeper)
        run([*inside, "ip", "address", "add", f"{box.ip}/24", "dev", "host0"])
        run([*inside, "ip", "link", "set", "host0", "up"])
        run([*inside, "ip", "route", "add", "default", "via", self.ip])
        return box

    def _network(self) -> subprocess.Popen[bytes]:
        """Make a network namespace, kept by a process that ends with this one."""
        keeper = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"]
        )
        self._keepers.append(keeper)
        ours = Path("/proc/self/ns/net").readlink()
        theirs = Path(f"/proc/{keeper.pid}/ns/net")
        until(lambda: theirs.readlink() != ours, 5, "a network namespace")
        run([*self._inside(keeper), "ip", "link", "set", "lo", "up"])
        return keeper

    @staticmethod
    def _inside(keeper: subprocess.Popen[bytes]) -> list[str]:
        return ["nsenter", f"--net=/proc/{keeper.pid}/ns/net"]

    @property
    def enter(self) -> list[str]:
        """Words before a command line that put it into the laptop's network."""
        return self._inside(self._laptop)

    def laptop(
        self, *words: str, check: bool = True, give: str | None = None, timeout: float = 120,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:  # fmt: skip
        """Run a program in the laptop's network; `bikebox` is this repository's."""
        line = list(words)
        if line[0] == "bikebox":
            line[:1] = [sys.executable, "-m", "firmware_app.cli"]
        return run([*self.enter, *line], check=check, give=give, timeout=timeout, **env)

    def ssh_words(self, box: Box, user: str = "technician", key: Path | None = None) -> list[str]:
        """Return the command line of ssh to a box, its host key pinned; add the remote command."""
        known = self.folder / f"known-{box.name}"
        known.write_text(f"{box.ip} {box.host_key}\n")
        return [
            *self.enter, "ssh", "-F", "none", "-i", str(key or self.key),
            "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes",
            "-o", "BatchMode=yes", "-o", "ConnectTimeout=5",
            "-o", "LogLevel=ERROR", f"{user}@{box.ip}",
        ]  # fmt: skip

    def ssh(self, box: Box, script: str, *, check: bool = True, timeout: float = 120) -> str:
        """Run shell lines on a box by SSH, as a technician, and return what they print."""
        return run([*self.ssh_words(box), script], check=check, timeout=timeout).stdout

    # life ----------------------------------------------------------------------------------

    def start(self, boxes: Sequence[Box] | None = None) -> None:
        """Give the boxes power and wait until all are up."""
        for box in self.boxes if boxes is None else boxes:
            box.start()
        for box in self.boxes if boxes is None else boxes:
            box.wait_up()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Take all of it away: boxes, networks, disks."""
        for box in self.boxes:
            box.throw_away()
        for keeper in self._keepers:
            keeper.kill()
            keeper.wait(5)
