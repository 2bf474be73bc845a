"""The box the updater runs on: its clock, its systemd, its card, its services' doors. One seam."""

import contextlib
import ctypes
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.updater.gate import Health, Look, Unit
from gateway.updater.outcome import Ended
from gateway.updater.places import Places

PYTHON = "/usr/bin/python3"
ASK_S = 2.0
TARGET = "bikebox.target"
SPANS_S = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
SHOW = "Id,ActiveState,SubState,NRestarts,ExecMainStatus,Result,WatchdogUSec,MainPID,MemoryMax"
_http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Machine:
    """Asks and tells the real box."""

    def __init__(self, places: Places) -> None:
        self._places = places

    # time ----------------------------------------------------------------------------------

    def now_utc(self) -> datetime:
        """Return the present as well as the box knows it."""
        return datetime.now(UTC).replace(microsecond=0)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    # what kind of box ----------------------------------------------------------------------

    def arch(self) -> str:
        """Return the processor, as `uname -m` does."""
        return platform.machine()

    def python(self) -> str:
        """Return the version of the Python that releases run on: "3.11"."""
        return self.run([PYTHON, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])

    def free_bytes(self) -> int:
        """Return what is free where releases go."""
        return shutil.disk_usage(self._places.releases).free

    # commands ------------------------------------------------------------------------------

    def run(self, words: Sequence[str], *, within_s: float = 300.0) -> str:
        """Run a command to its end and return what it printed; raise Ended with its last words."""
        try:
            done = subprocess.run(  # noqa: S603 - our own command lines
                words, capture_output=True, text=True, errors="replace", check=False,
                stdin=subprocess.DEVNULL, timeout=within_s,
            )  # fmt: skip
        except OSError as error:
            raise Ended(f"{words[0]} cannot be run: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            raise Ended(f"{words[0]} took longer than {within_s:.0f} s") from error
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-3:]
            raise Ended(f"{words[0]} ended with {done.returncode}: {' / '.join(said)}")
        return done.stdout.strip()

    def put_on_card(self, folder: Path) -> None:
        """Put all that is in a file system on the card; without it a pulled plug empties files."""
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if libc.syncfs(descriptor):
                raise Ended(
                    f"{folder}: cannot be put on the card: {os.strerror(ctypes.get_errno())}"
                )
        finally:
            os.close(descriptor)

    # services ------------------------------------------------------------------------------

    def services(self) -> list[str]:
        """Return the services that a box is made of; empty before the first release."""
        try:
            said = self.run(["systemctl", "show", TARGET, "--property=Wants", "--value"])
        except Ended:
            return []
        return sorted(name for name in said.split() if name.endswith(".service"))

    def units(self) -> tuple[Unit, ...]:
        """Return how systemd sees each of them."""
        names = self.services()
        if not names:
            return ()
        said = self.run(["systemctl", "show", f"--property={SHOW}", *names])
        return tuple(_unit(block) for block in said.split("\n\n"))

    def look(self) -> Look:
        """Look at everything once."""
        health, why = self._health()
        return Look(self.monotonic(), health, why, self.units())

    def _health(self) -> tuple[Health | None, str]:
        try:
            port = int((self._places.root / "run/bikebox/gateway.port").read_text(encoding="ascii"))
            with _http.open(f"http://127.0.0.1:{port}/health", timeout=ASK_S) as answer:
                told = json.load(answer)
            return Health(str(told["version"]), dict(told["parts"])), ""
        except urllib.error.HTTPError as error:
            error.close()
            return None, f"it answers {error.code}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            return None, f"it does not answer ({error})"

    def rides(self) -> bool:
        """Tell whether somebody rides now: the ride itself says so, five times a second."""
        with contextlib.suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as door:
            door.settimeout(ASK_S)
            door.connect(str(self._places.root / "run/bikebox/ride.sock"))
            with door.makefile("rb") as lines:
                for _ in range(50):
                    told = json.loads(lines.readline() or b"null")
                    if told is None:
                        return False
                    if told.get("type") == "Hud":
                        return told.get("phase") in {"riding", "paused"}
        return False


def _unit(block: str) -> Unit:
    told = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    most = told.get("MemoryMax", "infinity")
    return Unit(
        name=told["Id"].removesuffix(".service"),
        active=told["ActiveState"] == "active",
        failed=told["ActiveState"] == "failed",
        restarts=int(told.get("NRestarts", "0")),
        status=int(told.get("ExecMainStatus", "0")),
        result=told.get("Result", "success"),
        watchdog_s=span_s(told.get("WatchdogUSec", "0")),
        memory_bytes=_resident_bytes(int(told.get("MainPID", "0"))),
        memory_max_bytes=int(most) if most.isdigit() else 0,
    )


def span_s(words: str) -> float:
    """Read a span as systemctl shows it: "1min 30s"; 0 for "infinity"."""
    found = re.findall(r"([\d.]+)(us|ms|s|min|h)\b", words)
    return sum(float(number) * SPANS_S[unit] for number, unit in found)


def _resident_bytes(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0
