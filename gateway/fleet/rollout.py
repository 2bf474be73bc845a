"""How an update spreads: canary, waves, and when to stop; pure.

A wave must bring at least one bike safely to the new release before a larger one may begin, so that
a release is never spread on the word of bikes that could not be reached. One bike that fails
ends it. A bike that cannot be reached, or on which somebody rides, has not failed: it comes later.
"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Literal

from msgspec import Struct

from gateway.fleet.inventory import Bike

Result = Literal["updated", "done", "failed", "refused", "unreachable", "put off", "waits"]
"""done: was so before. failed: tried and went back, or was lost on the way. refused: could not be
tried; a technician must look. waits: its wave never began."""

LATER: tuple[Result, ...] = ("unreachable", "put off", "waits")
"""Goes on the list to resume."""
STOPS: tuple[Result, ...] = ("failed", "refused")


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one bike."""

    bike: str
    result: Result
    why: str = ""
    before: str = ""
    """The release that served before."""
    after: str = ""
    wave: int = 0
    """Counts from 1; 0: never tried."""
    seconds: float = 0.0


class Rollout:
    """Says which bikes are next, until all are done or one has failed."""

    def __init__(
        self, bikes: Sequence[Bike], kinds: Mapping[str, str], waves: Sequence[str]
    ) -> None:
        """Take the bikes that need it, the release file of each, and the waves' sizes.

        Raise ValueError when there are no waves. The canary has one bike for every file.
        """
        if not waves:
            raise ValueError("a rollout needs at least one wave")
        self._todo = _spread(bikes)
        self._kinds = dict(kinds)
        self._sizes = [_size(wave, len(bikes)) for wave in waves]
        self._at = 0
        self.wave = 0
        self.stopped = ""
        """Why it stopped; empty: it did not."""
        self.outcomes: dict[str, Outcome] = {}

    @property
    def last(self) -> bool:
        """Whether nobody is left to update after the waves that began."""
        return not self._todo

    def next_wave(self) -> list[Bike]:
        """Return who is next; nobody when all are done or it has stopped."""
        if self.stopped or not self._todo:
            return []
        size = self._sizes[min(self._at, len(self._sizes) - 1)]
        wave = self._todo[:size]
        if self._at == 0:
            taken = {self._kinds[bike.name] for bike in wave}
            for bike in self._todo[size:]:
                if self._kinds[bike.name] not in taken:
                    taken.add(self._kinds[bike.name])
                    wave.append(bike)
        self._todo = [bike for bike in self._todo if bike not in wave]
        self.wave += 1
        return wave

    def feed(self, outcomes: Sequence[Outcome]) -> None:
        """Take in what became of the wave."""
        self.look_again(outcomes)
        proven = {
            self._kinds[name] for name, told in self.outcomes.items() if told.result == "updated"
        }
        worked = any(outcome.result == "updated" for outcome in outcomes)
        if worked and proven >= {self._kinds[bike.name] for bike in self._todo}:
            self._at += 1

    def look_again(self, outcomes: Sequence[Outcome]) -> None:
        """Take in how bikes are that were updated before; one that went back ends it."""
        for outcome in outcomes:
            self.outcomes[outcome.bike] = outcome
            if outcome.result in STOPS:
                self.stop(f"{outcome.bike} {outcome.result}: {outcome.why}")

    def stop(self, why: str) -> None:
        """Begin no other wave; the first reason stays."""
        self.stopped = self.stopped or why

    def left(self) -> list[Outcome]:
        """Return the bikes whose wave never began."""
        return [Outcome(bike=bike.name, result="waits", why=self.stopped) for bike in self._todo]


def _size(wave: str, bikes: int) -> int:
    if wave == "rest":
        return bikes
    if wave.endswith("%"):
        return max(1, -(-bikes * int(wave[:-1]) // 100))
    return int(wave)


def _spread(bikes: Sequence[Bike]) -> list[Bike]:
    """Put canaries first, then one of every gym in turn: each wave meets every network."""
    canaries = [bike for bike in bikes if "canary" in bike.groups]
    others = [bike for bike in bikes if "canary" not in bike.groups]
    return _in_turn(canaries) + _in_turn(others)


def _in_turn(bikes: Sequence[Bike]) -> list[Bike]:
    gyms: dict[str, list[Bike]] = {}
    for bike in bikes:
        gyms.setdefault(bike.gym, []).append(bike)
    return [bike for turn in zip_longest(*gyms.values()) for bike in turn if bike is not None]
