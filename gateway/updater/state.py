"""What the updater remembers: what is on trial, what was put back and why. One writer."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from gateway.updater.outcome import Ended
from gateway.updater.places import Places, sync_folder, write_json

SCHEMA = "bikebox.update-state/1"
MOST_BAD = 20


@dataclass
class Trial:
    """A release that is to show that it is no worse than the last."""

    version: str
    sha256: str
    came_from: str | None
    """What goes back in when it fails; None: it is the first."""
    by: str
    before: list[str]
    """The parts of the box that worked before, and must work again."""
    gated: bool = False
    """It has passed the health gate and is on probation."""
    boots: int = 0
    """How often the box was started since the switch."""
    since_utc: str = ""
    """When its probation began."""
    why_back: str = ""
    """It goes back, for this reason; empty while it may stay."""


@dataclass
class Bad:
    """A release that was put back."""

    version: str
    sha256: str
    why: str
    at_utc: str


@dataclass
class State:
    """The whole memory; kept in one file, written at once."""

    previous: str | None = None
    trial: Trial | None = None
    bad: list[Bad] = field(default_factory=list)
    step: str = "none"
    why: str = ""
    """Of the last thing that happened, in words for a person."""
    at_utc: str = ""


class Memory:
    """State and audit on the card."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._path = places.state / "state.json"
        self.state = self._read()

    def _read(self) -> State:
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            return State(
                previous=told["previous"],
                trial=Trial(**told["trial"]) if told["trial"] else None,
                bad=[Bad(**bad) for bad in told["bad"]],
                step=told["step"],
                why=told["why"],
                at_utc=told["at_utc"],
            )
        except FileNotFoundError:
            return State()
        except (OSError, ValueError, KeyError, TypeError):
            # the release that runs is told by `current`; what was put back must be learnt anew
            self._path.replace(self._path.with_suffix(".unreadable"))
            return State(why="the updater's memory could not be read and was begun anew")

    def step(self, name: str, now_utc: datetime, why: str | None = None) -> None:
        """Remember how far it is; on the card when this returns."""
        self.state.step = name
        self.state.at_utc = now_utc.isoformat(timespec="seconds")
        if why is not None:
            self.state.why = why
        self.state.bad = self.state.bad[-MOST_BAD:]
        write_json(self._path, {"schema": SCHEMA, **asdict(self.state)})
        # a timer's condition: nothing is started every few seconds when nothing is on trial
        flag = self._places.run / "trial"
        if self.state.trial is None:
            flag.unlink(missing_ok=True)
        else:
            flag.touch()

    def audit(self, now_utc: datetime, what: str, who: str, detail: str) -> None:
        """Add a line to what happened, for good."""
        path = self._places.state / "audit.jsonl"
        entry: dict[str, Any] = {
            "at_utc": now_utc.isoformat(timespec="seconds"),
            "what": what,
            "who": who,
            "detail": detail,
        }
        new = not path.exists()
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(path.parent)


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Hold the lock that only one updater has; raise Ended when another has it."""
    places.make()
    with (places.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Ended("another update is running; `bikebox-update status` tells which") from error
        yield


def running(places: Places) -> bool:
    """Tell whether an updater works now."""
    try:
        with alone(places):
            return False
    except Ended:
        return True
