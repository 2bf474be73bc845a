"""The camera and its stand-in: the newest picture, its true time, and what is said when it goes."""

import threading
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from firmware_app.clock import HandClock, MachineClock
from firmware_app.errors import BadInput, PartLost, PartSlow
from firmware_app.hardware import Exposure
from firmware_app.parts import make_camera
from firmware_app.real import camera as real_camera
from firmware_app.real.camera import V4lCamera
from firmware_app.settings import Vision
from firmware_app.sim.camera import SimCamera

RIDER = Path(__file__).parent / "recordings" / "rider_front.mp4"
FRAMES = 62


@pytest.fixture
def clock():
    clock = HandClock()
    clock.advance(100.0)
    return clock


class Device:
    """A V4L2 device in the hand of the test: give() lets it deliver one picture."""

    def __init__(self):
        self.pictures = []
        self.more = threading.Condition()
        self.stamp_s = 0.0
        self.released = threading.Event()
        self.here = None

    def give(self, picture, stamp_s=0.0):
        with self.more:
            self.pictures.append((picture, stamp_s))
            self.more.notify()

    def grab(self):
        with self.more:
            if not self.more.wait_for(lambda: self.pictures, 0.5):
                return False
            self.here, self.stamp_s = self.pictures.pop(0)
            return self.here is not None

    def retrieve(self, _into):
        return len(self.here) > 0, self.here

    def get(self, what):
        return {cv2.CAP_PROP_EXPOSURE: 156.0, cv2.CAP_PROP_GAIN: 20.0}.get(
            what, self.stamp_s * 1000
        )

    def release(self):
        self.released.set()


def picture(seed):
    return np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)


# a recording ------------------------------------------------------------------------------------


def test_a_recording_plays_in_its_own_time(clock):
    camera = SimCamera(RIDER, 100.0, clock)
    seen = [camera.newest() for _ in range(5)]
    assert [frame.number for frame in seen] == [0, 1, 2, 3, 4]
    assert seen[4].t_s == pytest.approx(100 + 4 / 15)
    assert clock.monotonic() == pytest.approx(100 + 4 / 15)
    assert seen[4].bgr.shape == (480, 640, 3)


def test_pictures_that_were_overtaken_are_skipped(clock):
    camera = SimCamera(RIDER, 100.0, clock)
    camera.newest()
    clock.advance(1.01)
    frame = camera.newest()
    assert frame.number == 15
    assert clock.monotonic() - frame.t_s < 1 / 15


def test_a_recording_ends_once(clock):
    camera = SimCamera(RIDER, 100.0, clock)
    count = 0
    while camera.newest() is not None:
        count += 1
    assert count == FRAMES
    assert camera.newest() is None
    camera.close()
    camera.close()


def test_after_a_crash_the_recording_is_where_it_would_be_now(clock):
    clock.advance(2.0)
    frame = SimCamera(RIDER, 100.0, clock).newest()
    assert abs(frame.number - 30) <= 1
    assert frame.t_s == pytest.approx(100 + frame.number / 15)


def test_after_a_crash_past_its_end_the_recording_is_over(clock):
    clock.advance(60.0)
    camera = SimCamera(RIDER, 100.0, clock)
    assert [camera.newest() for _ in range(3)][-1] is None


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "no video at"), (b"", "is empty"), (b"not a film" * 100, "cannot be played")],
)
def test_a_recording_that_cannot_be_played_is_a_sentence(tmp_path, clock, content, words):
    path = tmp_path / "ride.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInput, match=f"{words}.*") as caught:
        make_camera(Vision(camera=str(path)), clock, 100.0)
    assert str(path) in str(caught.value)


def test_half_a_recording_is_a_sentence(tmp_path, clock):
    path = tmp_path / "half.mp4"
    path.write_bytes(RIDER.read_bytes()[:600])
    with pytest.raises(BadInput, match="copied whole"):
        SimCamera(path, 100.0, clock)


# a USB camera -----------------------------------------------------------------------------------


@pytest.fixture
def device():
    return Device()


@pytest.fixture
def camera(device):
    camera = V4lCamera("/dev/video9", device, MachineClock())
    device.give(picture(99))  # the first one shows only that the second differs
    yield camera
    device.give(None)
    camera.close()


def test_a_picture_carries_the_kernels_time(camera, device):
    now_s = MachineClock().monotonic()
    device.give(picture(1), now_s - 0.02)
    assert camera.newest().t_s == pytest.approx(now_s - 0.02, abs=1e-3)


def test_a_camera_whose_clock_makes_no_sense_is_timed_by_ours(camera, device):
    now_s = MachineClock().monotonic()
    device.give(picture(1), 1e9)
    assert camera.newest().t_s == pytest.approx(now_s, abs=0.5)


def test_exposure_is_asked_for_once_a_second_where_lux_is_told(device):
    camera = V4lCamera("/dev/video9", device, MachineClock(), tells_exposure=True)
    device.give(picture(99))
    told = []
    for seed in range(3):
        device.give(picture(seed))
        told.append(camera.newest().exposure)
    assert told == [Exposure("", pytest.approx(0.0156), 20.0), None, None]
    device.give(None)
    camera.close()


def test_exposure_is_not_asked_for_where_nobody_needs_it(camera, device):
    device.give(picture(1))
    assert camera.newest().exposure is None


def test_a_slow_model_never_sees_an_old_picture(camera, device):
    for seed in range(5):
        device.give(picture(seed))
    while device.pictures or camera._newest is None or camera._newest.number < 4:
        threading.Event().wait(0.001)
    frame = camera.newest()
    assert frame.number == 4
    assert np.array_equal(frame.bgr, picture(4))


def test_an_unplugged_camera_is_lost_with_words_for_the_screen(camera, device):
    device.give(picture(1))
    camera.newest()
    device.give(None)
    with pytest.raises(PartLost, match="^camera unplugged: /dev/video9"):
        camera.newest()
    assert device.released.wait(1)


def test_one_damaged_picture_does_not_lose_the_camera(camera, device):
    device.give(picture(1))
    camera.newest()
    device.give(np.zeros((0, 0, 3), np.uint8))
    device.give(picture(2))
    assert np.array_equal(camera.newest().bgr, picture(2))


class Still(Device):
    """Delivers one picture over and over, half a second apart on the test's clock."""

    def __init__(self, clock, still):
        super().__init__()
        self.clock, self.still, self.left = clock, still, 12

    def grab(self):
        self.here = self.still
        self.clock.advance(0.5)
        self.left -= 1
        return self.left > 0


def last_words(camera):
    try:
        while True:
            camera.newest()
    except PartLost as error:
        return str(error)


def test_a_camera_that_repeats_one_picture_is_frozen(clock):
    assert last_words(V4lCamera("/dev/video9", Still(clock, picture(1)), clock)).startswith(
        "camera frozen"
    )


def test_a_hung_camera_that_is_opened_anew_gives_no_picture(clock):
    camera = V4lCamera("/dev/video9", Still(clock, picture(1)), clock)
    with pytest.raises(PartLost, match="^camera frozen"):
        camera.newest()


def test_a_driver_that_breaks_its_own_rules_is_a_lost_camera(camera, device):
    def broken():
        raise cv2.error("an assertion failed")

    device.grab = broken
    device.give(picture(1))
    assert last_words(camera).startswith("camera unplugged")
    assert device.released.wait(1)


def test_a_covered_lens_is_not_a_frozen_camera(clock):
    black = np.zeros((48, 64, 3), np.uint8)
    assert last_words(V4lCamera("/dev/video9", Still(clock, black), clock)).startswith(
        "camera unplugged"
    )


def test_a_camera_without_pictures_is_too_slow(monkeypatch, camera):
    monkeypatch.setattr(real_camera, "FIRST_PATIENCE_S", 0.05)
    with pytest.raises(PartSlow, match="^camera too slow: .*another USB port"):
        camera.newest()


def test_a_missing_camera_says_what_to_do(clock):
    with pytest.raises(PartLost, match="^camera missing: .*plug the camera in"):
        make_camera(Vision(camera="/dev/bikebox/nothing-here"), clock, 0.0)


def test_a_camera_another_program_holds_says_so(monkeypatch, clock):
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: SimpleNamespace(isOpened=lambda: False))
    with pytest.raises(PartLost, match="^camera missing: .*another program"):
        make_camera(Vision(camera="/dev/null"), clock, 0.0)
