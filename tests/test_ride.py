"""A ride from first turn to last: it begins, rests, goes on and ends as a rider would expect."""

import math
from itertools import pairwise

import pytest
from msgspec import structs

from firmware_app.form.metrics import FormMetrics, Knees, Trunk
from firmware_app.form.state import FormState
from firmware_app.ride.events import Finish, Pulse, Tick
from firmware_app.ride.ride import Ride
from firmware_app.ride.start import Start
from firmware_app.summary import summarise
from firmware_app.wire import CueGiven, Debrief, Hud, Interval, Live, Prepare, RideEnded, Touch


def test_a_few_turns_begin_a_ride_and_a_passing_kick_does_not():
    start = Start(turns=3)
    assert not start.pulse(0.0)
    assert not start.pulse(0.7)
    assert not start.pulse(9.0)
    assert not start.pulse(9.7)
    assert not start.pulse(10.4)
    assert start.pulse(11.1) == (9.0, 9.7, 10.4, 11.1)


def test_the_coach_has_all_its_words_before_they_are_needed(saddle):
    (prepare,) = saddle(rider="Ada").out.of(Prepare)
    assert any(text.startswith("Ada, ") for text in prepare.texts)


def test_a_minute_of_steady_riding_adds_up(saddle):
    bike = saddle(rpm=84).pedal(84, 57.9)
    bike.feed(Touch(t_s=bike.now_s, action="end"))
    summary = summarise(bike.out.told)
    assert summary.cadence_mean_rpm == pytest.approx(84, abs=0.5)
    assert summary.duration_s == pytest.approx(60, abs=1)
    assert summary.complete
    assert summary.in_position_share is None  # no camera: nobody was watched, nobody is praised


def test_intervals_follow_each_other_without_a_gap_and_hold_every_turn(saddle):
    bike = saddle(rpm=90).pedal(90, 100)
    bike.feed(Finish(t_s=bike.now_s, why="power off"))
    intervals = bike.out.of(Interval)
    assert [interval.n for interval in intervals] == [0, 1, 2, 3]
    assert all(a.t_s == b.from_s for a, b in pairwise(intervals))
    assert sum(interval.turns for interval in intervals) == pytest.approx(153, abs=1)


def test_a_rest_is_no_part_of_the_ride_and_the_mean_does_not_sink(saddle):
    bike = saddle(rpm=90).pedal(90, 60).rest(60).pedal(90, 60)
    bike.feed(Touch(t_s=bike.now_s, action="end"))
    summary = summarise(bike.out.told)
    assert summary.duration_s == pytest.approx(122, abs=3)
    assert summary.cadence_mean_rpm == pytest.approx(90, abs=0.5)


def test_the_screen_says_paused_after_ten_seconds_and_riding_at_the_second_pulse(saddle):
    bike = saddle().pedal(90, 20).rest(9)
    assert bike.out.of(Hud)[-1].phase == "riding"
    bike.rest(2)
    assert bike.out.of(Hud)[-1].phase == "paused"
    bike.pedal(90, 1.0)
    assert bike.out.of(Hud)[-1].phase == "paused"
    bike.pedal(90, 1.0)
    assert bike.out.of(Hud)[-1].phase == "riding"


def test_a_rider_who_walks_away_ends_the_ride_after_five_minutes(saddle):
    bike = saddle().pedal(90, 20).rest(320)
    (ended,) = bike.out.of(RideEnded)
    assert ended.why == "nobody pedalled"
    assert bike.ride.phase == "ended"
    assert bike.out.of(Debrief)


def test_pause_by_hand_holds_although_the_feet_go_on(saddle):
    bike = saddle().pedal(90, 20)
    bike.feed(Touch(t_s=bike.now_s, action="pause")).pedal(90, 20)
    assert bike.out.of(Hud)[-1].phase == "paused"
    bike.feed(Touch(t_s=bike.now_s, action="resume")).pedal(90, 5)
    assert bike.out.of(Hud)[-1].phase == "riding"


def test_nothing_happens_after_the_end(saddle):
    bike = saddle().pedal(90, 20)
    bike.feed(Touch(t_s=bike.now_s, action="end"))
    before = len(bike.out.told) + len(bike.out.sent)
    bike.pedal(90, 20)
    assert len(bike.out.told) + len(bike.out.sent) == before


def test_without_a_camera_the_coach_is_silent_and_the_room_hears_of_it_once_a_second(saddle):
    bike = saddle().pedal(90, 60)
    assert not bike.out.of(CueGiven)
    live = bike.out.of(Live)
    assert len(live) == pytest.approx(60, abs=2)
    assert all(state == "unseen" for state in live[-1].states.values() if state)


@pytest.mark.parametrize(
    ("why", "shown"),
    [
        (
            {"elbows_locked": "shows from the side only", "saddle_low": "shows from the side only"},
            "",
        ),
        ({"elbows_locked": "shows from the side only", "knees_in": "knees hidden"}, "knees hidden"),
    ],
)
def test_the_rider_is_not_told_what_this_camera_place_never_shows(saddle, why, shown):
    form = FormState(1040.0, dict.fromkeys(why, "unseen"), why, None, standing=False)
    assert saddle().ride._hud(1040.0, 90.0, form).unseen_why == shown


def knees(t_s, rpm):
    swing = 0.08 * math.sin(2 * math.pi * rpm / 60 * t_s)
    return FormMetrics(
        t_s=t_s,
        trunk=Trunk(0.5, 0.3, 0.3, 0.0),
        knees=Knees(0.4, 0.7 + swing, 0.6, 0.7 - swing),
    )


def test_a_rider_whose_crank_sensor_dies_rides_on_and_the_screen_says_so(saddle):
    bike = saddle().pedal(90, 20)
    for n in range(30 * 15):
        bike.feed(knees(bike.now_s + n / 15, 80))
        if n % 3 == 0:
            bike.feed(Tick(t_s=bike.now_s + n / 15))
    hud = bike.out.of(Hud)[-1]
    assert (hud.phase, hud.crank, hud.cadence_rpm) == ("riding", "lost", None)
    assert hud.elapsed_s == pytest.approx(52, abs=1)
    bike.now_s += 30
    bike.pedal(90, 5)
    hud = bike.out.of(Hud)[-1]
    assert (hud.crank, hud.cadence_rpm) == ("ok", pytest.approx(90, abs=1))


def test_a_rider_who_sits_still_before_the_camera_is_resting(saddle):
    bike = saddle().pedal(90, 20)
    for n in range(15 * 15):
        bike.feed(knees(bike.now_s + n / 15, 0))
        if n % 3 == 0:
            bike.feed(Tick(t_s=bike.now_s + n / 15))
    assert bike.out.of(Hud)[-1].phase == "paused"


@pytest.mark.parametrize("magnets", [1, 3])
def test_the_crank_is_the_poses_clock_once_a_turn_however_many_magnets_it_has(saddle, magnets):
    bike = saddle()
    ride = Ride(structs.replace(bike.setup, pulses_s=(), pulses_per_turn=magnets), bike.book)
    told = []
    ride._analyst.pulse = told.append
    for n in range(30 * magnets + 1):
        ride.feed(Pulse(t_s=1000 + n * 0.75 / magnets))
    assert told == pytest.approx([1000 + 0.75 * n for n in range(31)])


def test_the_button_for_fewer_cues_reaches_the_coach(saddle):
    bike = saddle().pedal(90, 5)
    bike.feed(Touch(t_s=bike.now_s, action="quieter"))
    assert bike.ride._coach._style == "quiet"
    bike.feed(Touch(t_s=bike.now_s, action="more"))
    assert bike.ride._coach._style == "normal"


@pytest.mark.parametrize(("agreed", "told"), [(True, "Sagar"), (False, "")])
def test_the_live_word_names_the_rider_only_who_agreed(saddle, agreed, told):
    bike = saddle()
    bike.ride = Ride(structs.replace(bike.setup, name_on_board=agreed), bike.book)
    bike.pedal(90, 3)
    assert {live.name for live in bike.out.of(Live)} == {told}
