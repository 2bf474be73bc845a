"""The coach is told when the picture is too dark to judge a rider by."""

from pathlib import Path

import numpy as np
import pytest

from firmware_app.vision.offline import frames
from firmware_app.vision.seeing import Light, signal_to_noise_db
from firmware_app.vision.video import Video

RECORDINGS = Path(__file__).parent / "recordings"
GREY_WEDGE = np.tile(np.linspace(20, 220, 640).astype(np.uint8)[None, :, None], (480, 1, 3))


def watch(name):
    light = Light()
    for frame in frames(Video(RECORDINGS / f"{name}.mp4")):
        light.feed(frame.bgr, frame.t_s)
    return light


def test_a_rider_in_a_dark_room_is_too_dark_to_judge():
    light = watch("rider_dark")
    assert light.too_dark
    assert light.snr_db < 24


@pytest.mark.parametrize("name", ["rider_front", "rider_side"])
def test_a_rider_in_a_lit_room_is_not(name):
    light = watch(name)
    assert not light.too_dark
    assert light.snr_db > 30


@pytest.mark.parametrize("noise", [5.0, 10.0])
def test_noise_is_measured_as_it_was_made(noise):
    grain = np.random.default_rng(1).normal(0, noise, (480, 640, 1))
    picture = np.clip(GREY_WEDGE + grain, 0, 255).astype(np.uint8)
    contrast = 0.9 * 200
    assert signal_to_noise_db(picture) == pytest.approx(20 * np.log10(contrast / noise), abs=0.7)


def test_a_bright_picture_full_of_noise_is_too_dark_whatever_its_brightness():
    grain = np.random.default_rng(1).normal(0, 30, (480, 640, 1))
    light = Light()
    light.feed(np.clip(GREY_WEDGE + grain, 0, 255).astype(np.uint8), 0.0)
    assert light.too_dark


def test_a_lens_cap_is_too_dark():
    light = Light()
    light.feed(np.zeros((480, 640, 3), np.uint8), 0.0)
    assert light.too_dark


def test_light_near_the_limit_does_not_make_the_coach_stutter():
    light = Light(24.0, 27.0)
    told = []
    for snr_db in [23.0] * 4 + [25.0, 26.0] * 4 + [28.0] * 4 + [26.0, 25.0] * 4:
        light.judge(snr_db)
        told.append(light.too_dark)
    assert told[:12] == [True] * 12
    assert told[-8:] == [False] * 8


def test_someone_walking_through_the_light_does_not_end_the_coaching():
    light = Light()
    for snr_db in (33.0, 33.0, 33.0, 15.0, 33.0):
        light.judge(snr_db)
        assert not light.too_dark


def test_the_picture_is_weighed_twice_a_second_and_not_at_every_frame(monkeypatch):
    weighed = []
    monkeypatch.setattr(Light, "judge", lambda _self, snr_db: weighed.append(snr_db))
    light = Light()
    for n in range(60):
        light.feed(GREY_WEDGE, n / 30)
    assert len(weighed) == 4


def dim(noise):
    """Return a dim wedge whose brightest twentieth is at 72, with that much noise."""
    grain = np.random.default_rng(1).normal(0, noise, (480, 640, 1))
    return np.clip(GREY_WEDGE / 3 + grain, 0, 255).astype(np.uint8)


def test_a_dim_picture_without_noise_was_smoothed_and_is_as_dark_as_before():
    smoothed, grainy = signal_to_noise_db(dim(0.3)), signal_to_noise_db(dim(5.0))
    assert smoothed == pytest.approx(grainy, abs=1.0)
    assert smoothed < 24


def test_a_dim_picture_with_the_sensors_own_fine_grain_is_no_darker_for_it():
    assert signal_to_noise_db(dim(1.5)) > 25.5


def test_a_bright_picture_without_noise_is_well_lit():
    assert signal_to_noise_db(GREY_WEDGE // 3 + 150) > 25.5
