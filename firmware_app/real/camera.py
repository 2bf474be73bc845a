"""The USB camera, by OpenCV's V4L2: motion JPEG, the newest picture only, the kernel's times.

A thread of its own empties the driver's queue, so that a slow model never sees an old picture.
The first words of each error, up to the colon, are meant for the bike's screen.
"""

import contextlib
import os
from pathlib import Path
from threading import Condition, Thread
from time import perf_counter
from typing import Protocol, cast

import cv2
import numpy as np

from firmware_app.clock import Clock
from firmware_app.errors import PartLost, PartSlow
from firmware_app.hardware import Exposure, Frame
from firmware_app.settings import Vision
from firmware_app.vision.region import Picture

PATIENCE_S = 1.0
"""Without a picture for this long the camera is too slow to be of use."""
FIRST_PATIENCE_S = 3.0
"""The first picture may take longer: the camera starts its stream."""
FROZEN_S = 2.0
"""A sensor's noise changes every picture; the same bits for this long are a hung camera."""
QUEUE = 2
"""The driver's buffers: one is filled while the other is read."""
ASK_S = 1.0
"""Light changes no faster, and each question is a turn on the USB."""
EXPOSURE_STEP_S = 1e-4
"""V4L2's unit of exposure time."""
SYSFS = Path("/sys/class/video4linux")
MOTION_JPEG = int.from_bytes(b"MJPG", "little")
_EVERY_16TH = slice(None, None, 16)
# OpenCV waits ten seconds for a hung camera, and holds the device meanwhile
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")


class Device(Protocol):
    """What is used of cv2.VideoCapture."""

    def grab(self) -> bool: ...  # noqa: D102 - as in OpenCV

    def retrieve(self, image: Picture | None, /) -> tuple[bool, Picture]: ...  # noqa: D102 - as in OpenCV

    def get(self, propId: int, /) -> float: ...  # noqa: D102, N803 - as in OpenCV

    def set(self, propId: int, value: float, /) -> bool: ...  # noqa: D102, N803 - as in OpenCV

    def release(self) -> None: ...  # noqa: D102 - as in OpenCV


class V4lCamera:
    """A camera that is there and gives pictures."""

    def __init__(
        self, path: str, device: Device, clock: Clock, *, tells_exposure: bool = False
    ) -> None:
        """Begin to read. Exposure is asked for only when somebody can use it: it takes time."""
        self._path = path
        self._name = name_of(path)
        self._asked_s = float("-inf") if tells_exposure else float("inf")
        self._device = device
        self._clock = clock
        self._news = Condition()
        self._newest: Frame | None = None
        self._given = -1
        self._spare: list[Picture | None] = [None, None, None]
        """One is drawn into, one is the newest, one is in the caller's hands."""
        self._in_hands: Picture | None = None
        self._lost = ""
        self._closed = False
        self._reader = Thread(target=self._read, name="camera", daemon=True)
        self._reader.start()

    def newest(self) -> Frame:
        """Wait for a picture newer than the last one given."""
        with self._news:
            patience_s = FIRST_PATIENCE_S if self._given < 0 else PATIENCE_S
            self._news.wait_for(lambda: self._lost or self._fresh(), patience_s)
            if self._lost:
                raise PartLost(self._lost)
            frame = self._fresh()
            if frame is None:
                raise PartSlow(
                    f"camera too slow: no picture from {self._path} for {patience_s:.0f} s;"
                    " try another USB port or cable"
                )
            if self._in_hands is not None:
                self._spare.append(self._in_hands)
            self._in_hands = frame.bgr
            self._given = frame.number
            return frame

    def close(self) -> None:
        """Give the device back."""
        self._closed = True
        self._reader.join(2 * PATIENCE_S)

    def _fresh(self) -> Frame | None:
        frame = self._newest
        return frame if frame is not None and frame.number > self._given else None

    def _read(self) -> None:
        number = 0
        seen: Picture | None = None
        changed_s, lives = self._clock.monotonic(), False
        while not self._closed:
            grabbed = self._grab()
            now_s = self._clock.monotonic()
            stamp_s = self._device.get(cv2.CAP_PROP_POS_MSEC) / 1000
            started_s = perf_counter()
            into = self._spare.pop()
            if not grabbed:
                self._tell_lost(
                    f"camera unplugged: {self._path} gives no more pictures; check its cable"
                )
                break
            drawn, picture = self._device.retrieve(into)
            if not drawn:  # a damaged JPEG; when all are, newest() tells
                self._spare.append(into)
                continue
            sample = picture[_EVERY_16TH]
            # a covered lens is black in every bit and no fault of the camera
            if seen is None or not np.array_equal(sample, seen) or np.ptp(sample) == 0:
                lives = seen is not None
                seen, changed_s = sample.copy(), now_s
            elif now_s - changed_s > FROZEN_S:
                self._tell_lost(
                    f"camera frozen: {self._path} repeats one picture; unplug it and plug it in"
                )
                break
            if not lives:  # a hung camera that was opened anew repeats its first picture
                self._spare.append(picture)
                continue
            t_s = stamp_s if now_s - PATIENCE_S < stamp_s <= now_s else now_s
            decode_s = perf_counter() - started_s
            frame = Frame(picture, t_s, number, decode_s, now_s - t_s, self._exposure(now_s))
            with self._news:
                overtaken = self._fresh()
                if overtaken is not None:
                    self._spare.append(overtaken.bgr)
                self._newest = frame
                self._news.notify()
            number += 1
        self._device.release()

    def _grab(self) -> bool:
        """Wait for the next picture; False when there will be none."""
        try:
            return self._device.grab()
        except cv2.error:  # a driver that breaks its own rules
            return False

    def _exposure(self, now_s: float) -> Exposure | None:
        """Ask how the picture was exposed, if it is time."""
        if now_s - self._asked_s < ASK_S:
            return None
        self._asked_s = now_s
        return exposure_of(self._device, self._name)

    def _tell_lost(self, why: str) -> None:
        with self._news:
            self._lost = why
            self._news.notify()


def exposure_of(device: Device, camera: str) -> Exposure | None:
    """Return what the driver tells of exposure and gain; None unless it tells both."""
    steps, gain = device.get(cv2.CAP_PROP_EXPOSURE), device.get(cv2.CAP_PROP_GAIN)
    return Exposure(camera, steps * EXPOSURE_STEP_S, gain) if steps > 0 and gain >= 0 else None


def name_of(path: str) -> str:
    """Return the name and the serial number of the camera at that path, as far as there are any."""
    video = SYSFS / Path(path).resolve().name
    words = []
    for file in (video / "name", video / "device/../serial"):
        with contextlib.suppress(OSError):
            words.append(file.read_text(encoding="utf-8", errors="replace").strip())
    return " ".join(words)


def open_camera(settings: Vision, clock: Clock) -> V4lCamera:
    """Open the V4L2 device of the settings; raise PartLost when it is not there or not open."""
    device = open_device(settings)
    return V4lCamera(settings.camera, device, clock, tells_exposure=bool(settings.lux_file))


def open_device(settings: Vision) -> Device:
    """Open it for whoever wants its pictures one by one; raise PartLost likewise."""
    path = settings.camera
    if not Path(path).exists():
        raise PartLost(
            f"camera missing: there is no {path}; plug the camera in,"
            " or name another device at [vision] camera"
        )
    device = cv2.VideoCapture(path, cv2.CAP_V4L2)
    if not device.isOpened():
        raise PartLost(
            f"camera missing: {path} does not open as a camera; is another program using it,"
            " and may this user read it (group video)?"
        )
    device.set(cv2.CAP_PROP_FOURCC, MOTION_JPEG)
    device.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width_px)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height_px)
    device.set(cv2.CAP_PROP_FPS, settings.fps)
    device.set(cv2.CAP_PROP_BUFFERSIZE, QUEUE)
    return cast(Device, device)
