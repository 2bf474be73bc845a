"""The One-Euro filter: still points are calmed, moving ones followed.

Casiez, Roussel, Vogel: 1 Euro Filter, CHI 2012. MediaPipe's variant: the speed that opens the
filter is measured in body sizes a second, so a rider far away is smoothed like one nearby.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SPEED_CUTOFF_HZ = 1.0
LEAST_STEP_S = 1e-3


class OneEuro:
    """Filters an array of values, each row with its own stiffness."""

    def __init__(self, cutoff_hz: Floats, beta: Floats) -> None:
        """Take least cut-off and its growth with speed; both broadcast to the values."""
        self._cutoff_hz = cutoff_hz
        self._beta = beta
        self._state: tuple[Floats, Floats, Floats] | None = None

    def reset(self) -> None:
        """Forget the past: the next values pass unchanged."""
        self._state = None

    def feed(self, values: Floats, step_s: float, scale: Floats) -> Floats:
        """Return the smoothed values; step_s since the last, scale makes them body sizes."""
        if self._state is None:
            self._state = values, np.zeros_like(values), values
            return values
        last, speed, smooth = self._state
        step_s = max(step_s, LEAST_STEP_S)
        speed = speed + _gain(SPEED_CUTOFF_HZ, step_s) * (
            (values - last) * (scale / step_s) - speed
        )
        gain = _gain(self._cutoff_hz + self._beta * np.abs(speed), step_s)
        smooth = smooth + gain * (values - smooth)
        self._state = values, speed, smooth
        return smooth


def _gain(cutoff_hz: float | Floats, step_s: float) -> float | Floats:
    """Return how much of the new value a first-order low-pass takes over."""
    turns = 2 * math.pi * step_s * cutoff_hz
    return turns / (1 + turns)
