"""Finds the 33 points of a rider inside a region, in the picture and in metres.

The network gives 39 points: 33 of the body, two that say where to look in the next frame, and
four that nobody uses; and a heatmap a point, which places it better than the numbers alone.
"""

from typing import NamedTuple

import cv2
import numpy as np

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
LEAST_LOGIT = 0.0
"""A heatmap below this everywhere, a probability of one half, is not believed."""
LEAST_WEIGHT = np.float32(0.01)
"""Less than a window has that is believed; keeps those that are not from dividing by nothing."""
_STEP = np.arange(-REACH, REACH + 1)
_DOWN, _RIGHT = (steps.ravel() for steps in np.meshgrid(_STEP, _STEP, indexing="ij"))
_STEPS = np.stack([_RIGHT, _DOWN], axis=1)
_MOMENTS = np.column_stack([_RIGHT, _DOWN, np.ones_like(_DOWN)]).astype(np.float32)
_AWAY = (_DOWN * CELLS + _RIGHT) * POINTS
_PER_CELL = np.array([POINTS, CELLS * POINTS])
_PLANE = np.arange(USED)
ROWS = USED + BODY
BODY_ROWS, AIM_ROWS, WORLD_ROWS = slice(0, BODY), slice(BODY, USED), slice(USED, ROWS)


class Points(NamedTuple):
    """What one look found. Arrays are its own."""

    places: Tensor
    """[68, 3]. 33 points of the body in pixels of the picture, z relative to the hips in the same
    scale; the middle of the hips and a point on the circle around the body, in pixels; the 33
    points again in metres from the middle of the hips, upright as the picture."""
    chances: Tensor
    """[33, 2] visibility and presence, 0 to 1."""


class Landmarker:
    """BlazePose's landmark model: lite, full or heavy.

    Beside the model every call counts, for the model leaves nothing of ours in the caches: arrays
    are made once and as few of numpy's functions are called as will do.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self._landmarks = network.output((1, POINTS * 5)).reshape(POINTS, 5)
        self._somebody = network.output((1, 1))
        self._heat = network.output((1, CELLS, CELLS, POINTS))
        self._world = network.output((1, POINTS * 3)).reshape(POINTS, 3)[:BODY]
        self._crop: Picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        self._seen = np.zeros((ROWS, 4), np.float32)
        """Points in the crop, and 1 for those that move with its place in the picture."""
        self._seen[:USED, 3] = 1

    def look(self, picture: Picture, region: Region) -> Points | None:
        """Return the rider's points, or None when nobody is in the region."""
        to_picture = region.crop(picture, self._crop)
        cv2.cvtColor(self._crop, cv2.COLOR_BGR2RGB, dst=self.network.input)
        self.network.run()
        if not self._somebody[0, 0] > THERE:
            return None
        (cos, minus_sin, x_px), (sin, _, y_px) = to_picture.tolist()
        scale = region.size_px / SIDE
        seen = self._seen
        seen[:USED, :3] = self._landmarks[:USED, :3]
        refine(seen[:USED, :2], self._heat)
        np.multiply(self._world, 1 / scale, out=seen[USED:, :3])
        turn = [[cos, sin, 0], [minus_sin, cos, 0], [0, 0, scale], [x_px, y_px, 0]]
        places = seen @ np.array(turn, np.float32)
        chances = np.exp(-self._landmarks[:BODY, 3:])
        chances += 1
        np.reciprocal(chances, out=chances)
        return Points(places, chances)


def refine(points: Tensor, heat: Tensor) -> None:
    """Move points to the heatmap's centre of mass around them, in place.

    points [35, 2] are x and y in pixels of the crop; heat [1, 64, 64, 39] are logits. As MediaPipe
    0.10.18 does it with a window of 9 cells: 7 or 11 are ten times further off.
    """
    cell = (points * np.float32(CELLS / SIDE)).astype(np.intp)
    weight = np.take(heat, (cell @ _PER_CELL + _PLANE)[:, None] + _AWAY, mode="clip")
    places = cell.ravel().tolist()
    at_edge = min(places) < REACH or max(places) >= CELLS - REACH
    if at_edge:  # a window hangs over the edge
        seen = cell[:, None] + _STEPS
        weight[((seen < 0) | (seen >= CELLS)).any(axis=2)] = -np.inf
    sure = weight.max(axis=1) >= LEAST_LOGIT
    if at_edge:
        sure &= ((cell >= 0) & (cell < CELLS)).all(axis=1)
    weight *= np.float32(0.5)
    np.tanh(weight, out=weight)  # twice the logistic function, less one
    moment = weight @ _MOMENTS
    moment[:, 2] += len(_MOMENTS)
    centre = moment[:, :2] / np.maximum(moment[:, 2:], LEAST_WEIGHT)
    centre += cell
    centre *= SIDE / CELLS
    np.copyto(points, centre, where=sure[:, None])
