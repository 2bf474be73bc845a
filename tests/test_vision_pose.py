"""The pose is MediaPipe's own, for less work: compared with what its 0.10.18 said of the clips."""

from pathlib import Path

import numpy as np
import pytest

from firmware_app.hardware import Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.offline import frames, poses
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video

RECORDINGS = Path(__file__).parent / "recordings"
MODELS = Path(__file__).parents[1] / ".cache" / "models"
EMPTY_ROOM = np.full((480, 640, 3), 128, np.uint8)
AS_MEDIAPIPE_S = 1 / 30
"""MediaPipe's Python wrapper takes every video for one of 30 frames a second."""


@pytest.fixture(scope="module")
def tracker():
    return load_tracker(MODELS)


@pytest.fixture(autouse=True)
def nobody_yet(tracker):
    tracker.reset()


def look_like_mediapipe(tracker, name):
    """Return both poses of each frame: ours, theirs [n, 33, 2] px, visibility, world [m]."""
    theirs = np.load(RECORDINGS / f"{name}.mediapipe.npz")
    film = frames(Video(RECORDINGS / f"{name}.mp4"))
    ours = [
        tracker.see(frame.bgr, frame.number * AS_MEDIAPIPE_S)
        for frame, _ in zip(film, theirs["p2"], strict=False)
    ]
    return ours, theirs


@pytest.mark.parametrize("name", ["rider_front", "rider_side"])
def test_a_riders_points_are_where_mediapipe_puts_them(tracker, name):
    ours, theirs = look_like_mediapipe(tracker, name)
    assert len(ours) == len(theirs["p2"]) > 50
    points = np.array([pose.landmarks[:, :2] for pose in ours])
    shoulders, hips = theirs["p2"][:, 11:13].mean(axis=1), theirs["p2"][:, 23:25].mean(axis=1)
    torso_px = np.linalg.norm(shoulders - hips, axis=1)
    off = np.linalg.norm(points - theirs["p2"], axis=2) / torso_px[:, None]
    visible = theirs["vis"] > 0.5
    assert (off[visible] < 0.05).mean() >= 0.99
    assert off[visible].mean() < 0.005


@pytest.mark.parametrize("name", ["rider_front", "rider_side"])
def test_visibility_and_metres_are_mediapipes_too(tracker, name):
    ours, theirs = look_like_mediapipe(tracker, name)
    visibility = np.array([pose.landmarks[:, 3] for pose in ours])
    world = np.array([pose.world for pose in ours])
    assert np.abs(visibility - theirs["vis"]).mean() < 0.005
    assert np.linalg.norm(world - theirs["p3"], axis=2).mean() < 0.005


def test_an_empty_room_has_no_rider(tracker):
    seen = Eye(tracker).look(Frame(EMPTY_ROOM, 0.0, 0))
    assert seen.landmarks == ()
    assert seen.world == ()
    assert (seen.width_px, seen.height_px) == (640, 480)


def test_a_rider_who_leaves_is_gone_in_the_next_frame_and_found_anew(tracker):
    film = frames(Video(RECORDINGS / "rider_front.mp4"))
    there = [tracker.see(next(film).bgr, n / 15) for n in range(3)]
    assert all(pose is not None for pose in there)
    assert tracker.see(EMPTY_ROOM, 3 / 15) is None
    assert tracker.see(EMPTY_ROOM // 2, 4 / 15) is None
    assert tracker.detect_s > 0, "the whole picture is searched again"
    assert tracker.see(next(film).bgr, 5 / 15) is not None


def test_a_new_rider_is_not_smoothed_into_the_last_one(tracker):
    film = frames(Video(RECORDINGS / "rider_front.mp4"))
    first = next(film).bgr.copy()
    fresh = tracker.see(first, 0.0).landmarks
    for n in range(1, 20):
        tracker.see(next(film).bgr, n / 15)
    tracker.see(EMPTY_ROOM, 20 / 15)
    assert np.array_equal(tracker.see(first, 21 / 15).landmarks, fresh)


def test_after_a_gap_in_the_pictures_the_rider_is_looked_for_anew(tracker):
    picture = next(frames(Video(RECORDINGS / "rider_front.mp4"))).bgr
    tracker.see(picture, 0.0)
    tracker.see(picture, 0.1)
    assert tracker.detect_s == 0
    tracker.see(picture, 2.0)
    assert tracker.detect_s > 0


def test_a_pose_in_a_message_is_rounded_to_what_the_model_can_tell(tracker):
    seen = next(poses(RECORDINGS / "rider_side.mp4", tracker))
    assert len(seen.landmarks) == len(seen.world) == 33
    nose = seen.landmarks[0]
    assert nose.x_px == round(nose.x_px, 1)
    assert nose.visibility == round(nose.visibility, 3)
    assert 0 <= nose.presence <= 1
    assert seen.snr_db is not None
