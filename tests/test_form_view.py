"""Where the camera stands is found from the rider, on recorded riders and never on a guess."""

from pathlib import Path

import pytest
from msgspec import structs

from firmware_app.clock import HandClock
from firmware_app.evaluation.labels import clips, recorded
from firmware_app.form.catalogue import POSTURE
from firmware_app.form.reasons import ELSEWHERE
from firmware_app.form.view import SURE_S, ViewFinder
from firmware_app.ride.events import Finish, Tick
from firmware_app.services.ride import RideService
from firmware_app.settings import Paths, Settings, Vision
from firmware_app.wire import Landmark, PoseFrame

RECORDINGS = Path(__file__).parent / "recordings"


def rider(t_s, ahead=0.0, apart=1.0, **more):
    """A trunk of 200 px, the shoulders ahead of the hips and apart by shares of it."""
    down = (1 - ahead**2) ** 0.5
    points = [Landmark(320.0, 240.0, 0.0, 0.9, 0.9)] * 33
    for n, side in ((0, 0.5), (1, -0.5)):
        points[11 + n] = Landmark(320 + 200 * (ahead + side * apart), 100.0, 0.0, 0.9, 0.9)
        points[23 + n] = Landmark(320 + 60 * side, 100 + 200 * down, 0.0, 0.9, 0.9)
    fields = {"landmarks": tuple(points), **more}
    return PoseFrame(t_s=t_s, frame=0, width_px=640, height_px=480, **fields)


def found(seconds=6.0, **at):
    finder = ViewFinder()
    for n in range(int(seconds * 15)):
        finder.see(rider(n / 15, **at))
    return finder.found


@pytest.mark.parametrize("name", ["front_clean", "front_shrug_head_drop", "side_elbows_back_head"])
def test_a_recorded_rider_tells_where_the_camera_stands_all_ride_long(name):
    (clip,) = [one for one in clips(RECORDINGS) if one.recording.stem == name]
    finder, said = ViewFinder(), set()
    for frame in recorded(clip.recording, clip.label):
        finder.see(frame)
        if frame.t_s > SURE_S + 1:
            said.add(finder.found)
    assert clip.label.view in said
    assert said <= {clip.label.view, None}


@pytest.mark.parametrize(
    ("ahead", "apart", "view"),
    [(0.05, 1.2, "front"), (0.33, 0.7, "oblique"), (-0.33, 0.7, "oblique"), (0.6, 0.1, "side"),
     (-0.6, 0.1, "side"), (0.3, 0.1, "side"), (0.18, 0.9, None), (0.1, 0.1, None),
     (0.5, 0.4, None)],
)  # fmt: skip
def test_the_three_views_and_what_is_between_them(ahead, apart, view):
    assert found(ahead=ahead, apart=apart) == view


def test_a_rider_seen_from_behind_is_none_of_the_views():
    assert found(ahead=0.05, apart=-1.2) is None
    assert found(ahead=0.33, apart=-0.7) is None
    assert found(ahead=0.6, apart=-0.1) == "side"


def test_a_glimpse_of_nobody_or_darkness_tells_nothing():
    assert found(seconds=2.0) is None
    assert found(landmarks=()) is None
    assert found(too_dark=True) is None
    assert found(jumped=True) is None


def test_a_camera_that_was_turned_is_noticed():
    finder = ViewFinder()
    for n in range(600):
        at = {} if n < 300 else {"ahead": 0.6, "apart": 0.1}
        finder.see(structs.replace(rider(n / 15, **at)))
        if n == 290:
            assert finder.found == "front"
    assert finder.found == "side"


# the ride service --------------------------------------------------------------------------------


def looked_at(tmp_path, view, ride=True, **at):
    """A ride service whose camera is set up so, and has looked at a rider like this."""
    settings = Settings(
        box="b1", paths=Paths(run=str(tmp_path), state=str(tmp_path)), vision=Vision(view=view)
    )
    service = RideService(settings, None, HandClock(), "boot")
    if ride:
        service._begin((0.0, 0.7, 1.4))
    for n in range(90):
        service._see(rider(2 + n / 15, **at))
    return service


def test_a_camera_that_sees_from_elsewhere_is_told_and_nothing_is_judged(tmp_path):
    service = looked_at(tmp_path, "front", ahead=0.6, apart=0.1)
    service._feed(Tick(t_s=8.0))
    form = service._ride._form
    assert {form.why[rule] for rule in POSTURE} == {ELSEWHERE}
    assert 'set [vision] view = "side"' in service._parts.view
    service._feed(Finish(t_s=9.0, why="power off"))


def test_where_the_camera_stands_is_found_when_nobody_has_said_it(tmp_path):
    service = looked_at(tmp_path, "auto", ride=False, ahead=0.33, apart=0.7)
    service._begin((9.0, 9.7, 10.4))
    assert service._ride.setup.view == "oblique"
    assert not service._parts.view
    service._feed(Finish(t_s=11.0, why="power off"))
