"""Which pose model this box can afford: timed at the start, and changed while frames are missed.

The class plays on the same processor, so a model may use only a part of the time between two
frames. Explicit settings are obeyed; all this is for `model = "auto"`.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter
from typing import Literal, NamedTuple

import numpy as np

from firmware_app.errors import MissingPart
from firmware_app.vision.landmarker import SIDE, Landmarker
from firmware_app.vision.models import LANDMARKS, ModelName, read_model
from firmware_app.vision.region import Region
from firmware_app.vision.runtime import SPINS, Network

BEST_FIRST: tuple[ModelName, ...] = ("heavy", "full", "lite")
MOST_SHARE = 0.6
"""Of the time between two frames that the model may take; the class, the light and the messages
need the rest."""
LOOKS, WARM_UP, MOST_S = 20, 2, 0.3
"""Timed looks at most, those before them that do not count, and the time for one candidate."""
HOPELESS = 3
"""Looks beyond a whole interval after which a candidate needs no more timing."""
COST: dict[ModelName, float] = {"lite": 1.0, "full": 2.0, "heavy": 9.0}
"""Time of one look, lite's as the unit; measured on one x86-64 thread with the pruned models."""


class Timing(NamedTuple):
    """What one candidate takes on this box."""

    model: ModelName
    threads: int
    p95_s: float
    """95 of 100 looks stay below."""

    def __str__(self) -> str:
        """Return it for a technician."""
        return f"{self.model} {self.p95_s * 1000:.0f} ms" + f" on {self.threads} threads" * (
            self.threads > 1
        )


class Choice(NamedTuple):
    """A model and why."""

    model: ModelName
    threads: int
    why: str


def choose(folder: Path, fps: float) -> Choice:
    """Time the models that are in the folder and choose; raise MissingPart when none is."""
    there = [model for model in BEST_FIRST if (folder / LANDMARKS[model].used).exists()]
    if not there:
        raise MissingPart(
            f"no pose model in {folder}; fetch them with: bikebox models --to {folder}"
            " --model full lite"
        )
    return decide(_timings(folder, there, 1 / fps), 1 / fps)


def decide(timings: Iterable[Timing], interval_s: float) -> Choice:
    """Return the first that leaves room between two frames, or else the quickest.

    Candidates come best first, and none is asked for after the one that is taken.
    """
    seen: list[Timing] = []
    for timing in timings:
        seen.append(timing)
        if timing.p95_s <= MOST_SHARE * interval_s:
            taken, why = timing, f"the best within {MOST_SHARE * interval_s * 1000:.0f} ms a frame"
            break
    else:
        taken = min(seen, key=lambda timing: timing.p95_s)
        why = f"the quickest; none is within {MOST_SHARE * interval_s * 1000:.0f} ms a frame"
    return Choice(taken.model, taken.threads, f"{why}: {', '.join(map(str, seen))}")


def _timings(folder: Path, models: list[ModelName], interval_s: float) -> Iterable[Timing]:
    for model in models:
        content = read_model(folder, LANDMARKS[model])
        p95_s = _time(Landmarker(Network(content, 1)), interval_s)
        yield Timing(model, 1, p95_s)
        if not SPINS and p95_s <= 2 * MOST_SHARE * interval_s:  # a second thread halves it at best
            yield Timing(model, 2, _time(Landmarker(Network(content, 2)), interval_s))


def _time(landmarker: Landmarker, interval_s: float) -> float:
    """Return the 95th percentile of a look, or infinity when it is beyond hope."""
    picture = np.full((480, 640, 3), 128, np.uint8)  # what is in it does not change the cost
    region = Region(320, 240, 2 * SIDE, 0.1)
    looks_s: list[float] = []
    stop_s = perf_counter() + MOST_S
    while len(looks_s) < LOOKS + WARM_UP and (perf_counter() < stop_s or len(looks_s) <= WARM_UP):
        started_s = perf_counter()
        landmarker.look(picture, region)
        looks_s.append(perf_counter() - started_s)
        if sum(look_s > interval_s for look_s in looks_s) > WARM_UP + HOPELESS:
            break
    return sorted(looks_s[WARM_UP:])[math.ceil(0.95 * (len(looks_s) - WARM_UP)) - 1]


# while running ----------------------------------------------------------------------------------

MISSED = 0.1
"""Share of a second's frames that were overtaken or came too late, from which it counts as bad."""
BAD_S, GOOD_S = 3, 30
"""Bad seconds in a row to go down a model, good ones to go up again."""
MOST_PATIENCE_S = 1800
"""A model that failed twice is not tried for longer and longer, up to this."""


class Ladder:
    """Goes to a lighter model when frames are missed for seconds, and up again when there is room.

    Fed once a second. May climb above the model it began with: at the start of a box everything
    starts, and leaves less room than there is later.
    """

    def __init__(self, models: Iterable[ModelName], first: ModelName) -> None:
        """Take the models that are there, and the one to begin with."""
        self._rungs = sorted(set(models) | {first}, key=lambda model: COST[model])
        self._at = self._rungs.index(first)
        self._bad = self._good = 0
        self._patience_s = GOOD_S
        self._climbed = False

    @property
    def model(self) -> ModelName:
        """The model to use now."""
        return self._rungs[self._at]

    def second(self, frames: int, missed: int, look_s: float, interval_s: float) -> str:
        """Take in one second and return why the model changes, or nothing.

        frames came from the camera, missed of them were overtaken or too late; look_s is what a
        look takes, interval_s the camera's.
        """
        if not frames:
            return ""
        bad = missed > MISSED * frames
        self._bad = self._bad + 1 if bad else 0
        self._good = 0 if bad or not self._fits_above(look_s, interval_s) else self._good + 1
        if self._bad >= BAD_S and self._at > 0:
            if self._climbed:
                self._patience_s = min(2 * self._patience_s, MOST_PATIENCE_S)
            return self._go(-1, f"{missed} of {frames} frames missed in a second")
        if self._good >= self._patience_s:
            self._climbed = True
            return self._go(+1, f"room again: a look takes {look_s * 1000:.0f} ms")
        return ""

    def _fits_above(self, look_s: float, interval_s: float) -> bool:
        if self._at + 1 == len(self._rungs):
            return False
        growth = COST[self._rungs[self._at + 1]] / COST[self.model]
        return look_s * growth <= MOST_SHARE * interval_s

    def _go(self, steps: Literal[-1, 1], why: str) -> str:
        self._at += steps
        self._bad = self._good = 0
        return why
