"""Finds the rider in the whole picture: where to look, when there is no last frame to go by.

The network gives 2254 guesses on a grid, each a box and four points; those that agree with the
best one are averaged by their score.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_app.vision.place import LEAP, Spot
from firmware_app.vision.region import Picture, Region, region_around
from firmware_app.vision.runtime import Network

SIDE = 224
GRIDS = ((28, 2), (14, 2), (7, 6))
"""Cells a side, and guesses a cell: strides of 8, 16 and 32 pixels."""
SURE = 0.5
"""Least score of a rider; MediaPipe's min_detection_confidence."""
SAME = 0.3
"""Boxes that overlap by more than this mean the same person."""


class Detector:
    """BlazePose's person detector."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._guesses = network.output((1, 2254, 12))
        self._scores = network.output((1, 2254, 1))
        self._anchors = np.concatenate([_cell_centres(*grid) for grid in GRIDS])
        self._square: Picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        self._rgb: Picture = np.zeros_like(self._square)

    def find(self, picture: Picture, near: Spot | None = None) -> Region | None:
        """Return where the clearest person is, or None.

        Somebody above or below that spot is taken before a clearer one who is elsewhere.
        """
        height, width = picture.shape[:2]
        scale = SIDE / max(height, width)
        left, top = (SIDE - width * scale) / 2, (SIDE - height * scale) / 2
        letterbox = np.array([[scale, 0, left], [0, scale, top]])
        cv2.warpAffine(picture, letterbox, (SIDE, SIDE), dst=self._square, flags=cv2.INTER_LINEAR)
        cv2.cvtColor(self._square, cv2.COLOR_BGR2RGB, dst=self._rgb)
        pixels = self._network.input
        np.multiply(self._rgb, np.float32(2 / 255), out=pixels)
        pixels -= 1
        self._network.run()
        where = None
        if near is not None:
            middle, reach = near.x_px * scale + left, LEAP * near.size_px * scale
            where = (middle - reach) / SIDE, (middle + reach) / SIDE
        points = self._best(where)
        if points is None:
            return None
        hips, rim = (points * SIDE - (left, top)) / scale
        return region_around(*hips.tolist(), *rim.tolist())

    def _best(self, within: tuple[float, float] | None) -> NDArray[np.float32] | None:
        """Return the middle of the hips and the body's rim [2, 2] as shares of the square.

        Hips with x in the bounds come first; in y the detector is off by half a rider, when legs
        are cut off.
        """
        logits = self._scores[0, :, 0]
        likely = np.flatnonzero(logits > np.log(SURE / (1 - SURE)))
        if not likely.size:
            return None
        score = 1 / (1 + np.exp(-logits[likely]))
        guess = self._guesses[0, likely].reshape(-1, 6, 2) / np.float32(SIDE)
        centre = guess[:, 0] + self._anchors[likely]
        points = guess[:, 2:4] + self._anchors[likely, None]
        half = guess[:, 1] / 2
        rank = score
        if within is not None:
            hips_x = points[:, 0, 0]
            rank = score + ((within[0] < hips_x) & (hips_x < within[1]))
        same = _overlap(centre - half, centre + half, int(np.argmax(rank))) > SAME
        mean: NDArray[np.float32] = np.average(points[same], axis=0, weights=score[same])
        return mean


def _cell_centres(cells: int, guesses: int) -> NDArray[np.float32]:
    middle = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
    x, y = np.meshgrid(middle, middle)
    centres: NDArray[np.float32] = np.stack([x.ravel(), y.ravel()], axis=1)
    return centres.repeat(guesses, axis=0)


def _overlap(low: NDArray[np.float32], high: NDArray[np.float32], best: int) -> NDArray[np.float32]:
    """Return each box's intersection with the best over their union; boxes [n, 2] corners."""
    sides = np.minimum(high, high[best]) - np.maximum(low, low[best])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    area = np.prod(high - low, axis=1)
    union: NDArray[np.float32] = np.maximum(area + area[best] - shared, np.float32(1e-9))
    ratio: NDArray[np.float32] = shared / union
    ratio[best] = 1
    return ratio
