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

from firmware_app.vision.detector import Detector
from firmware_app.vision.glance import Glance
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
from firmware_app.vision.place import LEAP, Spot
from firmware_app.vision.region import Picture, Region, region_around
from firmware_app.vision.runtime import Network, Tensor
from firmware_app.vision.smooth import Floats, OneEuro

VISIBILITY_GAIN = 0.1
"""Share of the new visibility that is taken over each frame."""
GIVEN_UP_S = 1.0
"""After a gap this long between pictures nothing is known of the rider."""
OFF = 2.5
"""Rider sizes by which the detector may be too low or too high when it does not see the legs."""
IDLE_S, SEARCH_S = 2.0, 0.2
"""When nobody came for so long, the picture is searched only so often: a bike waits most of the
day."""


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
        self._glance = Glance()
        self.reset()

    def reset(self) -> None:
        """Forget the rider, and that there was none."""
        self._lose()
        self._glance.reset()
        self._last_s = self._searched_s = float("-inf")
        self._nobody_s: float | None = None

    def _lose(self) -> None:
        self._region: Region | None = None
        self._points: Points | None = None
        self._visibility: Tensor | None = None
        self._filter.reset()

    def see(self, picture: Picture, t_s: float, near: Spot | None = None) -> Pose | None:
        """Return the pose in a picture taken at t_s, or None when nobody is there.

        When the rider has to be looked for, somebody near that spot is taken first.
        """
        if t_s - self._last_s > GIVEN_UP_S:
            self.reset()
        step_s, self._last_s = t_s - self._last_s, t_s
        self.detect_s = self.landmark_s = 0.0
        if not (self._idle(t_s) or self._glance.still(picture, t_s, self._region)):
            self._look(picture, t_s, near)
        return self._follow(self._points, step_s) if self._points else None

    def look_back(self, picture: Picture, usual: Spot) -> None:
        """Follow the person at the usual spot from now on, if there is one."""
        region = self._detector.find(picture, usual)
        if (
            region
            and abs(region.x_px - usual.x_px) < LEAP * usual.size_px
            and abs(region.y_px - usual.y_px) < OFF * usual.size_px
        ):
            self._lose()
            self._region = region

    def _look(self, picture: Picture, t_s: float, near: Spot | None) -> None:
        """Find the rider's points, or that nobody is there."""
        started_s = perf_counter()
        if self._region is None:
            self._searched_s = t_s
            self._region = self._detector.find(picture, near)
            if self._region:
                self._glance.pause(t_s)
            self.detect_s = perf_counter() - started_s
        points = self.landmarker.look(picture, self._region) if self._region else None
        self.landmark_s = perf_counter() - started_s - self.detect_s
        if points is None:
            self._lose()
            if self._nobody_s is None:
                self._nobody_s = t_s
        else:
            self._nobody_s = None
        self._points = points

    def _idle(self, t_s: float) -> bool:
        """Tell whether a search can wait."""
        return (
            self._nobody_s is not None
            and t_s - self._nobody_s > IDLE_S
            and t_s - self._searched_s < SEARCH_S
        )

    def _follow(self, points: Points, step_s: float) -> Pose:
        """Smooth the points and aim at the next picture."""
        (hips_x, hips_y, _), (rim_x, rim_y, _) = points.places[AIM_ROWS].tolist()
        self._scale[:USED] = 1 / max(2 * math.hypot(rim_x - hips_x, rim_y - hips_y), 1e-6)
        smooth = self._filter.feed(points.places, step_s, self._scale)
        (hips_x, hips_y, _), (rim_x, rim_y, _) = smooth[AIM_ROWS].tolist()
        self._region = region_around(hips_x, hips_y, rim_x, rim_y)
        seen = points.chances[:, 0]
        if self._visibility is None:
            self._visibility = seen.copy()
        else:
            self._visibility += VISIBILITY_GAIN * (seen - self._visibility)
        pose = np.empty((33, 8), np.float32)
        pose[:, :3] = smooth[BODY_ROWS]
        pose[:, 3] = self._visibility
        pose[:, 4] = points.chances[:, 1]
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
