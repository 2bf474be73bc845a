"""Runs one demo from curtain to curtain: start, ride, end, confirmation, and what it leaves."""

import asyncio
import json
import secrets
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import httpx

from firmware_app.clock import Clock
from firmware_app.demo.cast import Cast
from firmware_app.demo.plan import BOX, LEAVES, Part, Ports, Wish, parts, settings_text
from firmware_app.errors import PartLost, WireError
from firmware_app.sockets import Visit
from firmware_app.wire import Debrief, FromRide, Hud, Live, Reader, Say, Touch

LEAD_S = 4.0
"""From the first process to the first turn of the crank: models load, the class connects."""
CONFIRM_S = 20.0
END_SCREEN_S = 2.0
PHASES = {
    "waiting": "the bike waits for a rider",
    "riding": "the rider pedals, the ride has begun",
    "paused": "the rider rests, the ride is paused",
    "ended": "the ride is over",
}


class Ended(NamedTuple):
    """How a demo ended."""

    summary: dict[str, object] | None
    """What the studio confirmed; None when it did not."""
    why: str
    """Empty when all went well."""


def free_ports() -> Ports:
    """Return four TCP ports that nobody uses now."""
    doors = [socket.socket() for _ in Ports._fields]
    try:
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return Ports(*(door.getsockname()[1] for door in doors))
    finally:
        for door in doors:
            door.close()


def clear(out: Path) -> None:
    """Take away what an earlier demo left in its folder, and nothing else that is there."""
    for pattern in LEAVES:
        for file in out.glob(pattern):
            file.unlink()


async def perform(wish: Wish, clock: Clock) -> Ended:
    """Run the demo; leave its files in wish.out. Raise SetupError when a part cannot run."""
    clear(wish.out)
    with tempfile.TemporaryDirectory(prefix="bikebox-") as name:
        folder = Path(name)
        for sub in ("run", "state", "logs"):
            (folder / sub).mkdir()
        try:
            return await _Show(wish, clock, folder).run()
        finally:
            if wish.out.is_dir():
                shutil.copytree(folder / "logs", wish.out / "logs", dirs_exist_ok=True)


class _Show:
    def __init__(self, wish: Wish, clock: Clock, folder: Path) -> None:
        if not wish.whep and not wish.token:
            wish = wish._replace(token=secrets.token_urlsafe(12))
        self._wish = wish
        self._clock = clock
        self._folder = folder
        self._ports = free_ports()
        self._start_at_s = clock.monotonic() + LEAD_S
        self._visit = Visit(folder / "run" / "ride.sock")
        self._reader: Reader[FromRide] = Reader(FromRide)
        self._ride = ""
        self._debrief = asyncio.Event()
        self._phase = ""
        self._camera = ""

    async def run(self) -> Ended:
        if self._wish.token:
            (self._folder / "token").write_text(self._wish.token)
        (self._folder / "bikebox.toml").write_text(
            settings_text(self._wish, self._ports, self._folder)
        )
        cast_list: list[Part] = parts(self._wish, self._ports, self._folder, self._start_at_s)
        cast = Cast(cast_list, self._folder, self._clock)
        cast.start()
        self.say(f"the bike's console: http://127.0.0.1:{self._ports.gateway}/")
        self.say(f"the instructor's board: http://127.0.0.1:{self._ports.studio}/")
        watching = asyncio.create_task(self._watch())
        over = asyncio.create_task(cast.anyone_over())
        try:
            until_s = self._start_at_s + self._wish.seconds - self._clock.monotonic()
            await asyncio.wait({over}, timeout=until_s)
            if over.done() and not over.result().part.vital:
                raise cast.explain(over.result())
            return await self._finish()
        finally:
            over.cancel()
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
            await cast.stop()

    async def _finish(self) -> Ended:
        if not self._ride:
            return Ended(None, "no ride began: the crank did not turn")
        self._visit.tell(Touch(t_s=self._clock.monotonic(), action="end"))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._debrief.wait(), 3.0)
        confirmed = asyncio.create_task(self._confirmed())
        await self._clock.sleep(END_SCREEN_S)
        summary = await confirmed
        self._keep_journal()
        if summary is None:
            return Ended(None, f"the studio has not confirmed the ride within {CONFIRM_S:.0f} s")
        (self._wish.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        return Ended(summary, "")

    async def _confirmed(self) -> dict[str, object] | None:
        """Ask the gateway until it has the studio's confirmation; return what the studio stored."""
        gateway = f"http://127.0.0.1:{self._ports.gateway}/api/rides/{self._ride}"
        studio = f"http://127.0.0.1:{self._ports.studio}/api/rides/{BOX}/{self._ride}"
        until_s = self._clock.monotonic() + CONFIRM_S
        async with httpx.AsyncClient(timeout=2.0) as web:
            while self._clock.monotonic() < until_s:
                with suppress(httpx.HTTPError, ValueError):
                    if (await web.get(gateway)).json().get("confirmed"):
                        record = (await web.get(studio)).json()
                        if record.get("confirmed"):
                            fit = await web.get(f"{gateway}/ride.fit")
                            if fit.is_success:
                                (self._wish.out / "ride.fit").write_bytes(fit.content)
                            return dict(record)
                await self._clock.sleep(0.25)
        return None

    def _keep_journal(self) -> None:
        journal = self._folder / "state" / "journals" / f"{self._ride}.jsonl"
        if journal.is_file():
            shutil.copyfile(journal, self._wish.out / "journal.jsonl")

    async def _watch(self) -> None:
        """Tell on the terminal what happens on the bike."""
        while True:
            with suppress(PartLost):
                async for line in self._visit.lines():
                    with suppress(WireError):
                        self._tell(self._reader.read(line))
            await self._clock.sleep(0.3)

    def _tell(self, message: FromRide) -> None:
        match message:
            case Live():
                self._ride = message.ride
            case Hud() if message.phase != self._phase:
                self._phase = message.phase
                self.say(PHASES[message.phase])
            case Hud() if message.camera != self._camera:
                self._camera = message.camera
                self.say(f"camera: {message.camera}, {message.unseen_why or 'the coach can see'}")
            case Say():
                heard = "says" if message.voice else "shows"
                self.say(f'the coach {heard} "{message.text}"')
            case Debrief():
                self.say(f"over: {message.strength}. Next: {message.next_thing}")
                self._debrief.set()
            case _:
                pass

    def say(self, words: str) -> None:
        """Print one line with the demo's own time."""
        at_s = max(self._clock.monotonic() - self._start_at_s, 0.0)
        sys.stdout.write(f"  {int(at_s) // 60:d}:{int(at_s) % 60:02d}  {words}\n")
        sys.stdout.flush()
