"""What every kind of update does to the box: switch, start anew, look, put back, keep."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from gateway.updater.furnish import furnish
from gateway.updater.gate import Gate, worked_before
from gateway.updater.library import renew
from gateway.updater.machine import TARGET, Machine
from gateway.updater.outcome import Ended
from gateway.updater.places import Places
from gateway.updater.releases import Releases
from gateway.updater.state import Bad, Memory, Trial

LOOK_EVERY_S = 1.0
READY_S = 12.0
"""For one service after a restart, before the next is restarted; the gate waits longer."""
LAST = "bikebox-gateway.service"
"""Restarted last, so that a gateway of the new version means that all are."""


@dataclass
class Box:
    """Places, memory and machine of one box, for whoever holds the lock."""

    places: Places
    machine: Machine
    say: Callable[[str], None]
    memory: Memory = field(init=False)
    releases: Releases = field(init=False)

    def __post_init__(self) -> None:
        self.memory = Memory(self.places)
        self.releases = Releases(self.places)

    def step(self, name: str, words: str = "", why: str | None = None) -> None:
        """Remember a step that is done, and tell it."""
        self.memory.step(name, self.machine.now_utc(), why)
        if words:
            self.say(words)

    def audit(self, what: str, who: str, detail: str) -> None:
        """Write down what happened, for good."""
        self.memory.audit(self.machine.now_utc(), what, who, detail)

    # switching -----------------------------------------------------------------------------

    def switch(self, version: str | None) -> None:
        """Let the box run a release that is on the card; None stops it, for it had none."""
        self.releases.flip(version)
        self.memory.step("flipped", self.machine.now_utc())
        if version is None:
            # units are links into the release that goes: first stop what they started
            with contextlib.suppress(Ended):  # nothing of it may have been started yet
                self.machine.run(["systemctl", "stop", TARGET, *self.machine.services()])
        furnish(self.places, self.machine)
        if version is not None:
            self.start_anew()

    def start_anew(self) -> None:
        """Restart the services one after another: each is away for its own start only."""
        names = sorted(self.machine.services(), key=lambda name: (name == LAST, name))
        self.machine.run(["systemctl", "reset-failed", *names])
        for name in names:
            self.machine.run(["systemctl", "restart", "--no-block", name])
            self._wait_ready(name.removesuffix(".service"))
        self.machine.run(["systemctl", "start", "--no-block", TARGET])

    def take_up(self) -> None:
        """Let systemd read the units of the release that was flipped to at boot, and start them.

        It has read those of the other one, which may be empty files: those it takes for masked.
        """
        furnish(self.places, self.machine)
        self.machine.run(["systemctl", "start", "--no-block", TARGET])

    def _wait_ready(self, name: str) -> None:
        end_s = self.machine.monotonic() + READY_S
        self.machine.sleep(0.05)  # let the job begin
        while self.machine.monotonic() < end_s:
            unit = next((unit for unit in self.machine.units() if unit.name == name), None)
            if unit is None or unit.active or unit.failed or unit.restarts:
                return
            self.machine.sleep(0.05)

    # looking -------------------------------------------------------------------------------

    def gate(self, version: str, before: list[str]) -> str:
        """Look until it is clear whether a release may stay; return why not, or nothing."""
        gate = Gate(version, before, self.machine.monotonic())
        while (verdict := gate.feed(self.machine.look())) is None:
            self.machine.sleep(LOOK_EVERY_S)
        return verdict

    def glance(self, trial: Trial) -> str:
        """Look once; return what is wrong with a release that has passed the gate."""
        gate = Gate(trial.version, trial.before, self.machine.monotonic())
        return gate.wrong(self.machine.look())

    def on_trial(self) -> Trial | None:
        """Return what is on trial and runs; None when nothing is."""
        trial, current = self.memory.state.trial, self.releases.current()
        return trial if trial and current and current.version == trial.version else None

    # judging -------------------------------------------------------------------------------

    def judge(self, trial: Trial) -> None:
        """Run the gate on a release that has just been switched to; put it back if it fails."""
        if why := self.gate(trial.version, trial.before):
            self.put_back(trial, why)
            raise Ended(f"{trial.version} was put back: {why}")
        trial.gated = True
        trial.since_utc = self.machine.now_utc().isoformat()
        self.audit("update-on-probation", trial.by, f"{trial.version} passed the gate")
        self.step("probation", f"{trial.version} serves, and is on probation for {PROBATION}")

    def put_back(self, trial: Trial, why: str) -> None:
        """Go back to what ran before a trial, and remember why; safe to be repeated."""
        state = self.memory.state
        trial.why_back = why
        self.step("putting-back", f"{why}: going back to {trial.came_from or 'nothing'}", why)
        self.switch(trial.came_from)
        now_utc = self.machine.now_utc()
        if trial.sha256 not in {bad.sha256 for bad in state.bad}:
            state.bad.append(Bad(trial.version, trial.sha256, why, now_utc.isoformat()))
        state.trial = None
        self.audit("update-put-back", trial.by, f"{trial.version} to {trial.came_from}: {why}")
        self.step("put-back", why=f"{trial.version} was put back: {why}")

    def keep(self, trial: Trial, by: str) -> None:
        """Keep a release that has proved itself: the last one is the way back; tidy up."""
        state = self.memory.state
        state.previous, state.trial = trial.came_from, None
        self.audit("update-kept", by, f"{trial.version}, after {trial.came_from}")
        self.step("kept", f"{trial.version} is kept", why="")
        self.releases.prune({trial.version, trial.came_from})
        if told := renew(self.places, self.machine, self.places.current / "updater"):
            self.audit("updater-renewed", by, told)

    def probation_over(self, trial: Trial) -> bool:
        """Tell whether a release has been looked at for long enough."""
        since_utc = datetime.fromisoformat(trial.since_utc)
        passed = self.machine.now_utc() - since_utc
        return not timedelta(0) <= passed < PROBATION  # a clock that jumped ends it too

    # keeping what is stored ----------------------------------------------------------------

    def copy_store(self, came_from: str, to: str) -> None:
        """Copy the gateway's database before a switch, by the program that wrote it."""
        if not self.places.store.exists():
            return
        folder = self.places.state / "snapshots"
        folder.mkdir(mode=0o700, exist_ok=True)
        copy = folder / f"{came_from}-before-{to}.db"
        copy.unlink(missing_ok=True)
        self.machine.run(
            [str(self.places.current / "bin/bikebox"), "gateway", "snapshot", str(copy)]
        )
        copies = sorted(folder.glob("*.db"), key=lambda path: path.stat().st_mtime)
        for old in copies[:-SNAPSHOTS]:
            old.unlink()

    def before(self) -> list[str]:
        """Return what works now, before a switch."""
        return worked_before(self.machine.look())


PROBATION = timedelta(minutes=10)
"""As long as it takes a leak or a rare crash to show in an evening's first class."""
SNAPSHOTS = 2


def box_of(root: Path, say: Callable[[str], None]) -> Box:
    """Return the box whose file system begins at root."""
    places = Places(root)
    return Box(places, Machine(places), say)
