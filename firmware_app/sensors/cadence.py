"""From closings of the crank sensor to revolutions a minute: nothing frozen, nothing spiking.

Sources: shared practice of indoor bikes: a software lock-out (debouncing by the pin library means
different things per back end), the time of several whole revolutions (5 ms of reed jitter on one
revolution is 0.9 rpm at 90, on four a quarter of it), natural decay while waiting for the next
pulse, and 0 after three seconds.
"""

from collections import deque
from itertools import pairwise
from statistics import median

FASTEST_RPM = 200.0
"""Nobody pedals faster; what seems to is a bouncing contact."""
REVOLUTIONS = 4
"""Averaged over at most this many whole revolutions ..."""
WINDOW_S = 3.0
"""... and at most this long; also the silence after which the crank stands still."""
EARLY = 0.55
"""A turn that takes less than this share of the usual one is a second closing of the same turn."""
SURE = 3
"""Early in so many turns on end, it is the usual one that was wrong."""
MISSED = (1.75, 2.25)
"""A turn that takes about twice the usual one is two, with one pulse missed."""


class Cadence:
    """Counts turns and says how fast they come."""

    def __init__(self, pulses_per_turn: int = 1) -> None:
        self._per_turn = pulses_per_turn
        self._lockout_s = max(0.008, 0.6 * 60 / (FASTEST_RPM * pulses_per_turn))
        self._pulses_s: deque[float] = deque(maxlen=REVOLUTIONS * pulses_per_turn + 1)
        self._early = 0
        self._doubted = False
        self.pulses = 0
        """Closings believed, missed ones included."""
        self.turning_s = 0.0
        """Time that the believed pulses took; pulses over it is the mean cadence."""
        self.bounces = 0
        self.missed = 0

    @property
    def turns(self) -> float:
        """Whole and part revolutions completed since the start."""
        return self.pulses / self._per_turn

    def pulse(self, t_s: float) -> bool:
        """Take in one closing at this monotonic second; tell whether it is believed."""
        last_s = self._pulses_s[-1] if self._pulses_s else None
        if last_s is None:
            self._pulses_s.append(t_s)
            return True
        took_s = t_s - last_s
        if took_s < self._lockout_s:
            self.bounces += 1
            return False
        if took_s > WINDOW_S:
            self._pulses_s.clear()  # a new start, not one slow turn
            self._pulses_s.append(t_s)
            self._early = 0
            return True
        usual_s = self._usual_s()
        if usual_s is not None and took_s < EARLY * usual_s:
            self._early += 1
            self._doubted = True
            if self._early < SURE:
                self.bounces += 1
                return False
            self._pulses_s.clear()  # early again and again: the usual one was the mistake
            self._pulses_s.append(last_s)
        count = 1
        if usual_s is not None and MISSED[0] < took_s / usual_s < MISSED[1]:
            self.missed += 1
            count = 2
            self._pulses_s.append((last_s + t_s) / 2)
        if not self._doubted:
            self._early = 0
        self._doubted = False
        self._pulses_s.append(t_s)
        self.pulses += count
        self.turning_s += took_s
        return True

    def rpm(self, t_s: float) -> float:
        """Return the cadence at this monotonic second; 0 when the crank stands still."""
        if len(self._pulses_s) < 2:
            return 0.0
        newest_s = self._pulses_s[-1]
        waiting_s = t_s - newest_s
        if waiting_s >= WINDOW_S:
            return 0.0
        pulses = list(self._pulses_s)
        whole = [p for p in pulses if newest_s - p <= WINDOW_S]
        counted = max(len(whole) - 1, 1)
        counted -= counted % self._per_turn if counted > self._per_turn else 0
        took_s = newest_s - pulses[-1 - counted]
        rpm = 60 * counted / self._per_turn / took_s
        if waiting_s > 0:
            rpm = min(rpm, 60 / self._per_turn / waiting_s)
        return rpm

    def _usual_s(self) -> float | None:
        """Return the median time between the last pulses, or None while there are too few."""
        if len(self._pulses_s) < 4:
            return None
        pulses = list(self._pulses_s)
        return median(b - a for a, b in pairwise(pulses))
