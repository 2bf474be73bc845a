"""What is left of a ride when it is over."""

import json
import random

import msgspec
import pytest
from gym_scene import interval, told_ride

from firmware_app.summary import summaries, summarise
from firmware_app.wire import RideEnded, RideId

RIDE = RideId("000001_ab_b1")


def test_a_ride_adds_up():
    summary = summarise(told_ride(intervals=3))
    assert summary.duration_s == 90.0
    assert summary.cadence_mean_rpm == 90.0  # 126 turns in 84 s
    assert summary.in_position_share == 0.8
    assert summary.unseen == {"knees_in": 1.0, "sway": 0.5}
    assert [(f.rule, f.total_s, f.episodes) for f in summary.faults] == [
        ("shrug", 12.0, 3),
        ("head_drop", 3.0, 3),
    ]
    assert summary.cues[0].t_s == 40.0
    assert summary.strength == "A quiet upper body"
    assert summary.complete


@pytest.mark.parametrize("seed", range(20))
def test_a_summary_is_the_same_whatever_the_order_and_however_often_it_arrives(seed):
    chance = random.Random(seed)
    told = told_ride(intervals=7)
    told.append(interval(RIDE, 3, t_s=999.0, riding_s=1.0))  # the same interval, told differently
    mixed = told * 3
    chance.shuffle(mixed)
    assert summarise(mixed) == summarise(told)


def test_a_ride_that_never_turned_the_cranks_has_no_cadence_and_does_not_crash():
    still = interval(RIDE, 0, riding_s=0.0, turns=0.0, pedalling_s=0.0, watched_s=0.0)
    summary = summarise([*told_ride(intervals=0), still])
    assert summary.duration_s == 0.0
    assert summary.cadence_mean_rpm is None
    assert summary.in_position_share is None
    assert summary.unseen == {"knees_in": None, "sway": None}


def test_a_ride_whose_power_was_pulled_is_kept_as_incomplete():
    summary = summarise(told_ride(ended=False))
    assert not summary.complete
    assert summary.duration_s == 90.0


def test_a_ride_whose_start_nobody_told_cannot_be_added_up():
    assert summarise([interval(RIDE, 0)]) is None


def test_shares_stay_shares_when_clocks_jitter():
    late = interval(RIDE, 0, unseen_s={"sway": 30.02}, in_position_s=25.01)
    summary = summarise([*told_ride(intervals=0), late])
    assert summary.unseen["sway"] == 1.0
    assert summary.in_position_share == 1.0


def test_a_ride_that_was_taken_up_again_has_its_last_words():
    again = RideEnded(t_s=5000.0, ride=RIDE, intervals=9, strength="Strong finish")
    assert summarise([*told_ride(), again]).strength == "Strong finish"


def test_the_rides_of_one_journal_are_told_apart():
    found = summaries([*told_ride("000002_ab_b1"), *told_ride("000001_ab_b1", intervals=1)])
    assert [(s.ride, s.duration_s) for s in found] == [
        ("000001_ab_b1", 30.0),
        ("000002_ab_b1", 90.0),
    ]


def test_the_record_has_the_names_that_were_promised():
    record = json.loads(msgspec.json.encode(summarise(told_ride())))
    assert {
        *("ride", "box", "rider", "class", "started_utc", "duration_s", "cadence_mean_rpm"),
        *("faults", "unseen", "cues", "in_position_share", "schema", "rider_pseudonym"),
    } <= record.keys()
    assert record["class"] == "42"
    assert record["faults"][0] == {"rule": "shrug", "total_s": 12.0, "episodes": 3}
    assert record["cues"][0]["words"] == "Sagar, drop your shoulders"
