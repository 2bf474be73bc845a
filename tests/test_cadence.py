"""What the crank sensor says, and what the rider reads."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_app.sensors.cadence import Cadence


def pedal(cadence, rpm, seconds, from_s=0.0, per_turn=1):
    t_s = from_s
    while t_s <= from_s + seconds:
        cadence.pulse(t_s)
        t_s += 60 / rpm / per_turn
    return t_s - 60 / rpm / per_turn


@given(rpm=st.floats(25, 180), per_turn=st.integers(1, 4))
def test_a_steady_rider_reads_their_cadence(rpm, per_turn):
    cadence = Cadence(per_turn)
    last_s = pedal(cadence, rpm, 20, per_turn=per_turn)
    assert cadence.rpm(last_s) == pytest.approx(rpm, rel=0.01)


def test_five_milliseconds_of_reed_jitter_move_the_number_by_less_than_one():
    dice = random.Random(3)
    cadence = Cadence()
    for turn in range(60):
        t_s = turn * 60 / 90 + dice.uniform(-0.005, 0.005)
        cadence.pulse(t_s)
        if turn > 6:
            assert abs(cadence.rpm(t_s) - 90) < 1


def test_a_rider_who_stops_sees_the_number_fall_and_reach_zero_in_three_seconds():
    cadence = Cadence()
    last_s = pedal(cadence, 90, 10)
    seen = [cadence.rpm(last_s + wait / 10) for wait in range(31)]
    assert seen == sorted(seen, reverse=True)
    assert seen[10] == pytest.approx(60)
    assert seen[20] == pytest.approx(30)
    assert seen[30] == 0


def test_one_pulse_after_a_rest_is_not_yet_a_cadence_and_two_are():
    cadence = Cadence()
    last_s = pedal(cadence, 90, 10)
    cadence.pulse(last_s + 20)
    assert cadence.rpm(last_s + 20.1) == 0
    cadence.pulse(last_s + 20 + 60 / 80)
    assert cadence.rpm(last_s + 20 + 60 / 80) == pytest.approx(80)


def test_a_bouncing_contact_never_spikes():
    dice = random.Random(5)
    cadence = Cadence()
    for turn in range(80):
        t_s = turn * 60 / 75
        cadence.pulse(t_s)
        for _ in range(dice.randrange(3)):
            cadence.pulse(t_s + dice.uniform(0.001, 0.17))
        assert cadence.rpm(t_s + 0.18) < 77
    assert cadence.bounces > 40
    assert cadence.turns == 79


def test_a_late_second_closing_of_the_same_turn_is_not_a_turn():
    cadence = Cadence()
    last_s = pedal(cadence, 75, 10)
    before = cadence.turns
    cadence.pulse(last_s + 0.3)
    assert cadence.turns == before
    cadence.pulse(last_s + 0.8)
    assert cadence.rpm(last_s + 0.8) == pytest.approx(75, abs=0.5)


def test_a_missed_pulse_neither_halves_the_number_nor_loses_the_turn():
    cadence = Cadence()
    last_s = pedal(cadence, 90, 10)
    turns = cadence.turns
    cadence.pulse(last_s + 2 * 60 / 90)
    assert cadence.rpm(last_s + 2 * 60 / 90) == pytest.approx(90, abs=0.5)
    assert cadence.turns == turns + 2
    assert cadence.missed == 1


def test_a_rider_who_truly_doubles_the_cadence_is_believed_within_eight_turns():
    cadence = Cadence()
    last_s = pedal(cadence, 45, 10)
    for turn in range(1, 9):
        cadence.pulse(last_s + turn * 60 / 110)
    assert cadence.rpm(last_s + 8 * 60 / 110) == pytest.approx(110, rel=0.03)


def test_the_mean_cadence_counts_the_time_that_turned_and_not_the_rest():
    cadence = Cadence()
    last_s = pedal(cadence, 80, 60)
    pedal(cadence, 80, 60, from_s=last_s + 30)
    assert 60 * cadence.turns / cadence.turning_s == pytest.approx(80, rel=0.001)
