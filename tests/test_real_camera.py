"""Vision with OpenCV's own V4L2 code, and a USB camera that is played under it (fake_camera.c).

No kernel module plays a camera here, so the calls to the kernel are answered instead: what is asked
of the camera, what its unplugging and plugging in again does, and that a hung one is noticed.
"""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import pytest
from test_real_vision import RIDER, Bike, poses, states

from firmware_app.vision.video import Video

SOURCE = Path(__file__).parent / "fake_camera.c"
PICTURES = 10
BACK_S = 2.0
"""A camera that is plugged in again gives poses within this."""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    library = tmp_path_factory.mktemp("driver") / "fake_camera.so"
    compiler = shutil.which("gcc")
    assert compiler, "gcc is needed to make the camera: apt-get install gcc libc6-dev"
    flags = ["-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, str(SOURCE), "-o", str(library)], check=True)
    return library


class UsbCamera:
    """A camera below /dev, in the hand of the test."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "video"
        film = Video(RIDER)
        for n in range(PICTURES):
            film.advance()
            cv2.imwrite(str(folder / f"{n}.jpg"), film.picture())
        film.close()
        self.plug_in()

    def plug_in(self):
        self.path.touch()

    def unplug(self):
        self.path.unlink()

    def hang(self, *, on):
        frozen = self.folder / "frozen"
        frozen.touch() if on else frozen.unlink()

    def asked(self):
        return [path.name[11:] for path in sorted(self.folder.glob("asked-*"))]


@pytest.fixture
def usb():
    folder = Path(tempfile.mkdtemp(prefix="bikebox-", dir="/dev/shm"))
    yield UsbCamera(folder)
    shutil.rmtree(folder)


@pytest.fixture
def vision(tmp_path, usb, driver, monkeypatch):
    monkeypatch.setenv("FAKE_CAMERA", str(usb.folder))
    monkeypatch.setenv("LD_PRELOAD", str(driver))
    bike = Bike(tmp_path, usb.path)
    bike.start()
    yield bike
    monkeypatch.undo()
    if bike.process.poll() is None:
        bike.stop()


def seen(told):
    return [pose for pose in poses(told) if pose.landmarks]


def says(why):
    return lambda told: bool(states(told)) and states(told)[-1].why == why


def test_motion_jpeg_of_640_by_480_is_asked_for_and_looked_at_in_the_kernels_time(vision, usb):
    told = vision.listen(lambda told: len(seen(told)) > 20 and any(s.fps for s in states(told)))
    assert usb.asked()[-2:] == ["MJPG-640-480", "fps-30-1"]
    assert (poses(told)[-1].width_px, poses(told)[-1].height_px) == (640, 480)
    assert states(told)[-1].stages_ms["decode"] > 0
    steps_s = [b.t_s - a.t_s for a, b in zip(poses(told), poses(told)[1:], strict=False)]
    assert all(30 * step_s == pytest.approx(round(30 * step_s), abs=0.01) for step_s in steps_s)


def test_a_camera_that_is_pulled_out_is_told_and_back_within_two_seconds(vision, usb):
    vision.listen(seen)
    usb.unplug()
    vision.listen(says("camera unplugged"))
    gone = vision.listen(lambda told: len(states(told)) == 3)
    assert {state.why for state in states(gone)} == {"camera unplugged"}
    plugged_in_s = time.monotonic()
    usb.plug_in()
    back = vision.listen(seen)
    assert seen(back)[0].t_s - plugged_in_s < BACK_S


def test_a_camera_that_hangs_is_told_and_never_looked_at_until_it_lives(vision, usb):
    vision.listen(seen)
    usb.hang(on=True)
    vision.listen(says("camera frozen"))
    opened = len(usb.asked())
    still = vision.listen(lambda _told: len(usb.asked()) > opened + 16)  # opened anew, twice
    assert not poses(still)
    usb.hang(on=False)
    assert seen(vision.listen(seen))
