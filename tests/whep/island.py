"""A network of its own for real servers and a watching player: only what is put there exists.

Every program started here is stopped by its pid when the island goes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest

REPOSITORY = Path(__file__).parents[2]
WATCH = Path(__file__).with_name("watch.py")
TOKEN = "secret"  # noqa: S105 - of the tests' own servers
BIKEBOX = [sys.executable, "-m", "firmware_app.cli"]


def need(program: str, package: str) -> str:
    """Return where a program is; fail, telling the package, when it is not there."""
    found = shutil.which(program)
    if found is None:
        pytest.fail(f"{program} is missing: apt-get install -y --no-install-recommends {package}")
    return found


class Island:
    """A network namespace with loopback up; as root, or in a user namespace of its own."""

    def __init__(self, logs: Path, beside: "Island | None" = None) -> None:
        """Make it; beside another one, when the two are to be joined by a radio."""
        logs.mkdir(exist_ok=True)
        self._logs = logs
        self._running: list[subprocess.Popen[bytes]] = []
        self._open: list[IO[bytes]] = []
        mine = os.geteuid() == 0
        need("unshare", "util-linux")
        need("ip", "iproute2")
        if beside is not None:
            unshare = [*beside._enter, "unshare", "--net"]
        else:
            unshare = ["unshare", "--net"] if mine else ["unshare", "--map-root-user", "--net"]
        keeper = self._start("keeper", [*unshare, "sleep", "7200"])
        self.pid = keeper.pid
        """Of a process that lives in it."""
        enter = ["nsenter", "--target", str(keeper.pid), "--net"]
        self._enter = enter if mine else [*enter, "--user", "--preserve-credentials"]
        if not became(lambda: self._other_network(keeper.pid), 5):
            pytest.fail(f"this machine lets nobody make a network namespace: {self.said('keeper')}")
        self.do("ip", "link", "set", "lo", "up")

    @staticmethod
    def _other_network(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
        except OSError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._running):
            stop(process)
            if process.stdin is not None:
                process.stdin.close()
        for file in self._open:
            file.close()

    def do(self, *words: str) -> None:
        """Run a short command there."""
        subprocess.run([*self._enter, *words], check=True, timeout=10, capture_output=True)

    def add_address(self, address: str) -> None:
        """Give the island one address beside loopback, which real ICE servers leave out."""
        self.do("ip", "link", "add", "class0", "type", "veth", "peer", "name", "class1")
        self.do("ip", "address", "add", address, "dev", "class0")
        self.do("ip", "link", "set", "class0", "up")
        self.do("ip", "link", "set", "class1", "up")

    def join(self, other: "Island", ours: str, theirs: str) -> None:
        """Lay a cable to another island, which was made beside this one; addresses with a mask."""
        here, there = f"to{other.pid}", f"to{self.pid}"
        self.do("ip", "link", "add", here, "type", "veth", "peer", "name", there)
        self.do("ip", "link", "set", there, "netns", str(other.pid))
        for island, end, address in ((self, here, ours), (other, there, theirs)):
            island.do("ip", "address", "add", address, "dev", end)
            island.do("ip", "link", "set", end, "up")

    def start(self, name: str, words: list[str], **env: str) -> subprocess.Popen[bytes]:
        """Start a program there; what it says goes to said(name)."""
        return self._start(name, [*self._enter, *words], **env)

    def start_class(self, name: str = "class", *more: str) -> subprocess.Popen[bytes]:
        """Start our own class server on port 8080, token "secret"."""
        cache = REPOSITORY / ".cache" / "class"
        words = ["class-server", "--port", "8080", "--token", "secret", "--cache", str(cache)]
        process = self.start(name, [*BIKEBOX, *words, *more])
        self.wait_for(name, "The class is at")
        return process

    def watch(
        self, url: str, seconds: float, name: str = "watch", token: str = TOKEN, *turn: str
    ) -> subprocess.Popen[bytes]:
        """Start watching a class as the player does; result(name) tells how it went."""
        return self.start(name, [sys.executable, str(WATCH), url, token, str(seconds), *turn])

    def result(self, process: subprocess.Popen[bytes], name: str = "watch") -> list[dict]:
        """Wait until the watching is over and return what it told each second."""
        process.wait(60)
        lines = [line for line in self.said(name).splitlines() if line.startswith("{")]
        assert process.returncode == 0, self.said(name)
        return [json.loads(line) for line in lines]

    def said(self, name: str) -> str:
        """Return what a program has written so far."""
        return (self._logs / f"{name}.log").read_text(errors="replace")

    def wait_for(self, name: str, words: str, seconds: float = 30) -> None:
        """Wait until a program has said certain words."""
        if not became(lambda: words in self.said(name), seconds):
            pytest.fail(
                f"{name} never said {words!r} within {seconds} s:\n{self.said(name)[-3000:]}"
            )

    def _start(self, name: str, words: list[str], **env: str) -> subprocess.Popen[bytes]:
        log = (self._logs / f"{name}.log").open("wb")
        self._open.append(log)
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
        )
        self._running.append(process)
        return process


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """Stop a program by its pid, gently first."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def became(true, seconds: float) -> bool:
    """Wait until something is true; tell whether it became so."""
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        if true():
            return True
        time.sleep(0.05)
    return bool(true())
