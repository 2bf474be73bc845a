"""One rider a bike: whoever is suddenly elsewhere is noticed, and the rider is looked for again."""

from pathlib import Path

import numpy as np
import pytest

from firmware_app.hardware import Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.offline import frames
from firmware_app.vision.place import FORGOTTEN_S, STAYS_S, Place, Spot
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video

RECORDINGS = Path(__file__).parent / "recordings"
MODELS = Path(__file__).parents[1] / ".cache" / "models"
RIDER = Spot(320, 260, 140)


def ride(place, seconds, spot=RIDER, from_s=0.0):
    return [place.jumped(spot, from_s + n / 30) for n in range(round(seconds * 30))]


def moved(right=0.0, grown=1.0):
    return Spot(RIDER.x_px + right * RIDER.size_px, RIDER.y_px, RIDER.size_px * grown)


@pytest.mark.parametrize("spot", [moved(0.5), moved(-0.5), moved(0.2, 1.5), moved(0, 0.85)])
def test_a_rider_who_stands_up_or_sways_is_still_the_rider(spot):
    place = Place()
    ride(place, 10)
    assert not any(ride(place, 10, spot, 10))


@pytest.mark.parametrize("spot", [moved(1.2), moved(-1.0), moved(0, 1.8), moved(0, 0.5)])
def test_somebody_elsewhere_or_of_another_size_is_noticed_at_once(spot):
    place = Place()
    ride(place, 10)
    assert all(ride(place, 3, spot, 10))
    assert not any(ride(place, 3, RIDER, 13)), "and the rider is the rider again"


def test_a_track_that_begins_badly_settles_without_a_word():
    place = Place()
    assert not any(ride(place, 0.1, moved(1.2)) + ride(place, 10, RIDER, 0.1))
    assert place.usual.x_px == pytest.approx(RIDER.x_px)
    assert all(ride(place, 1, moved(1.2), 10))


def test_a_moved_camera_is_accepted_after_seconds():
    place = Place()
    ride(place, 10)
    told = ride(place, STAYS_S + 1, moved(1.5), 10)
    assert all(told[: round(STAYS_S * 30)])
    assert not told[-1]


def test_the_next_rider_may_sit_elsewhere():
    place = Place()
    ride(place, 10)
    assert not any(ride(place, 1, moved(1.5), 11 + FORGOTTEN_S))


@pytest.fixture(scope="module")
def tracker():
    return load_tracker(MODELS)


def two_people():
    """A picture of two riders side by side, 640 wide, and where the halves meet."""
    film = frames(Video(RECORDINGS / "rider_front.mp4"))
    rider = next(film).bgr
    half = rider[:, 160:480]
    return np.ascontiguousarray(np.hstack([half, half[:, ::-1]])), 320


@pytest.mark.parametrize("side", ["left", "right"])
def test_of_two_people_the_one_where_the_rider_sat_is_taken(tracker, side):
    picture, middle = two_people()
    x_px = middle / 2 if side == "left" else middle * 1.5
    tracker.reset()
    pose = tracker.see(picture, 0.0, near=Spot(x_px, 260, 140))
    hips_x = pose.points[[23, 24], 0].mean()
    assert (hips_x < middle) == (side == "left")


def test_a_passer_by_does_not_keep_the_track(tracker):
    """The rider is on the right; somebody else alone on the left for a moment, then both."""
    both, middle = two_people()
    alone = both.copy()
    alone[:, middle:] = 128
    only_rider = both.copy()
    only_rider[:, :middle] = 128
    tracker.reset()
    eye = Eye(tracker)
    told = [
        eye.look(Frame(picture, n / 10, n))
        for n, picture in enumerate([only_rider] * 15 + [alone] * 10 + [both] * 15)
    ]
    assert not any(pose.jumped for pose in told[:15])
    assert any(pose.jumped for pose in told[15:25])
    assert all(not pose.landmarks or pose.jumped for pose in told[15:25])
    hips_x = [(pose.landmarks[23].x_px + pose.landmarks[24].x_px) / 2 for pose in told[-3:]]
    assert all(x > middle for x in hips_x), "the rider is found again beside the other"
    assert not any(pose.jumped for pose in told[-3:])


def test_who_walks_on_is_followed_when_nobody_is_at_the_usual_place(tracker):
    both, middle = two_people()
    alone = both.copy()
    alone[:, middle:] = 128
    tracker.reset()
    for n in range(5):
        tracker.see(alone, n / 30)
    tracker.look_back(alone, Spot(480, 260, 140))
    tracker.see(alone, 5 / 30)
    assert tracker.detect_s == 0, "the track goes on"
    tracker.look_back(both, Spot(480, 260, 140))
    pose = tracker.see(both, 6 / 30)
    assert pose.points[[23, 24], 0].mean() > middle
