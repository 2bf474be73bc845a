"""From evidence to a state: a fault must stay to count, and stay away to be put right."""

import math
from collections import deque

from firmware_app.wire import RuleState

OFF = 0.6
"""Evidence below this share of what began the fault is a correction; between, nothing changes. What
has not begun yet is forgotten as far as it is short of 1, for half a fault wavers about it."""
NEARLY = 0.85
"""What shows most of all and stays above this counts as well, for less: half a fault often stays a
little short of 1 for as long as it is held. Good riding comes so far for some seconds at the most
(80 rendered riders); other faults bring each other's evidence up to it, so what shows less does not
count."""
FADING = 0.86
"""Evidence below this share of its recent height is on its way out ..."""
FALLING, FALLING_S = 0.92, 1.0
"""... and so is evidence below this share of what it was so long ago. What moves with the crank is
fitted over four seconds and goes down slowly when a fault ends: within a second of the end the two
tell it in 99 of 100 moments, and while it is held in 3 (46 recorded riders)."""
HEIGHT_S = 12.0
"""Time constant with which the recent height is forgotten."""
FORGET_S = 5.0
"""A rule that could not be judged for this long starts afresh."""


class Dwell:
    """One rule's memory. Brief gaps in the evidence count against it, but do not start it over."""

    def __init__(self, on_s: float, off_s: float) -> None:
        self._on_s = on_s
        self._off_s = off_s
        self._fault = False
        self._for_s = 0.0
        """How long the evidence has been against the present state, less what was for it."""
        self._unseen_s = 0.0
        self._height = 0.0
        self._evidence = 0.0
        self._clock_s = 0.0
        self._lately: deque[tuple[float, float]] = deque()
        """Evidence of the last second, and when."""

    @property
    def fault(self) -> bool:
        """The fault stands, as far as was last seen."""
        return self._fault

    @property
    def fading(self) -> bool:
        """The fault stands, but shows less than it did: the rider is putting it right."""
        if not self._fault:
            return False
        before = self._lately[0][1] if self._lately else 0.0
        return self._evidence < max(1.0, FADING * self._height, FALLING * before)

    def step(self, evidence: float, dt_s: float, *, foremost: bool = False) -> RuleState:
        """Take in evidence (1 begins a fault) that has held for dt_s; return the state.

        foremost: no other rule shows more.
        """
        self._unseen_s = 0.0
        self._evidence = evidence
        self._height = max(evidence, self._height * math.exp(-dt_s / HEIGHT_S))
        self._clock_s += dt_s
        self._lately.append((self._clock_s, evidence))
        while self._lately[0][0] < self._clock_s - FALLING_S:
            self._lately.popleft()
        if self._fault:
            speed = 1.0 if evidence < OFF else -1.0
        else:
            speed = _towards_fault(evidence, NEARLY if foremost else 1.0)
        self._for_s = max(0.0, self._for_s + speed * dt_s)
        if self._for_s >= (self._off_s if self._fault else self._on_s):
            self._fault = not self._fault
            self._for_s = 0.0
        return "fault" if self._fault else "ok"

    def blind(self, dt_s: float) -> RuleState:
        """Take in that nothing could be judged for dt_s."""
        self._unseen_s += dt_s
        if self._unseen_s >= FORGET_S:
            self._fault = False
            self._for_s = 0.0
        return "unseen"


def _towards_fault(evidence: float, counts: float) -> float:
    """Return how fast evidence makes a fault, 1 at its limit; less than counts is against it."""
    if evidence >= 1:
        return 1.0
    span = 1 - counts if evidence >= counts else counts - OFF
    return max((evidence - counts) / span, -1.0)
