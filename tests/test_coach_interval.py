"""The parts of a class: no word in a sprint or around their ends, and each its own cadence."""

import pytest
from test_coach import Bike
from test_coach_remote import cue, given, riding

from firmware_app.coach.interval import LAST_S, SPRINT_S, Intervals
from firmware_app.coach.sprint import Sprint
from firmware_app.wire import Command, CueAnswer, Hud, Say


def interval(t_s=100.0, **more):
    return Command(t_s=t_s, command="c", kind="interval", **more)


def told(*commands):
    intervals = Intervals()
    for command in commands:
        intervals.hear(command)
    return intervals


@pytest.mark.parametrize(
    ("at_s", "why"),
    [(100, "a sprint"), (119.9, "a sprint"), (120, "")],
)
def test_a_sprint_is_quiet_from_begin_to_end(at_s, why):
    assert told(interval(effort="sprint", lasts_s=20.0)).quiet(at_s) == why


def test_a_sprint_without_an_end_is_over_by_itself():
    sprint = told(interval(effort="sprint"))
    assert sprint.quiet(100 + SPRINT_S - 0.1)
    assert not sprint.quiet(100 + SPRINT_S)


def test_the_last_seconds_of_an_interval_and_the_countdown_to_one_are_quiet():
    intervals = told(interval(lasts_s=60.0), interval(starts_s=180.0, lasts_s=30.0))
    quiet = {t_s: intervals.quiet(t_s) for t_s in (110, 154, 155, 159, 161, 174, 176, 185, 206)}
    assert quiet == {
        110: "", 154: "", 155: "an interval ends", 159: "an interval ends", 161: "", 174: "",
        176: "an interval begins", 185: "", 206: "an interval ends",
    }  # fmt: skip


def test_an_interval_has_its_own_cadence_and_after_it_the_classs_holds_again():
    intervals = told(interval(lasts_s=60.0, target_rpm=(60.0, 70.0)))
    assert intervals.target_rpm(110, (80.0, 95.0)) == (60.0, 70.0)
    assert intervals.target_rpm(161, (80.0, 95.0)) == (80.0, 95.0)
    assert told().target_rpm(0, None) is None


def test_what_is_announced_anew_replaces_what_was_announced():
    intervals = told(interval(starts_s=150.0, lasts_s=30.0), interval(t_s=110.0, starts_s=140.0))
    assert not intervals.quiet(146)
    assert intervals.quiet(140 - LAST_S)


def test_a_fault_waits_until_the_sprint_is_over():
    bike = Bike()
    sprint = told(interval(effort="sprint", lasts_s=20.0))
    said = []
    for n in range(200):
        form = riding(100 + n / 5, "shrug")
        one = bike.coach.consider(form, sprint.quiet(form.t_s))
        said += [(form.t_s, one.rule)] if one else []
    assert said == [(120.0, "shrug")]


def test_a_ride_in_a_sprint_refuses_a_remote_cue_with_the_reason(saddle):
    bike = saddle(rpm=90).pedal(90, 20)
    bike.feed(interval(t_s=bike.now_s, effort="sprint", lasts_s=20.0, target_rpm=(100.0, 110.0)))
    bike.pedal(90, 1)
    bike.feed(Command(t_s=bike.now_s, command="r", kind="cue", rule="shrug", text="Drop it"))
    assert bike.out.of(CueAnswer)[-1].why == "a sprint"
    assert bike.out.of(Hud)[-1].target_rpm == (100.0, 110.0)
    assert not bike.out.of(Say)


def seen(*parts):
    """A sprint that is looked for while the crank turns: (rpm, seconds), ...; 5 times a second."""
    sprint, quiet, t_s = Sprint(), {}, 0.0
    for rpm, seconds in parts:
        for _ in range(int(seconds * 5)):
            t_s = round(t_s + 0.2, 1)
            sprint.see(t_s, rpm)
            quiet[t_s] = sprint.quiet(t_s)
    return quiet


def test_a_sprint_that_nobody_announced_is_quiet_until_a_breath_after_it():
    quiet = seen((85, 40), (112, 15), (85, 20))
    assert not any(why for t_s, why in quiet.items() if t_s <= 40)
    assert {quiet[t_s] for t_s in (40.2, 50, 55, 59)} == {"a sprint"}
    assert not quiet[60.2]


@pytest.mark.parametrize("parts", [((60, 40), (90, 40)), ((95, 40), (105, 40)), ((102, 60),)])
def test_a_quicker_song_is_no_sprint(parts):
    assert not any(seen(*parts).values())


def test_who_rides_on_like_that_has_found_another_cadence():
    quiet = seen((80, 40), (104, 60))
    assert quiet[69]
    assert not any(why for t_s, why in quiet.items() if t_s > 90)


def test_what_is_not_known_of_the_cadence_makes_no_sprint():
    assert not any(seen((80, 10), (None, 5), (0, 5), (80, 10)).values())


def test_the_ride_says_nothing_in_a_sprint_that_the_crank_shows(saddle):
    bike = saddle(rpm=80).pedal(80, 40).pedal(115, 6)
    bike.feed(Command(t_s=bike.now_s, command="r", kind="cue", rule="shrug", text="Drop it"))
    assert bike.out.of(CueAnswer)[-1].why == "a sprint"


def test_the_same_cue_is_given_when_nothing_stands_against_it():
    assert given(cue(), riding(100.0, "shrug")).rule == "shrug"
