"""Whether the camera has the rider in the picture as the coach needs it, in words for a technician.

BlazePose draws points that it cannot see, and calls them visible: a rider whose head is cut off
gets a skeleton beside the leg. So the picture's edges are asked, not the model.
"""

import math
from collections.abc import Sequence

from firmware_app.wire import View

Axis = Sequence[float]
"""One coordinate of the 33 points."""
NEEDED: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("head", (0, 7, 8)),
    ("shoulders", (11, 12)),
    ("hips", (23, 24)),
)
KNEES = (25, 26)
"""Needed from the side; the camera on the handlebar often cannot have them."""
LEAST_SIZE = 0.12
"""Of trunk or shoulders, in the picture's shorter side. Riders from any view have 0.20 to 0.56;
below 0.12 a trunk has 30 of the model's 256 pixels and less."""
LEVEL_DEG = 8.0
"""Shoulders and hips of riders filmed from the front lie within 3 degrees of level over seconds; a
hand on the bottle or a rocking hip does not last."""
HOLD_S = 2.0
"""A reason must last this long to be told, and be gone this long to be taken back."""
CALM_S = 5.0
"""Time constant of the tilt."""
EVERY_S = 0.25
"""A camera does not move faster."""


class Framing:
    """The framing of one camera, watched pose by pose."""

    def __init__(self, view: View | None = None) -> None:
        """Take where the camera stands, if that is known."""
        self._view = view
        self.reason = ""
        """In a few words, when the rider is not framed well."""
        self._pending, self._since_s = "", 0.0
        self._tilt_deg, self._last_s = 0.0, float("-inf")

    def feed(self, x: Axis, y: Axis, width_px: int, height_px: int, t_s: float) -> None:
        """Take in a pose's points in pixels, if it is time."""
        if t_s - self._last_s < EVERY_S:
            return
        self._level(x, y, t_s)
        seen = self._judge(x, y, width_px, height_px)
        if seen != self._pending:
            self._pending, self._since_s = seen, t_s
        if t_s - self._since_s >= HOLD_S:
            self.reason = seen

    def _judge(self, x: Axis, y: Axis, width_px: int, height_px: int) -> str:
        def inside(point: int) -> bool:
            return 0 <= x[point] < width_px and 0 <= y[point] < height_px

        for name, needed in NEEDED:
            if not all(map(inside, needed)):
                return f"{name} out of the picture"
        if self._view == "side" and not any(map(inside, KNEES)):
            return "knees out of the picture"
        if size_px(x, y) < LEAST_SIZE * min(width_px, height_px):
            return "too far away"
        if self._view == "front" and abs(self._tilt_deg) > LEVEL_DEG:
            return "camera tilted"
        return ""

    def _level(self, x: Axis, y: Axis, t_s: float) -> None:
        """Follow the smaller of the tilts of shoulders and hips; 0 when they disagree."""
        shoulders, hips = (
            math.degrees(math.atan2(y[left] - y[right], x[left] - x[right]))
            for left, right in ((11, 12), (23, 24))
        )
        tilt_deg = min(shoulders, hips, key=abs) if shoulders * hips > 0 else 0.0
        step = 1 - math.exp(-(t_s - self._last_s) / CALM_S)
        self._tilt_deg += step * (tilt_deg - self._tilt_deg)
        self._last_s = t_s


def size_px(x: Axis, y: Axis) -> float:
    """Return the longer of the trunk and the shoulder line: how large a rider is in any view."""
    trunk = math.hypot(x[11] + x[12] - x[23] - x[24], y[11] + y[12] - y[23] - y[24]) / 2
    return max(trunk, math.hypot(x[11] - x[12], y[11] - y[12]))
