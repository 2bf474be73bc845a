"""Picture in, message out: all that is made of a frame, the same live, offline and on the bench."""

import numpy as np

from firmware_app.hardware import Frame
from firmware_app.vision.seeing import Light
from firmware_app.vision.tracker import Tracker
from firmware_app.wire import Landmark, PoseFrame, WorldPoint

SHARP = np.repeat([10.0, 1000.0], [3, 5])
"""Steps a pixel, and a metre or 1: finer than the model is; more would only be noise to send."""


class Eye:
    """A tracker and a judge of the light, looking through one camera."""

    def __init__(self, tracker: Tracker, light: Light | None = None) -> None:
        self.tracker = tracker
        self.light = light or Light()

    def look(self, frame: Frame) -> PoseFrame:
        """Return what is seen in the picture."""
        pose = self.tracker.see(frame.bgr, frame.t_s)
        self.light.feed(frame.bgr, frame.t_s)
        landmarks: tuple[Landmark, ...] = ()
        world: tuple[WorldPoint, ...] = ()
        if pose is not None:
            told = pose.points * SHARP
            np.rint(told, out=told)
            told /= SHARP
            columns = told.T.tolist()
            landmarks = tuple(map(Landmark, *columns[:5]))
            world = tuple(map(WorldPoint, *columns[5:]))
        height_px, width_px = frame.bgr.shape[:2]
        return PoseFrame(
            t_s=frame.t_s,
            frame=frame.number,
            width_px=width_px,
            height_px=height_px,
            landmarks=landmarks,
            world=world,
            snr_db=None if self.light.snr_db is None else round(self.light.snr_db, 1),
            too_dark=self.light.too_dark,
        )
