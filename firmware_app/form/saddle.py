"""How far to move the saddle, in centimetres, from how far the knee is bent at the bottom.

A centimetre of saddle is 4.8 degrees of the knee (geometry of legs of 42 and 43 cm on a crank of
170 mm). It goes to the nearer end of what suits, and not by more than two centimetres at once: then
one looks again.
"""

from collections import deque
from statistics import median

SUITS_DEG = (25.5, 35.0)
"""Riders who suit their saddle have 24 to 33 at the bottom of the turn; 33 to 43 while riding
easily, and 25 to 45 at the most, are the literature's (Swart and Holliday 2019, Holmes 1994)."""
DEG_PER_CM = 4.8
MOST_CM, STEP_CM = 2.0, 0.5
FITS = 75
"""The last minute: the knee is fitted anew every four fifths of a second."""


class Saddle:
    """Remembers the knee of the last minute in which it was judged."""

    def __init__(self) -> None:
        self._knee_deg: deque[float] = deque(maxlen=FITS)

    def see(self, knee_bdc_deg: float) -> None:
        """Take in the knee's flexion at the bottom of the turn, from the side."""
        if not self._knee_deg or knee_bdc_deg != self._knee_deg[-1]:
            self._knee_deg.append(knee_bdc_deg)

    def steady_deg(self, knee_deg: float) -> float:
        """Return the knee to judge the saddle by: this one or the last minute's, as suits better.

        A saddle does not move under its rider: who bounces for some seconds stretches the knee by
        ten degrees and more.
        """
        if not self._knee_deg or not _off_deg(knee_deg):
            return knee_deg
        return min(knee_deg, median(self._knee_deg), key=lambda deg: abs(_off_deg(deg)))

    @property
    def move_cm(self) -> float | None:
        """How far up the saddle should go, down if negative; None while nothing was seen."""
        if not self._knee_deg:
            return None
        off_cm = _off_deg(median(self._knee_deg)) / DEG_PER_CM
        steps = round(max(-MOST_CM, min(off_cm, MOST_CM)) / STEP_CM)
        return steps * STEP_CM


def _off_deg(knee_deg: float) -> float:
    """Return how much further the knee is bent than suits, less than zero: how much less."""
    low_deg, high_deg = SUITS_DEG
    return max(knee_deg - high_deg, 0.0) + min(knee_deg - low_deg, 0.0)
