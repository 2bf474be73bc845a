"""A pose that comes too late is worse than none: what is told of a camera's pace."""

import pytest

from firmware_app.vision.pace import Pace, Told


def at_30_hz(pace, frames):
    for n in frames:
        pace.frame(n, n / 30)


def test_a_pose_older_than_two_frames_is_dropped_and_counted():
    pace = Pace()
    at_30_hz(pace, range(10))
    assert not pace.is_late(2 / 30 - 0.001, 1.0)
    assert pace.is_late(2 / 30 + 0.001, 1.0)
    assert pace.late == 1


def test_a_camera_that_slows_down_in_the_dark_is_given_more_time():
    pace = Pace()
    for n in range(20):
        pace.frame(n, n / 10)
    assert not pace.is_late(0.19, 2.0)


def test_frames_that_nobody_waited_for_are_counted():
    pace = Pace()
    at_30_hz(pace, [0, 1, 4, 5])
    assert pace.skipped == 2
    assert not pace.is_late(0.06, 1.0), "a gap does not make the camera slow"


def test_a_camera_opened_again_has_skipped_nothing():
    pace = Pace()
    at_30_hz(pace, [0, 1, 2])
    pace.restart()
    at_30_hz(pace, [0, 1])
    assert pace.skipped == 0


def test_the_technician_reads_poses_a_second_and_their_delay():
    pace = Pace()
    for n in range(100):
        pace.told(Told(n / 25, 0.2 if n % 10 == 0 else 0.03, {"landmark": 0.01}))
    now_s = 99 / 25
    assert pace.fps(now_s) == pytest.approx(25)
    assert pace.p95_s(now_s) == pytest.approx(0.2)
    assert pace.stages_s(now_s) == pytest.approx({"landmark": 0.01})
    assert pace.fps(now_s + 10) == 0


def test_the_technician_sees_which_stage_is_sometimes_slow():
    pace = Pace()
    for n in range(10):
        pace.told(Told(n / 10, 0.03, {"landmark": 0.2 if n == 3 else 0.003}))
    assert pace.histogram == {"landmark": [0, 0, 9, 0, 0, 0, 0, 0, 1]}
    assert pace.total_s == pytest.approx({"landmark": 0.227})


def test_frames_are_counted_whether_anybody_waited_or_not():
    pace = Pace()
    at_30_hz(pace, [0, 1, 4, 5])
    assert pace.frames == 6


def test_a_box_that_is_always_too_late_says_so():
    pace = Pace()
    at_30_hz(pace, range(10))
    for n in range(10):
        assert pace.is_late(1.0, 1 + n / 30)
    assert pace.too_slow(1.4)
    pace.told(Told(1.5, 0.03, {}))
    assert not pace.too_slow(1.5)
