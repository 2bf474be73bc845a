"""How near the pose's points are to the true ones: PCK@0.2.

A point counts as found when it is within 0.2 of the rider's size: the longer of the trunk and the
shoulder line, as projected. Points that the camera cannot see are left out.
"""

import math

from msgspec import Struct

from firmware_app.evaluation.labels import Label
from firmware_app.wire import PoseFrame

NEAR = 0.2
JOINTS = {
    "head": (0, 2, 5, 7, 8),
    "shoulders": (11, 12),
    "elbows": (13, 14),
    "wrists": (15, 16),
    "hips": (23, 24),
    "knees": (25, 26),
    "ankles": (27, 28),
}


class Near(Struct):
    """Points counted, and those near enough."""

    points: int = 0
    near: int = 0


Keypoints = dict[str, Near]


def add(found: Keypoints, frame: PoseFrame, label: Label) -> None:
    """Count one frame's points; a frame without a pose has missed them all."""
    truth = label.per_frame
    if frame.frame >= len(truth.kp2d_px) or not truth.present[frame.frame]:
        return
    true = truth.kp2d_px[frame.frame]
    size_px = _size_px(true)
    for joint, points in JOINTS.items():
        tally = found.setdefault(joint, Near())
        for point in points:
            x_px, y_px = true[point]
            hidden = truth.occluded[frame.frame][point] or not truth.in_frame[frame.frame][point]
            if hidden or x_px is None or y_px is None or not size_px:
                continue
            tally.points += 1
            if frame.landmarks:
                seen = frame.landmarks[point]
                off_px = ((seen.x_px - x_px) ** 2 + (seen.y_px - y_px) ** 2) ** 0.5
                tally.near += off_px < NEAR * size_px


def pck(found: Keypoints) -> dict[str, float]:
    """Return PCK@0.2 by joint."""
    return {
        joint: round(tally.near / tally.points, 3) for joint, tally in found.items() if tally.points
    }


def _size_px(true: list[tuple[float | None, float | None]]) -> float:
    corners = [true[point] for point in (11, 12, 23, 24)]
    known = [(x, y) for x, y in corners if x is not None and y is not None]
    if len(known) < 4:
        return 0.0
    left, right, left_hip, right_hip = known
    trunk = (
        (left[0] + right[0] - left_hip[0] - right_hip[0]) / 2,
        (left[1] + right[1] - left_hip[1] - right_hip[1]) / 2,
    )
    across = (left[0] - right[0], left[1] - right[1])
    return max(math.hypot(x, y) for x, y in (trunk, across))
