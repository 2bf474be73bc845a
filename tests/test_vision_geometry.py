"""Whatever the picture's shape and wherever the rider is in it, points and picture agree."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from firmware_app.hardware import Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.landmarker import CELLS, POINTS, SIDE, USED, refine
from firmware_app.vision.region import LEAST_PX, MARGIN, Region, region_around
from firmware_app.vision.smooth import OneEuro
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video
from tests.test_vision_pose import MODELS, RECORDINGS, frames

px = st.floats(-2000, 3000)
quick = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module")
def tracker():
    return load_tracker(MODELS)


@pytest.fixture(scope="module")
def rider():
    return next(frames(Video(RECORDINGS / "rider_front.mp4"))).bgr.copy()


# the region -------------------------------------------------------------------------------------


@quick
@given(px, px, st.floats(20, 2000), st.floats(-4, 4))
def test_a_region_has_the_riders_size_and_stands_as_the_rider_does(x, y, reach, lean):
    region = region_around(x, y, x + reach * math.sin(lean), y - reach * math.cos(lean))
    assert region.size_px == pytest.approx(2 * reach * MARGIN)
    assert math.cos(region.turn_rad - lean) == pytest.approx(1)


@quick
@given(px, px, st.floats(LEAST_PX, 5000), st.floats(-math.pi, math.pi))
def test_the_middle_of_a_crop_is_the_middle_of_its_region(x, y, size, turn):
    to_picture = Region(x, y, size, turn).to_picture(SIDE)
    assert to_picture @ (SIDE / 2, SIDE / 2, 1) == pytest.approx((x, y), abs=1e-6)
    corner = to_picture @ (0, 0, 1) - (x, y)
    assert np.hypot(*corner) == pytest.approx(size / math.sqrt(2))


@quick
@given(st.sampled_from([math.nan, math.inf, -math.inf]), st.integers(0, 3))
def test_points_that_are_no_numbers_are_no_region(bad, where):
    points = [320.0, 240.0, 320.0, 100.0]
    points[where] = bad
    assert region_around(*points) is None


def test_two_points_on_one_another_are_no_region():
    assert region_around(320, 240, 320, 240) is None
    assert region_around(320, 240, 320, 239) is None


@quick
@given(
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.builds(Region, px, px, st.floats(8, 3000), st.floats(-4, 4)),
)
def test_a_crop_of_any_picture_from_anywhere_holds_only_its_colours(shape, region):
    picture = np.full((*shape, 3), (10, 20, 30), np.uint8)
    crop = np.zeros((32, 32, 3), np.uint8)
    region.crop(picture, crop)
    assert (crop == (10, 20, 30)).all(), "the edge is repeated, without a dark rim"


# the heatmap ------------------------------------------------------------------------------------


@quick
@given(
    st.integers(0, CELLS - 1),
    st.integers(0, CELLS - 1),
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.integers(0, USED - 1),
)
def test_a_point_is_drawn_to_a_lone_peak_even_at_the_edge(x, y, off_x, off_y, point):
    heat = np.full((1, CELLS, CELLS, POINTS), -30, np.float32)
    heat[0, y, x, point] = 8
    start = np.clip([x + off_x, y + off_y], 0, CELLS - 1)
    points = np.full((USED, 2), SIDE / 2, np.float32)
    points[point] = start * SIDE / CELLS
    refine(points, heat)
    assert points[point] == pytest.approx(np.array([x, y]) * SIDE / CELLS, abs=0.01)
    others = np.delete(points, point, axis=0)
    assert (others == SIDE / 2).all()


@quick
@given(st.floats(-300, 600), st.floats(-300, 600))
def test_a_point_outside_the_crop_or_without_a_peak_stays_where_it_is(x, y):
    assume(not (0 <= x < SIDE and 0 <= y < SIDE))
    hot = np.full((1, CELLS, CELLS, POINTS), 8, np.float32)
    points = np.full((USED, 2), (x, y), np.float32)
    if min(x, y) <= -SIDE / CELLS or max(x, y) >= SIDE:
        refine(points, hot)
        assert (points == np.float32((x, y))).all()
    refine(points, -hot)
    assert (points == np.float32((x, y))).all()


# the filter -------------------------------------------------------------------------------------

steps = st.floats(0, 0.5)


@quick
@given(st.lists(st.tuples(st.floats(-1e4, 1e4), steps), min_size=1, max_size=30))
def test_a_smoothed_point_never_leaves_the_span_of_what_was_seen(seen):
    smooth = OneEuro(np.full((1, 3), 0.05), np.full((1, 3), 80.0))
    values = []
    for value, step_s in seen:
        values.append(value)
        told = smooth.feed(np.full((1, 3), value), step_s, np.full((1, 3), 1 / 100))
        assert min(values) - 1e-6 <= told[0, 0] <= max(values) + 1e-6
        assert np.isfinite(told).all()


# whole pictures ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 640), (480, 1), (2, 3), (97, 131), (480, 640), (641, 359), (1280, 720)]
)
def test_a_picture_of_any_shape_is_looked_at(tracker, shape):
    tracker.reset()
    noise = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    seen = Eye(tracker).look(Frame(noise, 0.0, 0))
    assert (seen.height_px, seen.width_px) == shape
    assert len(seen.landmarks) in (0, 33)


def points_of(tracker, picture):
    tracker.reset()
    pose = tracker.see(np.ascontiguousarray(picture), 0.0)
    assert pose is not None, "the rider is found"
    return pose.landmarks[:25, :2], pose.landmarks[:25, 3]


@pytest.mark.parametrize(
    "border",
    [(0, 0, 0, 160), (160, 0, 160, 0), (0, 200, 0, 200), (37, 11, 5, 93), (0, 160, 640, 0)],
)
def test_points_move_with_the_rider_when_the_picture_grows(tracker, rider, border):
    """Landscape, portrait, odd: the letterbox of the detector leaves no trace."""
    left, top, right, bottom = border
    points, _ = points_of(tracker, rider)
    grown = cv2.copyMakeBorder(rider, top, bottom, left, right, cv2.BORDER_REPLICATE)
    moved, _ = points_of(tracker, grown)
    torso_px = np.linalg.norm(points[[11, 12]].mean(axis=0) - points[[23, 24]].mean(axis=0))
    off = np.linalg.norm(moved - (left, top) - points, axis=1)
    assert np.median(off) < 0.06 * torso_px


@pytest.mark.parametrize("turn_deg", [-20, -8, 8, 20])
def test_points_turn_with_the_rider(tracker, rider, turn_deg):
    height, width = rider.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), turn_deg, 0.8)
    points, _ = points_of(tracker, rider)
    turned, _ = points_of(
        tracker, cv2.warpAffine(rider, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    )
    expected = points @ turn[:, :2].T + turn[:, 2]
    torso_px = 0.8 * np.linalg.norm(points[[11, 12]].mean(axis=0) - points[[23, 24]].mean(axis=0))
    assert np.median(np.linalg.norm(turned - expected, axis=1)) < 0.08 * torso_px


@pytest.mark.parametrize("keep", [0.5, 0.75])
def test_points_of_a_rider_cut_off_at_the_edge_stay_numbers(tracker, rider, keep):
    tracker.reset()
    cut = np.ascontiguousarray(rider[:, : round(rider.shape[1] * keep)])
    for n in range(3):
        pose = tracker.see(cut, n / 30)
        if pose is not None:
            assert np.isfinite(pose.points).all()
