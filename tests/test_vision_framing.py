"""The technician is told when the camera does not have the rider in the picture as it should."""

import math

import pytest

from firmware_app.vision.framing import HOLD_S, Framing

WIDTH_PX, HEIGHT_PX = 640, 480


def rider(size=140.0, x=320.0, y=260.0, tilt_deg=0.0):
    """A rider from the front: the points that are asked for, the others in the middle."""
    places = {0: (0, -1.4), 7: (0.2, -1.4), 8: (-0.2, -1.4)}
    places |= {11: (0.5, -1), 12: (-0.5, -1), 23: (0.3, 0), 24: (-0.3, 0)}
    places |= {25: (0.3, 0.8), 26: (-0.3, 0.8)}
    cos, sin = math.cos(math.radians(tilt_deg)), math.sin(math.radians(tilt_deg))
    points = [places.get(n, (0, 0)) for n in range(33)]
    xs = [x + size * (u * cos - v * sin) for u, v in points]
    ys = [y + size * (u * sin + v * cos) for u, v in points]
    return xs, ys


def watch(framing, points, seconds=10.0, from_s=0.0):
    for n in range(round(seconds * 30)):
        framing.feed(*points, WIDTH_PX, HEIGHT_PX, from_s + n / 30)
    return framing.reason


@pytest.mark.parametrize("view", ["front", "oblique", "side", None])
def test_a_rider_in_the_middle_of_the_picture_is_framed_well(view):
    assert watch(Framing(view), rider()) == ""


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (rider(y=180), "head out of the picture"),
        (rider(y=80), "head out of the picture"),
        (rider(x=40), "shoulders out of the picture"),
        (rider(y=500), "hips out of the picture"),
        (rider(size=50), "too far away"),
        (rider(tilt_deg=12), "camera tilted"),
        (rider(tilt_deg=-12), "camera tilted"),
    ],
)
def test_what_is_wrong_is_said_in_a_few_words(points, reason):
    assert watch(Framing("front"), points) == reason


def test_how_far_away_does_not_depend_on_how_the_camera_is_turned():
    framing = Framing("front")
    for n in range(300):
        framing.feed(*rider(size=60.0, x=240.0), HEIGHT_PX, WIDTH_PX, n / 30)
    assert framing.reason == ""


def test_knees_are_asked_for_from_the_side_only():
    low = rider(y=380)
    assert watch(Framing("side"), low) == "knees out of the picture"
    assert watch(Framing("front"), low) == ""


def test_a_tilt_seen_obliquely_is_perspective():
    assert watch(Framing("oblique"), rider(tilt_deg=15)) == ""


def test_a_rider_who_ducks_out_for_a_moment_is_not_a_fault_of_the_camera():
    framing = Framing("front")
    watch(framing, rider())
    assert watch(framing, rider(y=180), HOLD_S / 2, 10) == ""
    assert watch(framing, rider(), 5, 11) == ""


def test_a_camera_put_right_is_told_as_right():
    framing = Framing("front")
    assert watch(framing, rider(y=180))
    assert watch(framing, rider(), HOLD_S + 1, 10) == ""


def test_one_shoulder_raised_is_no_tilt_of_the_camera():
    x, y = rider()
    y[11] -= 40
    assert watch(Framing("front"), (x, y)) == ""
