"""A sprint that nobody announced, seen by the cadence: a rider who goes all out has no ear.

It begins when the crank turns much faster than in the half minute before, and ends when it no
longer does and the rider has caught some breath; who rides on like that for longer than anybody
sprints has found another cadence.
"""

from collections import deque
from statistics import median

SPRINT_RPM, FASTER_RPM = 95.0, 15.0
"""At least so fast, and so much faster than before. Classes ride flats at 80 to 110."""
BEFORE_S = 30.0
BREATH_S = 5.0
LONGEST_S = 30.0


class Sprint:
    """Remembers the cadence of the last half minute outside of a sprint."""

    def __init__(self) -> None:
        self._before: deque[tuple[float, float]] = deque()
        self._since_s: float | None = None
        self._last_s = float("-inf")

    def see(self, t_s: float, rpm: float | None) -> None:
        """Take in the cadence; None: it is not known."""
        if rpm is None or rpm <= 0:
            return
        usual_rpm = median(one for _, one in self._before) if self._before else rpm
        if rpm >= max(SPRINT_RPM, usual_rpm + FASTER_RPM):
            self._since_s = t_s if self._since_s is None else self._since_s
            if t_s < self._since_s + LONGEST_S:
                self._last_s = t_s
                return
        self._since_s = None
        self._before.append((t_s, rpm))
        while self._before[0][0] < t_s - BEFORE_S:
            self._before.popleft()

    def quiet(self, t_s: float) -> str:
        """Return why nothing is said now; empty: something may be."""
        return "a sprint" if t_s < self._last_s + BREATH_S else ""
