"""Turns of the crank counted by the knees, and where in the turn the sensor would have closed."""

import math

import numpy as np
import pytest

from firmware_app.form.crank import CrankPhase
from firmware_app.form.knee_clock import KneeClock
from firmware_app.form.metrics import FormMetrics, Knees


def ridden(rpm, seconds, fps=15, *, noise=0.0, sensor_until_s=0.0, magnet=0.0):
    """Ride; return the sensor's true moments and those that the knees told."""
    chance, crank, clock, told = np.random.default_rng(1), CrankPhase(), KneeClock(), []
    true = [(n + magnet) * 60 / rpm for n in range(int(seconds * rpm / 60))]
    heard = iter([t_s for t_s in true if t_s < sensor_until_s])
    pulse_s = next(heard, None)
    for n in range(int(seconds * fps)):
        t_s = n / fps
        while pulse_s is not None and pulse_s <= t_s:
            crank.pulse(pulse_s)
            clock.heard(pulse_s)
            pulse_s = next(heard, None)
        up = 0.05 * math.sin(math.tau * rpm / 60 * t_s) + chance.normal(0, noise)
        turn_s = clock.see(FormMetrics(t_s=t_s, knees=Knees(0.6, 0.8 + up, 0.4, 0.8 - up)), crank)
        told += [turn_s] if turn_s is not None else []
    return np.array(true), np.array(told)


@pytest.mark.parametrize("rpm", [55, 80, 110])
@pytest.mark.parametrize("fps", [12, 30])
def test_every_turn_is_counted_once_and_in_time(rpm, fps):
    true, told = ridden(rpm, 30, fps, noise=0.004)
    assert abs(len(told) - len(true)) <= 4
    assert np.abs(np.diff(told) - 60 / rpm).max() < 0.15 * 60 / rpm


@pytest.mark.parametrize("magnet", [0.1, 0.5, 0.8])
def test_the_phase_goes_on_where_a_sensor_that_fell_silent_has_left_it(magnet):
    true, told = ridden(80, 60, sensor_until_s=30.0, magnet=magnet, noise=0.002)
    assert told.min() > 32
    off_turns = np.abs(told[:, None] - true[None, :]).min(axis=1) / (60 / 80)
    assert off_turns.max() < 0.1


def test_knees_out_of_the_picture_tell_nothing():
    clock, crank = KneeClock(), CrankPhase()
    assert all(clock.see(FormMetrics(t_s=n / 15), crank) is None for n in range(100))
