"""How long the class is held back: until what comes late has come, and no longer.

Every sound and picture tells how long the class would have had to be held for it to be in time. A
quiet network ends near the speaker's own delay, a bad one at what a lost packet takes to be sent
again. Pure arithmetic on times.
"""

from collections import deque

MEMORY_S = 8.0
"""What came late once may do so again within this time."""
STEP_S = 0.5
SPARE_S = 0.005
CLOSE_S = 0.008
"""Held longer than needed by less than this is left alone."""
MOST_S = 0.3
"""More than the quickest needed is never held for: then a late picture is late."""
SPEED = 0.01
"""Sound played 1 % faster or slower: nobody hears it."""


class Holding:
    """What the last seconds needed, and the speed that leads there."""

    def __init__(self) -> None:
        self._steps: deque[tuple[float, float, float]] = deque()
        self.longing = False
        """The class is held for less than the last seconds needed."""

    def need(self, hold_s: float, now_s: float) -> None:
        """Something would have been in time if the class had been held that long."""
        if self._steps and now_s - self._steps[-1][0] < STEP_S:
            at_s, least_s, most_s = self._steps[-1]
            self._steps[-1] = (at_s, min(least_s, hold_s), max(most_s, hold_s))
        else:
            self._steps.append((now_s, hold_s, hold_s))
            while now_s - self._steps[0][0] > MEMORY_S:
                self._steps.popleft()

    def speed(self, hold_s: float) -> float:
        """Return how fast the sound is to be played while the class is held that long."""
        if not self._steps:
            return 1.0
        wanted_s = self._wanted_s()
        self.longing = hold_s < wanted_s - CLOSE_S
        if hold_s < wanted_s:
            return 1.0 - SPEED
        return 1.0 + SPEED if hold_s > wanted_s + CLOSE_S else 1.0

    def too_long_s(self, hold_s: float) -> float:
        """Return by how much the class is held longer than the last seconds needed."""
        return max(hold_s - self._wanted_s() - CLOSE_S, 0.0) if self._steps else 0.0

    def clear(self) -> None:
        """Forget: another session, or another clock."""
        self._steps.clear()
        self.longing = False

    def _wanted_s(self) -> float:
        least_s = min(step[1] for step in self._steps)
        return min(max(step[2] for step in self._steps) + SPARE_S, least_s + MOST_S)
