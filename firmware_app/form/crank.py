"""The crank as the clock of the pose: where in its turn the crank was at any moment.

Between two pulses the crank is taken to turn evenly; after the newest it goes on as fast as in
the last turn. Where the magnet sits does not matter: everything that is read off the phase is an
amplitude, or is compared with the same rider and the same magnet.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
KEPT = 32
"""Pulses; the last ten seconds and more at any cadence."""
STOPPED_S = 3.0
"""A crank that has not come round for this long stands still (20 rpm)."""
LATE = 1.6
"""A turn may take this much longer than the last before its phase is no longer trusted."""


class CrankPhase:
    """Remembers the newest pulses."""

    def __init__(self) -> None:
        self._pulses_s: deque[float] = deque(maxlen=KEPT)

    def pulse(self, t_s: float) -> None:
        """Take in one closing of the sensor, one for each turn."""
        if self._pulses_s and not 0 < t_s - self._pulses_s[-1] < STOPPED_S:
            self._pulses_s.clear()
        self._pulses_s.append(t_s)

    def turning(self, t_s: float) -> bool:
        """Tell whether the phase at this moment is known."""
        if len(self._pulses_s) < 3:
            return False
        last_turn_s = self._pulses_s[-1] - self._pulses_s[-2]
        return t_s - self._pulses_s[-1] < LATE * last_turn_s

    def phase_rad(self, t_s: Floats) -> Floats:
        """Return the crank's phase at these moments, 2 pi for each turn; NaN before it turned."""
        *_, before_s, last_s = self._pulses_s
        next_s = (last_s + turns * (last_s - before_s) for turns in (1, 2))  # more than LATE
        pulses_s = [*self._pulses_s, *next_s]
        phase: Floats = np.interp(t_s, pulses_s, np.arange(len(pulses_s)), left=np.nan)
        return math.tau * phase
