"""The crank sensor held against the legs: what a technician is told, and what not."""

import math
import random

import pytest

from firmware_app.form.metrics import FormMetrics, Knees
from firmware_app.form.pose_cadence import PoseCadence
from firmware_app.form.sensor_check import SensorCheck, classify

FPS = 15


def legs(t_s, rpm, noise=0.0, rng=random.Random(5)):  # noqa: B008 - noise, the same each time
    swing = 0.05 * math.sin(math.tau * rpm / 60 * t_s) + rng.gauss(0, noise)
    return FormMetrics(t_s=t_s, knees=Knees(0.6, 0.9 + swing, 0.4, 0.9 - swing))


def pedalled(rpm, seconds=8.0, noise=0.0, drop=0.0):
    pose, rng = PoseCadence(), random.Random(3)
    for n in range(int(seconds * FPS)):
        if rng.random() >= drop:
            pose.see(legs(n / FPS, rpm, noise))
    return pose.estimate(seconds)


@pytest.mark.parametrize("rpm", [48, 63.4, 80, 97.7, 118])
def test_the_legs_tell_the_cadence_within_one_turn_a_minute(rpm):
    assert pedalled(rpm, noise=0.01, drop=0.1).rpm == pytest.approx(rpm, abs=1)


def test_knees_that_only_tremble_tell_no_cadence():
    pose, rng = PoseCadence(), random.Random(1)
    for n in range(120):
        pose.see(FormMetrics(t_s=n / FPS, knees=Knees(0.6, 0.9 + rng.gauss(0, 0.01), 0.4, 0.9)))
    assert pose.estimate(8.0) is None


def test_knees_out_of_the_picture_tell_no_cadence_once_the_window_is_over():
    pose = PoseCadence()
    for n in range(120):
        pose.see(legs(n / FPS, 80))
    assert pose.estimate(8.0) is not None
    assert pose.estimate(15.0) is None


@pytest.mark.parametrize(
    ("sensor_rpm", "told"),
    [
        (80, ""), (85, ""), (75.5, ""), (0, "no pulses"), (40, "half"), (160, "double"),
        (60, "noisy"), (110, "noisy"),
    ],
)  # fmt: skip
def test_how_the_sensor_is_wrong_has_a_name(sensor_rpm, told):
    assert classify(sensor_rpm, 80.0) == told


def checked(sensor_rpm, seconds=25.0, pose_rpm=lambda _t: 80.0):
    """Ride with what the sensor says at each second; return the mismatch, each fifth of one."""
    pose, check, told, angle = PoseCadence(), SensorCheck(), [], 0.0
    for n in range(int(seconds * FPS)):
        t_s = n / FPS
        angle += math.tau * pose_rpm(t_s) / 60 / FPS
        swing = 0.05 * math.sin(angle)
        pose.see(FormMetrics(t_s=t_s, knees=Knees(0.6, 0.9 + swing, 0.4, 0.9 - swing)))
        if n % 3 == 0:
            check.judge(t_s, sensor_rpm(t_s), pose)
            told.append((t_s, check.mismatch))
    return told


@pytest.mark.parametrize(("rpm", "told"), [(None, "no pulses"), (0.0, "no pulses"), (40.0, "half")])
def test_a_wrong_sensor_is_told_after_ten_seconds_and_not_before(rpm, told):
    said = checked(lambda _t: rpm)
    assert said[-1][1] == told
    first_s = next(t_s for t_s, mismatch in said if mismatch)
    assert 14 <= first_s <= 17  # six to see a cadence, ten to be sure


def test_a_loose_contact_is_noise():
    assert checked(lambda t_s: 80.0 if int(t_s * 2) % 4 == 0 else 57.0)[-1][1] == "noisy"


def test_a_right_sensor_is_never_accused_not_even_when_the_rider_changes_speed():
    def speed(t_s):
        return 70.0 + 30.0 * (t_s > 20) + 2 * math.sin(t_s)

    def sensor(t_s):
        return speed(max(t_s - 1.5, 0.0))

    said = checked(sensor, seconds=60.0, pose_rpm=speed)
    assert {mismatch for _, mismatch in said} == {""}


def test_a_mended_sensor_is_taken_back():
    said = checked(lambda t_s: 0.0 if t_s < 20 else 80.0, seconds=40.0)
    assert "no pulses" in {mismatch for _, mismatch in said}
    assert said[-1][1] == ""
