"""Picture in, message out: all that is made of a frame, the same live, offline and on the bench."""

import numpy as np

from firmware_app.hardware import Frame
from firmware_app.vision.framing import Framing, size_px
from firmware_app.vision.lux import LuxMeter
from firmware_app.vision.place import Place, Spot
from firmware_app.vision.seeing import Light
from firmware_app.vision.tracker import Pose, Tracker
from firmware_app.wire import Landmark, PoseFrame, View, WorldPoint

SHARP = np.repeat([10.0, 1000.0], [3, 5])
"""Steps a pixel, and a metre or 1: finer than the model is; more would only be noise to send."""
SEARCH_S = 1.0
"""While somebody else is followed, the rider is looked for at the usual place this often."""


class Eye:
    """A tracker and judges of light, framing and place, looking through one camera."""

    def __init__(
        self,
        tracker: Tracker,
        light: Light | None = None,
        view: View | None = None,
        meter: LuxMeter | None = None,
    ) -> None:
        self.tracker = tracker
        self.light = light or Light()
        self._framing = Framing(view)
        self._meter = meter
        self.lux: float | None = None
        """The newest reading; None where nobody calibrated the camera to see this light."""
        self._place = Place()
        self._next_search_s = float("-inf")

    def look(self, frame: Frame) -> PoseFrame:
        """Return what is seen in the picture."""
        return self.tell(frame, self.see(frame))

    def see(self, frame: Frame) -> Pose | None:
        """Return the pose in the picture, or None when nobody is there."""
        return self.tracker.see(frame.bgr, frame.t_s, self._place.usual)

    @property
    def snr_db(self) -> float | None:
        """Of the newest picture, to a tenth; None before the first."""
        return None if self.light.snr_db is None else round(self.light.snr_db, 1)

    def tell(self, frame: Frame, pose: Pose | None) -> PoseFrame:
        """Judge light, framing and place of a pose, and return all of it as a message."""
        self.light.feed(frame.bgr, frame.t_s)
        if frame.exposure and self._meter:
            self.lux = self._meter.lux(frame.bgr, frame.exposure)
        landmarks: tuple[Landmark, ...] = ()
        world: tuple[WorldPoint, ...] = ()
        height_px, width_px = frame.bgr.shape[:2]
        jumped = False
        if pose is not None:
            told = pose.points * SHARP
            np.rint(told, out=told)
            told /= SHARP
            columns = told.T.tolist()
            x, y = columns[:2]
            self._framing.feed(x, y, width_px, height_px, frame.t_s)
            jumped = self._place.jumped(
                Spot((x[23] + x[24]) / 2, (y[23] + y[24]) / 2, size_px(x, y)), frame.t_s
            )
            if jumped and self._place.usual and frame.t_s >= self._next_search_s:
                self._next_search_s = frame.t_s + SEARCH_S
                self.tracker.look_back(frame.bgr, self._place.usual)
            landmarks = tuple(map(Landmark, *columns[:5]))
            world = tuple(map(WorldPoint, *columns[5:]))
        return PoseFrame(
            t_s=frame.t_s,
            frame=frame.number,
            width_px=width_px,
            height_px=height_px,
            landmarks=landmarks,
            world=world,
            snr_db=self.snr_db,
            too_dark=self.light.too_dark,
            framing=self._framing.reason if landmarks else "",
            jumped=jumped,
        )
