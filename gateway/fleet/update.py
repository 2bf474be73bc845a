"""Brings one bike to a release, as its plan says: send, start, follow to the end.

The bike does it by itself in a unit of its own. A line that is cut costs nothing: it is taken up
again and the bike is asked how far it is. One that stays cut after the switch has begun counts as
failed, because a release may have taken the network with it.
"""

import contextlib
from shlex import quote
from typing import NamedTuple, Protocol

from firmware_app.clock import Clock
from firmware_app.errors import WireError
from gateway.fleet.inventory import Bike
from gateway.fleet.plan import BikePlan, Bundle
from gateway.fleet.rollout import Outcome, Result
from gateway.fleet.seen import LOOK, Seen, UpdateStatus, read_look
from gateway.fleet.ssh import Away, Line, Stranger

UPDATER = "/usr/local/bin/bikebox-update"
INBOX = "/var/lib/bikebox-update/inbox"
ENDS: dict[str, Result] = {"put off: ": "put off", "refused: ": "refused"}
"""How the updater begins its reason when it did not try."""
CLEAR = f"find {INBOX} -type f ! -name '{{keep}}.*' -delete"
"""What was sent before and is not this: a card has room for one."""
POLL_S = 1.0
BEGIN_S = 15.0
"""A unit that was started says so within this."""
LOST_S = 180.0
"""A Pi that restarts is back within a minute."""
PUT_OFF, MUST_BE_MENDED = 3, 78
"""Exit codes of the updater: somebody rides; a technician must change something first."""


class Connect(Protocol):
    """Opens a line to a bike; see ssh.connected."""

    def __call__(self, bike: Bike) -> contextlib.AbstractAsyncContextManager[Line]:
        """Raise Away or Stranger."""
        ...


class Told(Protocol):
    """Hears how far a bike is, for the progress bars."""

    def __call__(self, bike: str, step: str, sent_bytes: int | None = None, /) -> None:
        """Take in a step in words, and the bytes that are there while something is sent."""
        ...


class Ended(NamedTuple):
    """How an errand ended, and the release that serves now."""

    result: Result
    why: str
    after: str


class Errand(NamedTuple):
    """One thing that is done to a bike and followed to its end."""

    bike: Bike
    was: UpdateStatus
    """How it was before."""
    version: str
    """The one that shall serve."""
    command: str
    """Starts it, as root."""
    bundle: Bundle | None = None
    """Sent before."""


def to_update(bike: Bike, plan: BikePlan, seen: Seen, who: str, *, force: bool = False) -> Errand:
    """Return what carries out a plan that has steps; who stands in the bike's audit."""
    bundle = plan.bundle
    if bundle is None or seen.update is None:
        raise ValueError(f"{bike.name}: nothing is planned")
    command = f"{UPDATER} install {INBOX}/{bundle.sha256}.bundle --by {quote(who)} --detach"
    sends = bundle if any(step.do == "send" for step in plan.steps) else None
    return Errand(bike, seen.update, bundle.version, command + " --force" * force, sends)


def to_roll_back(bike: Bike, status: UpdateStatus, who: str) -> Errand:
    """Return what brings the release before back."""
    command = f"{UPDATER} rollback --by {quote(who)} --detach"
    return Errand(bike, status, status.previous, command)


class Runner(NamedTuple):
    """Carries out errands: how to reach a bike, the time, and who hears how far it is."""

    connect: Connect
    clock: Clock
    told: Told
    patience_s: float

    async def look(self, bike: Bike) -> Seen:
        """Return what a bike is now; never raises for what a bike does."""
        try:
            async with self.connect(bike) as line:
                return await ask(line)
        except Away as error:
            return Seen(reached="no", why=str(error))
        except (Stranger, WireError) as error:
            return Seen(reached="refused", why=str(error))

    async def carry_out(self, errand: Errand) -> Outcome:
        """Do it and return what became of it; never raises for what a bike does."""
        name, begun_s = errand.bike.name, self.clock.monotonic()
        try:
            result, why, after = await self._start(errand) or await self._follow(errand)
        except (Stranger, WireError) as error:
            result, why, after = "refused", str(error), errand.was.version
        return Outcome(
            bike=name,
            result=result,
            why=why,
            before=errand.was.version,
            after=after,
            seconds=round(self.clock.monotonic() - begun_s, 1),
        )

    async def _start(self, errand: Errand) -> Ended | None:
        """Send and start it; return an end only when there is nothing to follow."""
        name, started = errand.bike.name, False
        try:
            async with self.connect(errand.bike) as line:
                if errand.bundle is not None:
                    self.told(name, "sending", 0)
                    await line.run(CLEAR.format(keep=errand.bundle.sha256))
                    await line.send(
                        errand.bundle.path,
                        errand.bundle.sha256,
                        INBOX,
                        lambda sent: self.told(name, "sending", sent),
                    )
                self.told(name, "starting")
                started = True
                said = await line.run(
                    line.login.as_root + errand.command, patience_s=self.patience_s
                )
        except Away as error:
            return None if started else Ended("unreachable", str(error), errand.was.version)
        if said.exit == 0:
            return None
        ends: dict[int, Result] = {PUT_OFF: "put off", MUST_BE_MENDED: "refused", 2: "refused"}
        return Ended(ends.get(said.exit, "failed"), said.last_words, errand.was.version)

    async def _follow(self, errand: Errand) -> Ended:
        """Ask until it is over, however often the line is cut."""
        begun_s = heard_s = self.clock.monotonic()
        switching = False
        why = ""
        while True:
            try:
                async with self.connect(errand.bike) as line:
                    while True:
                        status = (await ask(line)).update or UpdateStatus()
                        now_s = heard_s = self.clock.monotonic()
                        switching = switching or _switched(errand.was, status)
                        over = judge(status, errand.version)
                        begins = not switching and now_s - begun_s < BEGIN_S
                        if over and (over[0] == "updated" or not begins):
                            return Ended(*over, status.version)
                        if now_s - begun_s > self.patience_s:
                            return Ended(
                                "failed",
                                f"not over after {self.patience_s:.0f} s: {status.step}",
                                status.version,
                            )
                        self.told(errand.bike.name, status.step or "starting")
                        await self.clock.sleep(POLL_S)
            except Away as error:
                why = str(error)
            if self.clock.monotonic() - heard_s > LOST_S:
                return Ended("failed", f"lost in the middle of it ({why}); look at it", "")
            self.told(errand.bike.name, "line cut; it goes on by itself")
            await self.clock.sleep(POLL_S)


async def ask(line: Line) -> Seen:
    """Return what the bike at the end of a line is; raise Away or WireError."""
    said = await line.run(LOOK.replace("${AS_ROOT}", line.login.as_root))
    return read_look(said.out)


def judge(status: UpdateStatus, version: str) -> tuple[Result, str] | None:
    """Return what a switch to this version came to; None: it is not over."""
    if status.state == "installing":
        return None
    if status.version == version:
        return "updated", "on probation" if status.state == "probation" else ""
    for begins, result in ENDS.items():
        if status.why.startswith(begins):
            return result, status.why.removeprefix(begins)
    return "failed", status.went_back(version) or status.why or f"it stayed on {status.version}"


def _switched(was: UpdateStatus, status: UpdateStatus) -> bool:
    """Tell whether the updater has begun since; what a ride changes does not count."""

    def told(s: UpdateStatus) -> tuple[object, ...]:
        return s.version, s.state, s.bad, s.why, s.at_utc

    return told(was) != told(status)
