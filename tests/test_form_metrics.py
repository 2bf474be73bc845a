"""One pose measured: the numbers are the rider's, whatever the camera, and short to keep."""

import math

import msgspec
import pytest

from firmware_app.form.metrics import FormMetrics, measure
from firmware_app.wire import Landmark, PoseFrame

FRONT_PX = {
    0: (320, 130), 7: (340, 120), 8: (300, 120), 11: (380, 200), 12: (260, 200),
    13: (400, 280), 14: (240, 280), 15: (390, 350), 16: (250, 350),
    23: (350, 330), 24: (290, 330), 25: (370, 420), 26: (270, 400),
}  # fmt: skip
SIDE_PX = {
    0: (430, 100), 7: (400, 90), 8: (402, 92), 11: (350, 150), 12: (352, 152),
    13: (400, 210), 14: (402, 212), 15: (460, 240), 16: (462, 242),
    23: (250, 260), 24: (252, 262), 25: (350, 330), 26: (352, 332), 27: (310, 430), 28: (312, 432),
}  # fmt: skip


def pose(points_px, hidden=(), **changes):
    landmarks = tuple(
        Landmark(*map(float, points_px.get(i, (-50, -50))), 0.0, 0.1 if i in hidden else 0.9, 1.0)
        for i in range(33)
    )
    told = {"t_s": 5.0, "frame": 1, "width_px": 640, "height_px": 480, "landmarks": landmarks}
    return PoseFrame(**(told | changes))


def mirrored(points_px):
    return {i: (640 - x, y) for i, (x, y) in points_px.items()}


def test_a_rider_in_front_is_measured_in_heights_of_the_picture():
    metrics = measure(pose(FRONT_PX), "front")
    assert not metrics.blind
    assert metrics.trunk.shoulder_span == pytest.approx(120 / 480)
    assert metrics.head.ear_y == pytest.approx(120 / 480)
    assert metrics.hips.y == pytest.approx(330 / 480, abs=1e-4)
    assert metrics.knees.left_x > metrics.knees.right_x


def test_a_bigger_picture_of_the_same_rider_gives_the_same_numbers():
    twice = {i: (2 * x, 2 * y) for i, (x, y) in FRONT_PX.items()}
    assert measure(pose(FRONT_PX), "front") == measure(
        pose(twice, width_px=1280, height_px=960), "front"
    )


def test_from_the_side_it_does_not_matter_which_way_the_rider_faces():
    right = measure(pose(SIDE_PX), "side")
    swapped = {i + (1 if i % 2 else -1) if i else 0: p for i, p in mirrored(SIDE_PX).items()}
    left = measure(pose(swapped), "side")
    assert left.knee_deg == right.knee_deg
    assert left.trunk.shoulder_x - left.hips.x == pytest.approx(
        right.trunk.shoulder_x - right.hips.x
    )


def test_obliquely_it_does_not_matter_which_side_the_camera_is_on():
    tilted = {7: (340, 128), 8: (300, 112), 11: (380, 206), 12: (260, 194)}
    points = FRONT_PX | tilted | {23: (270, 330), 24: (210, 330)}
    swapped = {i + (1 if i % 2 else -1) if i else 0: p for i, p in mirrored(points).items()}
    one, other = (measure(pose(each), "oblique") for each in (points, swapped))
    assert one.head.tilt == other.head.tilt == pytest.approx(16 / 480, abs=1e-4)
    assert one.trunk.shoulder_tilt == other.trunk.shoulder_tilt == pytest.approx(12 / 480, abs=1e-4)


def test_a_straight_leg_has_no_flexion_and_a_right_angle_has_ninety():
    straight = SIDE_PX | {24: (200, 200), 26: (250, 300), 28: (300, 400)}
    assert measure(pose(straight), "side").knee_deg == pytest.approx(0, abs=0.1)
    bent = SIDE_PX | {24: (200, 300), 26: (300, 300), 28: (300, 400)}
    assert measure(pose(bent), "side").knee_deg == pytest.approx(90, abs=0.1)


def test_hidden_knees_are_left_out_and_the_rest_is_kept():
    metrics = measure(pose(FRONT_PX, hidden=(25,)), "front")
    assert metrics.knees is None
    assert metrics.trunk is not None


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (pose(FRONT_PX, too_dark=True), "too dark"),
        (pose({}, landmarks=()), "nobody on the bike"),
        (pose(FRONT_PX, hidden=(0,)), "head and shoulders not in view"),
        (pose({i: (x / 8, y / 8) for i, (x, y) in FRONT_PX.items()}), "nobody on the bike"),
        (pose(FRONT_PX | {11: (700, 200)}), "head and shoulders not in view"),
    ],
)
def test_a_picture_without_a_rider_to_judge_says_why(frame, why):
    metrics = measure(frame, "front")
    assert metrics.blind == why
    assert metrics.trunk is None


def test_a_camera_put_on_end_takes_nobody_further_away():
    lying = measure(pose(FRONT_PX, width_px=1280, height_px=720), "front")
    on_end = measure(pose(FRONT_PX, width_px=720, height_px=1280), "front")
    assert not lying.blind
    assert on_end.trunk.shoulder_span < 0.1
    assert not on_end.blind


@pytest.mark.parametrize("view", ["front", "oblique"])
def test_a_face_drawn_on_a_rider_seen_from_behind_is_not_believed(view):
    assert measure(pose(mirrored(FRONT_PX)), view).blind == "head and shoulders not in view"
    assert not measure(pose(FRONT_PX), view).blind


@pytest.mark.parametrize("view", ["front", "oblique", "side"])
def test_a_line_of_the_journal_is_short_and_comes_back_the_same(view):
    uneven = {i: (x + 1 / 3, y + math.pi / 7) for i, (x, y) in FRONT_PX.items()}
    metrics = measure(pose(uneven, t_s=123456.7891), view)
    line = msgspec.json.encode(metrics)
    assert len(line) <= 250
    assert b"NaN" not in line
    assert b"null" not in line
    assert msgspec.json.decode(line, type=FormMetrics) == metrics
