"""Finds the 33 points of a rider inside a region, in the picture and in metres.

The network gives 39 points: 33 of the body, two that say where to look in the next frame, and
four that nobody uses; and a heatmap a point, which places it better than the numbers alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_app.vision.region import Picture, Region
from firmware_app.vision.runtime import Network, Tensor

SIDE = 256
POINTS, BODY, USED = 39, 33, 35
THERE = 0.5
"""Least probability that somebody is in the region; MediaPipe's min_tracking_confidence."""

CELLS = 64
"""Of the heatmap, a side."""
REACH = 4
"""Cells of the heatmap looked at on either side of a point."""
PEAK = 0.5
"""A heatmap below this everywhere is not believed."""
_STEP = np.arange(-REACH, REACH + 1)
_DOWN, _RIGHT = (steps.ravel() for steps in np.meshgrid(_STEP, _STEP, indexing="ij"))
_STEPS = np.stack([_RIGHT, _DOWN], axis=1)
_MOMENTS = np.column_stack([_RIGHT, _DOWN, np.ones_like(_DOWN)]).astype(np.float32)
_AWAY = ((_DOWN * CELLS + _RIGHT) * POINTS)[None]
_PLANE = np.arange(USED)


@dataclass(frozen=True)
class Points:
    """What one look found. Arrays are its own."""

    body: NDArray[np.float64]
    """[33, 3] pixels of the picture; z relative to the hips in the same scale."""
    aim: NDArray[np.float64]
    """[2, 3] pixels: the middle of the hips and a point on the circle around the body."""
    visibility: NDArray[np.float64]
    """[33] 0 to 1."""
    presence: NDArray[np.float64]
    """[33] 0 to 1."""
    world: NDArray[np.float64]
    """[33, 3] metres from the middle of the hips, upright as the picture."""


class Landmarker:
    """BlazePose's landmark model: lite, full or heavy."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._landmarks = network.output((1, POINTS * 5))
        self._somebody = network.output((1, 1))
        self._heat = network.output((1, CELLS, CELLS, POINTS))
        self._world = network.output((1, POINTS * 3))
        self._crop: Picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        self._rgb: Picture = np.zeros_like(self._crop)

    def look(self, picture: Picture, region: Region) -> Points | None:
        """Return the rider's points, or None when nobody is in the region."""
        region.crop(picture, self._crop)
        cv2.cvtColor(self._crop, cv2.COLOR_BGR2RGB, dst=self._rgb)
        np.multiply(self._rgb, np.float32(1 / 255), out=self.network.input())
        self.network.run()
        if not self._somebody()[0, 0] > THERE:
            return None
        raw = self._landmarks().reshape(POINTS, 5)[:USED].astype(np.float64)
        refine(raw, self._heat())
        probable = 1 / (1 + np.exp(-raw[:BODY, 3:]))
        cos, sin = region.axes(SIDE)
        turn = np.array([[cos, sin], [-sin, cos]])
        points = raw[:, :3]
        points[:, :2] = (points[:, :2] - SIDE / 2) @ turn + (region.x_px, region.y_px)
        scale = region.size_px / SIDE
        points[:, 2] *= scale
        world = self._world().reshape(POINTS, 3)[:BODY].astype(np.float64)
        world[:, :2] = world[:, :2] @ (turn / scale)
        return Points(points[:BODY], points[BODY:], probable[:, 0], probable[:, 1], world)


def refine(raw: NDArray[np.float64], heat: Tensor) -> None:
    """Move points to the heatmap's centre of mass around them, in place.

    raw [35, ...] begins with x and y in pixels of the crop; heat [1, 64, 64, 39] are logits. As
    MediaPipe 0.10.18 does it with a window of 9 cells: 7 or 11 are ten times further off.
    """
    cell = np.trunc(raw[:, :2] * (CELLS / SIDE)).astype(np.intp)
    near = (cell[:, 1] * CELLS + cell[:, 0]) * POINTS + _PLANE
    weight = np.take(heat, near[:, None] + _AWAY, mode="clip")
    np.negative(weight, out=weight)
    np.exp(weight, out=weight)
    weight += 1
    np.reciprocal(weight, out=weight)
    if cell.min() < REACH or cell.max() >= CELLS - REACH:  # a window hangs over the edge
        seen = cell[:, None] + _STEPS
        weight[((seen < 0) | (seen >= CELLS)).any(axis=2)] = 0
    inside = ((cell >= 0) & (cell < CELLS)).all(axis=1)
    sure = inside & (weight.max(axis=1) >= PEAK)
    moment = weight @ _MOMENTS
    centre = cell[sure] + moment[sure, :2] / moment[sure, 2:]
    raw[sure, :2] = centre * (SIDE / CELLS)
