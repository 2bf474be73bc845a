"""The vision service as its own process: without a network, without a disk, whatever the camera."""

import asyncio
import contextlib
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from firmware_app.clock import MachineClock
from firmware_app.commands.demo import RIDES
from firmware_app.errors import PartLost
from firmware_app.hardware import Frame
from firmware_app.services.vision import VisionService
from firmware_app.settings import Paths, Settings
from firmware_app.sockets import Visit
from firmware_app.vision.choice import Choice
from firmware_app.vision.eye import Eye
from firmware_app.vision.models import LANDMARKS
from firmware_app.vision.offline import frames
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video
from firmware_app.wire import CameraState, FromVision, PoseFrame, Reader, Touch

RIDER = Path(__file__).parent / "recordings" / "rider_front.mp4"
MODELS = Path(__file__).parents[1] / ".cache" / "models"
BIKEBOX = [sys.executable, "-m", "firmware_app.cli", "vision"]
ALONE = ["unshare", "--map-root-user", "--net"]
"""A network namespace of its own, with nothing in it, not even loopback."""
PATIENCE_S = 30
NO_FILES = ["prlimit", "--fsize=0"]
"""Not a byte may be written to any file; a socket is none."""


class Bike:
    """A folder with settings, and vision running in it."""

    def __init__(self, folder, camera, more=""):
        self.socket = folder / "vision.sock"
        self.config = folder / "bikebox.toml"
        self.config.write_text(
            f'box = "b1"\n[paths]\nrun = "{folder}"\nstate = "{folder}"\nmodels = "{MODELS}"\n'
            f'[vision]\ncamera = "{camera}"\n{more}'
        )
        self.process = None

    def start(self, *, alone=()):
        self.process = subprocess.Popen(
            [*NO_FILES, *alone, *BIKEBOX, "--config", str(self.config)],
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    async def told_until(self, enough):
        """Return what vision told until that is enough."""
        reader, told = Reader(FromVision), []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(PartLost):
                    async for line in Visit(self.socket).lines():
                        told.append(reader.read(line))
                        if enough(told):
                            return told
                await asyncio.sleep(0.05)

    def listen(self, enough):
        return asyncio.run(self.told_until(enough))

    def stop(self):
        """Ask it to stop; return its exit code and its last words."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


@pytest.fixture
def bike(tmp_path):
    bikes = []

    def make(camera, more=""):
        bikes.append(Bike(tmp_path, camera, more))
        return bikes[-1]

    yield make
    for made in bikes:
        if made.process and made.process.poll() is None:
            made.process.kill()
            made.process.communicate()


def poses(told):
    return [message for message in told if isinstance(message, PoseFrame)]


def states(told):
    return [message for message in told if isinstance(message, CameraState)]


def test_vision_works_without_a_network_and_writes_no_file(bike, tmp_path):
    assert shutil.which("unshare"), "unshare (util-linux) is needed to prove it"
    vision = bike(RIDER).start(alone=ALONE)
    told = vision.listen(lambda told: len(poses(told)) >= 20)
    assert all(len(pose.landmarks) == 33 for pose in poses(told))
    numbers = [pose.frame for pose in poses(told)]
    assert numbers == sorted(set(numbers))
    assert vision.stop()[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"bikebox.toml"}


def test_auto_takes_a_model_by_time_and_tells_the_technician_why(bike):
    vision = bike(RIDER, 'model = "auto"\n').start()
    told = vision.listen(lambda told: any(state.fps > 0 for state in states(told)))
    state = states(told)[-1]
    assert state.model in LANDMARKS
    assert "ms a frame" in state.model_why
    stages = {"capture", "decode", "wait", "detect", "landmark", "send"}
    assert set(state.stages_histogram) == set(state.stages_total_s) == stages
    assert len({sum(counts) for counts in state.stages_histogram.values()}) == 1
    assert sum(state.stages_histogram["landmark"]) > 0
    assert state.stages_total_s["landmark"] > 0
    code, said = vision.stop()
    assert code == 0
    assert "model_chosen" in said


def test_when_the_recording_is_over_vision_stays_and_says_so(bike):
    vision = bike(RIDER).start()
    told = vision.listen(lambda told: any(s.why == "recording over" for s in states(told)))
    assert not states(told)[-1].ok
    assert any(state.ok and state.fps > 10 for state in states(told))
    assert vision.process.poll() is None
    late = vision.listen(states)
    assert late[0].why == "recording over", "a new visitor is told at once"
    assert vision.stop()[0] == 0


def test_a_missing_camera_is_waited_for(bike):
    vision = bike("/dev/bikebox/nothing-here").start()
    told = vision.listen(lambda told: any(s.why == "camera missing" for s in states(told)))
    assert not states(told)[-1].ok
    assert vision.process.poll() is None
    code, said = vision.stop()
    assert code == 0
    assert said.count("part_lost") == 1, "said once, not at every try"
    assert "plug the camera in" in said


def test_a_file_that_cannot_play_is_for_the_technician(bike, tmp_path):
    (tmp_path / "broken.mp4").write_text("not a film")
    vision = bike(tmp_path / "broken.mp4").start()
    _, said = vision.process.communicate(timeout=PATIENCE_S)
    assert vision.process.returncode == 78
    assert "cannot be played" in said
    assert "Traceback" not in said


def test_a_rider_who_turns_the_camera_off_is_not_watched_until_it_is_on_again(bike):
    watched = bike(RIDES / "front.mp4").start()

    async def touch_until(action, enough):
        visit, reader, told = Visit(watched.socket), Reader(FromVision), []
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(PartLost):
                    async for line in visit.lines():
                        visit.tell(Touch(t_s=0.0, action=action))
                        told.append(reader.read(line))
                        if enough(told):
                            return told
                await asyncio.sleep(0.05)

    def off(told):
        return isinstance(told[-1], CameraState) and told[-1].why == "camera is off"

    asyncio.run(touch_until("camera_on", lambda told: isinstance(told[-1], PoseFrame)))
    asyncio.run(touch_until("camera_off", off))
    quiet = watched.listen(lambda told: len(told) == 3)
    assert not [message for message in quiet if isinstance(message, PoseFrame)]
    asyncio.run(touch_until("camera_on", lambda told: isinstance(told[-1], PoseFrame)))
    assert watched.stop()[0] == 0


class Hasty:
    """A camera of which two pictures in three are overtaken."""

    def __init__(self, clock):
        self.clock = clock
        self.picture = next(frames(Video(RIDER))).bgr.copy()
        self.number = 0

    def newest(self):
        self.clock.block(0.03)
        self.number += 3
        return Frame(self.picture, self.clock.monotonic(), self.number)

    def close(self):
        pass


def test_a_box_that_misses_frames_goes_to_a_lighter_model_without_losing_the_rider(tmp_path):
    clock = MachineClock()
    settings = Settings(box="b1", paths=Paths(run=str(tmp_path), models=str(MODELS)))
    eye = Eye(load_tracker(MODELS, "full"))
    choice = Choice("full", 1, "as the test wants it")
    service = VisionService(settings, eye, lambda: Hasty(clock), clock, choice)
    heavy = eye.tracker.landmarker

    async def watch():
        serving = asyncio.create_task(service.run())
        reader = Reader(FromVision)
        async with asyncio.timeout(PATIENCE_S):
            while not settings.vision_socket.exists():  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
            async for line in Visit(settings.vision_socket).lines():
                told = reader.read(line)
                if isinstance(told, PoseFrame):
                    assert len(told.landmarks) == 33
                    if eye.tracker.landmarker is not heavy:
                        break
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(watch())
    state = service._state()
    assert state.model == "lite"
    assert "frames missed in a second" in state.model_why


class Stuck(Hasty):
    """A camera whose driver never returns from the fourth picture on, until it is let go."""

    def __init__(self, clock):
        super().__init__(clock)
        self.let_go = threading.Event()

    def newest(self):
        if self.number >= 9:
            self.let_go.wait(PATIENCE_S)
            return None
        return super().newest()


def test_a_camera_that_is_stuck_stops_feeding_the_watchdog_though_vision_still_tells(
    tmp_path, monkeypatch
):
    fed = []
    monkeypatch.setattr("firmware_app.services.vision.notify", fed.append)
    monkeypatch.setattr("firmware_app.services.vision.STATE_S", 0.1)
    clock = MachineClock()
    settings = Settings(box="b1", paths=Paths(run=str(tmp_path), models=str(MODELS)))
    camera = Stuck(clock)
    service = VisionService(settings, Eye(load_tracker(MODELS, "lite")), lambda: camera, clock)

    async def watch():
        serving = asyncio.create_task(service.run())
        async with asyncio.timeout(PATIENCE_S):
            while camera.number < 9:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.02)
            told, before, reader = 0, 0, Reader(FromVision)
            async for line in Visit(settings.vision_socket).lines():
                told += isinstance(reader.read(line), CameraState)
                if told == 10:  # the last picture has been looked at
                    before = fed.count("WATCHDOG=1")
                if told == 25:
                    break
        camera.let_go.set()
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        return before

    before = asyncio.run(watch())
    assert fed[0] == "READY=1"
    assert before > 0
    assert fed.count("WATCHDOG=1") == before
