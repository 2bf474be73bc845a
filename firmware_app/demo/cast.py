"""Keeps the demo's processes going, as systemd does on a bike: back when they die."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import structlog

from firmware_app.clock import Clock
from firmware_app.demo.plan import Part
from firmware_app.errors import SetupError

log = structlog.get_logger()

RESTART_S = 1.0
STOP_S = 6.0
HOPELESS = (2, 78)
"""A wrong command line, or something a person must set right: starting again mends neither."""
WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""It ends when the demo dies, however the demo dies: nobody is left to stop it then."""


class Player:
    """One process of the demo and what became of it."""

    def __init__(self, part: Part, folder: Path, clock: Clock) -> None:
        self.part = part
        self.ready = asyncio.Event()
        self.over = asyncio.Event()
        """It ended by itself for good: the demo is over, or cannot go on."""
        self.code: int | None = None
        self._log = folder / "logs" / f"{part.name}.log"
        self._door = folder / "run" / f"{part.name}.notify"
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def run(self) -> None:
        """Start it, again and again, until stop()."""
        door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        door.bind(str(self._door))
        door.setblocking(False)  # noqa: FBT003 - the socket module takes no name
        asyncio.get_running_loop().add_reader(door, self._told, door)
        try:
            while not self._stopping:
                await self._once()
                if self._stopping:
                    return
                if self.part.vital or self.code in HOPELESS:
                    self.over.set()
                    return
                log.warning("restarting", part=self.part.name, code=self.code)
                await self._clock.sleep(RESTART_S)
        finally:
            asyncio.get_running_loop().remove_reader(door)
            door.close()

    async def stop(self) -> None:
        """Ask it to end; end it when it does not."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            log.warning("killed", part=self.part.name)
            process.kill()
            await process.wait()

    def last_words(self) -> str:
        """Return the last line of its log."""
        try:
            lines = self._log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    async def _once(self) -> None:
        with self._log.open("ab") as out:
            self._process = await asyncio.create_subprocess_exec(
                *WITH_US,
                sys.executable,
                "-m",
                "firmware_app.cli",
                *self.part.words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, "NOTIFY_SOCKET": str(self._door), "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
            self.code = await self._process.wait()

    def _told(self, door: socket.socket) -> None:
        if b"READY=1" in door.recv(4096):
            self.ready.set()


class Cast:
    """All processes of one demo."""

    def __init__(self, parts: list[Part], folder: Path, clock: Clock) -> None:
        self.players = [Player(part, folder, clock) for part in parts]
        self._runs: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start everybody."""
        self._runs = [asyncio.create_task(player.run()) for player in self.players]

    async def anyone_over(self) -> Player:
        """Wait until one ended for good; return it."""
        waits = {asyncio.create_task(player.over.wait()): player for player in self.players}
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return waits[done.pop()]

    async def stop(self) -> None:
        """Stop everybody, the player last but the servers: its file must be whole."""
        await asyncio.gather(*(player.stop() for player in self.players))
        await asyncio.gather(*self._runs)

    @staticmethod
    def explain(player: Player) -> SetupError:
        """Return why a part ended the demo."""
        return SetupError(
            f"{player.part.name} cannot run: {player.last_words() or 'it said nothing'}"
        )
