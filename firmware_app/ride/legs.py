"""Do the legs turn? Asked of the pose when the crank sensor says nothing.

A rider whose sensor died is still riding; one who sits still is resting. The knees tell: pedalling
moves them up and down by a good part of a shoulder's width, sitting does not. How fast they turn
is form/pose_cadence.py's matter: it needs six seconds, and would call a rider who has just stopped
one whose sensor has died.
"""

from collections import deque
from itertools import pairwise

from firmware_app.form.metrics import FormMetrics

WINDOW_S = 3.0
"""Holds at least one whole turn down to 20 rpm."""
LEAST_MOVE = 0.15
"""Of the height difference of the knees, in shoulder widths; noise moves it by under 0.05."""
LEAST_MOVE_DEG = 20.0
"""Of the near knee's flexion from the side; pedalling moves it by about 70."""
LEAST_CROSSINGS = 3


class Legs:
    """Remembers the last seconds of the knees."""

    def __init__(self) -> None:
        self._moves: deque[tuple[float, float]] = deque()

    def see(self, metrics: FormMetrics) -> None:
        """Take in one frame; one without knees is left out."""
        move = _move(metrics)
        if move is not None:
            self._moves.append((metrics.t_s, move))
            while self._moves[0][0] < metrics.t_s - WINDOW_S:
                self._moves.popleft()

    def turning(self, t_s: float) -> bool:
        """Tell whether they have turned in the last seconds; False when they are not seen."""
        moves = sorted(move for at_s, move in self._moves if at_s >= t_s - WINDOW_S)
        if len(moves) < 12:
            return False
        low, high = moves[len(moves) // 10], moves[-1 - len(moves) // 10]
        if high - low < 1.0:
            return False
        middle = (low + high) / 2
        above = [move > middle for at_s, move in self._moves if at_s >= t_s - WINDOW_S]
        return sum(a != b for a, b in pairwise(above)) >= LEAST_CROSSINGS


def _move(metrics: FormMetrics) -> float | None:
    """Return where the legs are, in units of the least move that counts."""
    if metrics.knee_deg is not None:
        return metrics.knee_deg / LEAST_MOVE_DEG
    if metrics.knees is not None and metrics.trunk is not None:
        apart = metrics.knees.left_y - metrics.knees.right_y
        return apart / metrics.trunk.shoulder_span / LEAST_MOVE
    return None
