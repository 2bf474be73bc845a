"""From evidence to a state: a fault must stay to count, and stay away to be put right."""

import math
from collections import deque

from firmware_app.wire import RuleState

OFF = 0.6
"""Evidence below this share of what began the fault is a correction; between, nothing changes. What
has not begun yet is forgotten as far as it is short of 1, for half a fault wavers about it."""
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

    def step(self, evidence: float, dt_s: float) -> RuleState:
        """Take in evidence (1 begins a fault) that has held for dt_s; return the state."""
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
            speed = 1.0 if evidence >= 1 else max((evidence - 1) / (1 - OFF), -1.0)
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
