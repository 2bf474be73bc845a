"""The light of a gym is turned down: no pose that the dark has spoilt is trusted, no good one lost.

The camera is a model: light to electrons, their shot noise and the sensor's own, then eight bits,
with and without a gain that hides the dark.
"""

from pathlib import Path

import numpy as np
import pytest

from firmware_app.hardware import Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.offline import frames
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video

RECORDINGS = Path(__file__).parent / "recordings"
MODELS = Path(__file__).parents[1] / ".cache" / "models"
FULL_WELL, READ_NOISE = 8000, 6.0
"""Electrons, of a small pixel of a USB camera."""
GAMMA = 2.2
LINEAR = ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
PICTURES, EVERY = 12, 3
"""Of the recording, 15 a second."""
STOPS = range(10)
"""Halvings of the light."""
BRIGHT = 2
TRUSTED = 0.9
"""Least share of visible points within a tenth of the torso of where they are in good light."""


def darken(picture, stops, rng, *, gain):
    light = 0.5**stops
    electrons = LINEAR[picture] * np.float32(FULL_WELL * light)
    noise = rng.standard_normal(electrons.shape, np.float32)
    electrons += noise * np.sqrt(electrons + READ_NOISE**2)
    level = np.clip(electrons / (FULL_WELL * (light if gain else 1)), 0, 1)
    return (level ** (1 / GAMMA) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def tracker():
    return load_tracker(MODELS)


@pytest.fixture(scope="module", params=["rider_front", "rider_side"])
def sweep(request, tracker):
    """Return for both gains and each stop: frames called too dark, and points that lie right."""
    film = frames(Video(RECORDINGS / f"{request.param}.mp4"))
    pictures = [frame.bgr.copy() for frame, _ in zip(film, range(PICTURES * EVERY), strict=False)]
    pictures = pictures[::EVERY]
    tracker.reset()
    truth = [tracker.see(picture, n / 5).landmarks for n, picture in enumerate(pictures)]
    rng = np.random.default_rng(1)
    return {
        (gain, stops): judge(
            tracker, [darken(picture, stops, rng, gain=gain) for picture in pictures], truth
        )
        for gain in (False, True)
        for stops in STOPS
    }


def judge(tracker, pictures, truth):
    tracker.reset()
    eye = Eye(tracker)
    dark = right = points = 0
    for n, (picture, true) in enumerate(zip(pictures, truth, strict=True)):
        seen = eye.look(Frame(picture, n / 5, n))
        dark += seen.too_dark
        visible = true[:, 3] > 0.5
        torso_px = np.linalg.norm(true[[11, 12], :2].mean(axis=0) - true[[23, 24], :2].mean(axis=0))
        points += visible.sum()
        if seen.landmarks:
            at = np.array([(point.x_px, point.y_px) for point in seen.landmarks])
            right += (np.linalg.norm(at - true[:, :2], axis=1) < 0.1 * torso_px)[visible].sum()
    return dark, right / points


def test_no_pose_that_the_dark_has_spoilt_is_trusted(sweep):
    spoilt = {at: dark for at, (dark, right) in sweep.items() if right < TRUSTED}
    assert spoilt, "the sweep reaches the dark"
    assert set(spoilt.values()) == {PICTURES}


def test_good_light_is_never_refused(sweep):
    assert all(dark == 0 for (_, stops), (dark, _) in sweep.items() if stops <= BRIGHT)


def test_the_darker_the_room_the_surer_the_verdict(sweep):
    for gain in (False, True):
        verdicts = [sweep[gain, stops][0] for stops in STOPS]
        assert verdicts == sorted(verdicts)
        assert verdicts[0] == 0
        assert verdicts[-1] == PICTURES
