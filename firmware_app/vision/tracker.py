"""Follows the rider from frame to frame: picture and time in, smoothed pose or nobody out.

The whole picture is searched only while nobody is followed; after that each pose says where to
look next. Filters and constants are MediaPipe's, with the true times of the pictures.
"""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from firmware_app.vision.detector import Detector
from firmware_app.vision.landmarker import Landmarker, Points
from firmware_app.vision.models import DETECTOR, LANDMARKS, ModelName, read_model
from firmware_app.vision.region import Picture, Region, region_around
from firmware_app.vision.runtime import Network
from firmware_app.vision.smooth import Floats, OneEuro

BODY, AIM, WORLD = slice(0, 33), slice(33, 35), slice(35, 68)
VISIBILITY_GAIN = 0.1
"""Share of the new visibility that is taken over each frame."""
GIVEN_UP_S = 1.0
"""After a gap this long between pictures nothing is known of the rider."""


@dataclass(frozen=True)
class Pose:
    """A rider's 33 points."""

    landmarks: Floats
    """[33, 5]: x, y, z in pixels, visibility, presence."""
    world: Floats
    """[33, 3] metres."""


class Tracker:
    """Detector, landmarks and filters for one camera."""

    def __init__(self, detector: Detector, landmarker: Landmarker) -> None:
        self._detector = detector
        self.landmarker = landmarker
        cutoff_hz, beta = np.empty((68, 1)), np.empty((68, 1))
        for rows, least, growth in ((BODY, 0.05, 80.0), (AIM, 0.01, 10.0), (WORLD, 0.1, 40.0)):
            cutoff_hz[rows], beta[rows] = least, growth
        self._filter = OneEuro(cutoff_hz, beta)
        self._scale = np.ones((68, 1))
        self.detect_s = 0.0
        """What the search of the last picture took; 0 when there was none."""
        self.landmark_s = 0.0
        """What the points of the last picture took; 0 when there were none."""
        self.reset()

    def reset(self) -> None:
        """Forget the rider."""
        self._region: Region | None = None
        self._visibility: Floats | None = None
        self._last_s = 0.0
        self._filter.reset()

    def see(self, picture: Picture, t_s: float) -> Pose | None:
        """Return the pose in a picture taken at t_s, or None when nobody is there."""
        if t_s - self._last_s > GIVEN_UP_S:
            self.reset()
        started_s = found_s = perf_counter()
        if self._region is None:
            self._region = self._detector.find(picture)
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
        hips, rim = points.aim[:, :2]
        self._scale[:35] = 1 / max(2 * float(np.hypot(*(rim - hips))), 1e-6)
        smooth = self._filter.feed(
            np.concatenate([points.body, points.aim, points.world]), step_s, self._scale
        )
        (hips_x, hips_y, _), (rim_x, rim_y, _) = smooth[AIM].tolist()
        self._region = region_around(hips_x, hips_y, rim_x, rim_y)
        if self._visibility is None:
            self._visibility = points.visibility
        else:
            self._visibility = self._visibility + VISIBILITY_GAIN * (
                points.visibility - self._visibility
            )
        landmarks = np.column_stack([smooth[BODY], self._visibility, points.presence])
        return Pose(landmarks, smooth[WORLD])


def load_tracker(folder: Path, model: ModelName = "full", threads: int = 1) -> Tracker:
    """Load detector and landmark model; raise MissingPart or BadInput in words to act on."""
    cv2.setNumThreads(1)  # at these sizes a second thread costs more than it saves
    return Tracker(
        Detector(Network(read_model(folder, DETECTOR), threads)),
        Landmarker(Network(read_model(folder, LANDMARKS[model]), threads)),
    )
