"""Follows the rider from frame to frame: picture and time in, smoothed pose or nobody out.

The whole picture is searched only while nobody is followed; after that each pose says where to
look next. Filters and constants are MediaPipe's, with the true times of the pictures.
"""

import math
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from firmware_app.vision.detector import Detector
from firmware_app.vision.landmarker import (
    AIM_ROWS,
    BODY_ROWS,
    ROWS,
    USED,
    WORLD_ROWS,
    Landmarker,
    Points,
)
from firmware_app.vision.models import DETECTOR, LANDMARKS, ModelName, read_model
from firmware_app.vision.place import Spot
from firmware_app.vision.region import Picture, Region, region_around
from firmware_app.vision.runtime import Network
from firmware_app.vision.smooth import Floats, OneEuro

VISIBILITY_GAIN = 0.1
"""Share of the new visibility that is taken over each frame."""
GIVEN_UP_S = 1.0
"""After a gap this long between pictures nothing is known of the rider."""


class Pose(NamedTuple):
    """A rider's 33 points."""

    points: Floats
    """[33, 8]: x, y, z in pixels, visibility, presence, x, y, z in metres."""

    @property
    def landmarks(self) -> Floats:
        """[33, 5]: x, y, z in pixels, visibility, presence."""
        return self.points[:, :5]

    @property
    def world(self) -> Floats:
        """[33, 3] metres."""
        return self.points[:, 5:]


class Tracker:
    """Detector, landmarks and filters for one camera."""

    def __init__(self, detector: Detector, landmarker: Landmarker) -> None:
        self._detector = detector
        self.landmarker = landmarker
        cutoff_hz, beta, self._scale = np.ones((3, ROWS, 3), np.float32)
        for rows, least, growth in (
            (BODY_ROWS, 0.05, 80.0),
            (AIM_ROWS, 0.01, 10.0),
            (WORLD_ROWS, 0.1, 40.0),
        ):
            cutoff_hz[rows], beta[rows] = least, growth
        self._filter = OneEuro(cutoff_hz, beta)
        self.detect_s = 0.0
        """What the search of the last picture took; 0 when there was none."""
        self.landmark_s = 0.0
        """What the points of the last picture took; 0 when there were none."""
        self.reset()

    def reset(self) -> None:
        """Forget the rider."""
        self._region: Region | None = None
        self._visibility: NDArray[np.float32] | None = None
        self._last_s = 0.0
        self._filter.reset()

    def see(self, picture: Picture, t_s: float, near: Spot | None = None) -> Pose | None:
        """Return the pose in a picture taken at t_s, or None when nobody is there.

        When the rider has to be looked for, somebody near that spot is taken first.
        """
        if t_s - self._last_s > GIVEN_UP_S:
            self.reset()
        started_s = found_s = perf_counter()
        if self._region is None:
            self._region = self._detector.find(picture, near)
            found_s = perf_counter()
        points = self.landmarker.look(picture, self._region) if self._region else None
        self.detect_s, self.landmark_s = found_s - started_s, perf_counter() - found_s
        if points is None:
            self.reset()
            return None
        pose = self._follow(points, t_s - self._last_s)
        self._last_s = t_s
        return pose

    def _follow(self, points: Points, step_s: float) -> Pose:
        """Smooth the points and aim at the next picture."""
        (hips_x, hips_y, _), (rim_x, rim_y, _) = points.places[AIM_ROWS].tolist()
        self._scale[:USED] = 1 / max(2 * math.hypot(rim_x - hips_x, rim_y - hips_y), 1e-6)
        smooth = self._filter.feed(points.places, step_s, self._scale)
        (hips_x, hips_y, _), (rim_x, rim_y, _) = smooth[AIM_ROWS].tolist()
        self._region = region_around(hips_x, hips_y, rim_x, rim_y)
        visibility = points.chances[:, 0]
        if self._visibility is None:
            self._visibility = visibility
        else:
            visibility -= self._visibility
            visibility *= VISIBILITY_GAIN
            visibility += self._visibility
            self._visibility = visibility
        pose = np.empty((33, 8), np.float32)
        pose[:, :3] = smooth[BODY_ROWS]
        pose[:, 3:5] = points.chances
        pose[:, 5:] = smooth[WORLD_ROWS]
        return Pose(pose)


def load_tracker(folder: Path, model: ModelName = "full", threads: int = 1) -> Tracker:
    """Load detector and landmark model; raise MissingPart or BadInput in words to act on."""
    cv2.setNumThreads(1)  # at these sizes a second thread costs more than it saves
    detector = Detector(Network(read_model(folder, DETECTOR), threads))
    return Tracker(detector, load_landmarker(folder, model, threads))


def load_landmarker(folder: Path, model: ModelName, threads: int) -> Landmarker:
    """Load a landmark model; raise MissingPart or BadInput in words to act on."""
    return Landmarker(Network(read_model(folder, LANDMARKS[model]), threads))
