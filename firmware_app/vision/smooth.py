"""The One-Euro filter: still points are calmed, moving ones followed.

Casiez, Roussel, Vogel: 1 Euro Filter, CHI 2012. MediaPipe's variant: the speed that opens the
filter is measured in body sizes a second, so a rider far away is smoothed like one nearby.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SPEED_CUTOFF_HZ = 1.0
LEAST_STEP_S = 1e-3


class OneEuro:
    """Filters an array of values, each with its own stiffness, in memory of its own."""

    def __init__(self, cutoff_hz: Floats, beta: Floats) -> None:
        """Take each value's least cut-off and its growth with speed."""
        self._cutoff_hz = cutoff_hz
        self._beta = beta
        self._last, self._speed, self._smooth, self._a, self._b = (
            np.zeros_like(beta) for _ in range(5)
        )
        self.reset()

    def reset(self) -> None:
        """Forget the past: the next values pass unchanged."""
        self._fresh = True

    def feed(self, values: Floats, step_s: float, scale: Floats) -> Floats:
        """Return the smoothed values, valid until the next call.

        step_s is the time since the last; scale makes values body sizes.
        """
        last, speed, smooth, a, b = self._last, self._speed, self._smooth, self._a, self._b
        if self._fresh:
            self._fresh = False
            smooth[:] = last[:] = values
            speed[:] = 0
            return smooth
        step_s = max(step_s, LEAST_STEP_S)
        turns = 2 * math.pi * SPEED_CUTOFF_HZ * step_s
        # towards the newest speed, by a low-pass of its own
        np.subtract(values, last, out=a)
        a *= scale
        a *= turns / (1 + turns) / step_s
        speed *= 1 / (1 + turns)
        speed += a
        last[:] = values
        # the gain of a first-order low-pass, turns / (1 + turns), at a cut-off that grows
        np.abs(speed, out=a)
        a *= self._beta
        a += self._cutoff_hz
        np.add(a, 1 / (2 * math.pi * step_s), out=b)
        a /= b
        # towards the newest values
        np.subtract(values, smooth, out=b)
        b *= a
        smooth += b
        return smooth
