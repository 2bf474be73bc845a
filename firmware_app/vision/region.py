"""The turned square of the picture in which the rider is looked at.

Geometry as MediaPipe's, pixel for pixel: corners, not pixel centres, are mapped on corners; the
"more correct" half-pixel shift doubles the distance to its keypoints.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Height by width by 3, blue green red, as OpenCV has it."""

MARGIN = 1.25
"""A little more than the circle around the rider."""
LEAST_PX = 8.0
"""A rider smaller than this is a mistake."""


class Region(NamedTuple):
    """A square around the rider, turned so that the rider stands upright in it."""

    x_px: float
    y_px: float
    """Its middle, between the hips."""
    size_px: float
    turn_rad: float

    def crop(self, picture: Picture, into: Picture) -> None:
        """Draw the square into a square array; beyond the picture its edge is repeated."""
        side = into.shape[0]
        cv2.warpAffine(
            picture,
            self.to_picture(side),
            (side, side),
            dst=into,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def to_picture(self, side: int) -> NDArray[np.float64]:
        """Return the affine map [2, 3] from a crop of that side to the picture."""
        scale = self.size_px / side
        cos, sin = math.cos(self.turn_rad) * scale, math.sin(self.turn_rad) * scale
        half = side / 2
        return np.array(
            [
                [cos, -sin, self.x_px - half * cos + half * sin],
                [sin, cos, self.y_px - half * sin - half * cos],
            ]
        )


def region_around(hips_x: float, hips_y: float, rim_x: float, rim_y: float) -> Region | None:
    """Return the region from the middle of the hips and a point on the circle around the body.

    All in pixels. The rim's point lies above the head of a rider who stands upright. None when
    the two are too near to each other to be a rider.
    """
    dx, dy = rim_x - hips_x, rim_y - hips_y
    size_px = 2 * math.hypot(dx, dy) * MARGIN
    if not LEAST_PX < size_px < math.inf:
        return None
    return Region(hips_x, hips_y, size_px, math.pi / 2 - math.atan2(-dy, dx))
