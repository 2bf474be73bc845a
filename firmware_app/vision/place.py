"""Where on the picture the rider sits, so that somebody else is not taken for the rider.

A bike does not move: whoever is suddenly elsewhere, or of another size, is somebody else.
"""

import math
from typing import NamedTuple

LEAP = 0.75
"""Rider sizes from the usual place. Standing up moves the hips by 0.5, pedalling by 0.2; a rider
who walks away is beyond 0.75 after one step."""
LEAST_GROWTH, MOST_GROWTH = 0.6, 1.6
"""Of the usual size. Standing towards the camera on the handlebar makes 1.5."""
LEARNT_S = 1.0
"""A new track has settled after this long; until then it begins anew with whoever is elsewhere."""
CALM_S = 20.0
"""Time constant with which the place follows a rider who shifts."""
STAYS_S = 5.0
"""Whoever stays elsewhere for this long is the rider there: the camera was moved, or the bike."""
FORGOTTEN_S = 30.0
"""Without anybody for this long the next one is a new rider."""


class Spot(NamedTuple):
    """Where somebody is, in pixels."""

    x_px: float
    y_px: float
    """The middle of the hips."""
    size_px: float
    """The longer of trunk and shoulder line."""


class Place:
    """The usual place of the one rider of this bike."""

    def __init__(self) -> None:
        self.usual: Spot | None = None
        self._learnt_s = 0.0
        self._last_s = float("-inf")
        self._away_s: float | None = None

    def jumped(self, spot: Spot, t_s: float) -> bool:
        """Take in where somebody was seen, and tell whether that is not the rider."""
        step_s = t_s - self._last_s
        self._last_s = t_s
        if self.usual is None or step_s > FORGOTTEN_S:
            self._begin(spot)
            return False
        elsewhere = self._elsewhere(spot, self.usual)
        if elsewhere and self._learnt_s < LEARNT_S:
            self._begin(spot)
            return False
        if not elsewhere:
            self._away_s = None
            self._learnt_s += min(step_s, LEARNT_S)
            calm_s = CALM_S if self._learnt_s > LEARNT_S else LEARNT_S / 2
            share = 1 - math.exp(-step_s / calm_s)
            x, y, size = self.usual
            self.usual = Spot(
                x + share * (spot.x_px - x),
                y + share * (spot.y_px - y),
                size + share * (spot.size_px - size),
            )
            return False
        if self._away_s is None:
            self._away_s = t_s
        if t_s - self._away_s >= STAYS_S:
            self._begin(spot)
            return False
        return True

    def _begin(self, spot: Spot) -> None:
        self.usual, self._learnt_s, self._away_s = spot, 0.0, None

    @staticmethod
    def _elsewhere(spot: Spot, usual: Spot) -> bool:
        leap = math.hypot(spot.x_px - usual.x_px, spot.y_px - usual.y_px) / usual.size_px
        return leap > LEAP or not LEAST_GROWTH < spot.size_px / usual.size_px < MOST_GROWTH
