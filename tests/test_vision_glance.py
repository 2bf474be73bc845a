"""While nothing moves nothing is looked at again, and what moves is never missed for long."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_app.vision.glance import HOLDS_S, PAUSE_S, Glance
from firmware_app.vision.offline import frames
from firmware_app.vision.region import Region
from firmware_app.vision.tracker import IDLE_S, SEARCH_S, load_tracker
from firmware_app.vision.video import Video
from tests.test_vision_pose import EMPTY_ROOM, MODELS, RECORDINGS

FRAME_S = 1 / 30
MIDDLE = Region(320, 240, 300, 0.1)


def room(seed=0, noise=0.0):
    rng = np.random.default_rng(seed)
    picture = np.full((480, 640, 3), 120.0)
    picture[100:400, 250:390] = 60
    return np.clip(picture + rng.normal(0, noise, picture.shape), 0, 255).astype(np.uint8)


def glances(pictures, region=MIDDLE):
    glance = Glance()
    return [glance.still(picture, n * FRAME_S, region) for n, picture in enumerate(pictures)]


def test_a_still_picture_is_looked_at_five_times_a_second():
    still = glances([room(n, noise=2) for n in range(60)])
    assert not still[0]
    assert 60 - sum(still) == pytest.approx(60 * FRAME_S / HOLDS_S, abs=1)


def test_a_hand_that_moves_is_looked_at_at_once():
    moved = room()
    moved[200:230, 400:420] = 60
    assert glances([room(), room(), moved]) == [False, True, False]


def test_what_moves_is_looked_at_in_every_picture_and_hardly_glanced_at(monkeypatch):
    glance = Glance()
    taken = []
    monkeypatch.setattr(
        "firmware_app.vision.glance._blocks", lambda part: taken.append(1) or part[:30, :40].copy()
    )
    for n in range(60):
        assert not glance.still(np.full_like(room(), 9 * n % 250), n * FRAME_S, MIDDLE)
    assert len(taken) <= 2 * (1 + 60 * FRAME_S / PAUSE_S)


def test_somebody_behind_the_rider_does_not_count():
    passer = room()
    passer[100:400, 20:90] = 200
    assert glances([room(), passer]) == [False, True]
    assert glances([room(), passer], region=None) == [False, False], "while nobody is followed"


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.floats(-200, 200),
    st.floats(-200, 200),
    st.floats(8, 500),
)
def test_any_window_of_any_picture_can_be_glanced_at(shape, x, y, size):
    picture = np.zeros((*shape, 3), np.uint8)
    assert glances([picture, picture], Region(x, y, size, 0.0)) == [False, True]


# with the models --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tracker():
    return load_tracker(MODELS)


def rider(n):
    film = frames(Video(RECORDINGS / "rider_front.mp4"))
    for _ in range(n):
        frame = next(film)
    return frame.bgr.copy()


def look_at(tracker, picture, frames):
    """Return the points that are in the picture, frame by frame, and the looks they took."""
    tracker.reset()
    looks, points = 0, []
    for n in range(frames):
        pose = tracker.see(picture, n * FRAME_S)
        looks += tracker.landmark_s > 0
        points.append(pose.landmarks[:15, :2])
    return np.array(points), looks


def test_a_rider_who_rests_is_where_all_looks_would_see_them_for_a_few(tracker, monkeypatch):
    picture = rider(10)
    seen, looks = look_at(tracker, picture, 60)
    assert looks <= PAUSE_S / FRAME_S + (60 * FRAME_S - PAUSE_S) / HOLDS_S + 2
    monkeypatch.setattr(tracker, "_glance", Glance())
    monkeypatch.setattr(Glance, "still", lambda *_: False)
    known, looks = look_at(tracker, picture, 60)
    assert looks == 60
    assert np.linalg.norm(seen - known, axis=2).max() < 3, "px of 640, a fiftieth of the torso"


def test_a_rider_who_moves_is_looked_at_in_every_frame(tracker):
    tracker.reset()
    for n, frame in zip(range(30), frames(Video(RECORDINGS / "rider_front.mp4")), strict=False):
        tracker.see(frame.bgr, n / 15)
        assert tracker.landmark_s > 0


def test_an_empty_bike_is_searched_now_and_then_and_a_rider_found_soon(tracker):
    tracker.reset()
    searches = 0
    busy = [
        np.roll(EMPTY_ROOM // (1 + (np.arange(640) // 80 % 2)[:, None]), 40 * n, 1) for n in (0, 1)
    ]
    n = 0
    while n * FRAME_S < IDLE_S + 2:
        assert tracker.see(busy[n % 2].astype(np.uint8), n * FRAME_S) is None
        searches += tracker.detect_s > 0 and n * FRAME_S > IDLE_S
        n += 1
    assert searches <= 1 + 2 / SEARCH_S
    seen = [tracker.see(rider(10), (n + k) * FRAME_S) for k in range(round(SEARCH_S / FRAME_S) + 2)]
    assert seen[-1] is not None
