"""Sound and pictures of one moment are found, whether the sender reports its clock or not."""

import pytest

from firmware_app.player.holding import MOST_S, Holding
from firmware_app.player.stream_clock import ClassClock, Moment, StreamClock

HZ = 90_000
WALL_S = 1_800_000_000.0


def test_a_report_tells_when_a_picture_was_captured_across_the_wrap_of_its_timestamp():
    clock = StreamClock(HZ)
    clock.arrive(0xFFFFFF00, 10.0)
    clock.report(0xFFFFFF00, WALL_S)
    moment = clock.moment((0xFFFFFF00 + HZ) & 0xFFFFFFFF)
    assert moment.captured_s == pytest.approx(WALL_S + 1)
    assert moment.arrived_s == pytest.approx(11.0)


def test_without_reports_the_quickest_packets_tell_and_late_ones_do_not():
    clock = StreamClock(HZ)
    for number in range(100):
        late_s = 0.03 if number % 3 else 0.0
        clock.arrive(number * 3000, 5.0 + number / 30 + late_s)
        assert clock.moment(number * 3000).arrived_s == pytest.approx(5.0 + number / 30, abs=0.005)


def test_sound_and_pictures_are_as_far_apart_as_the_sender_says():
    clock = ClassClock()
    assert clock.choose("sound", Moment(None, 5.0)) == 5.0
    assert clock.choose("picture", Moment(WALL_S, 5.0)) == 5.0  # one report says nothing
    assert clock.choose("sound", Moment(WALL_S + 0.06, 5.02)) == 5.02
    picture = clock.choose("picture", Moment(WALL_S + 0.1, 5.1))
    sound = clock.choose("sound", Moment(WALL_S + 0.1, 5.06))
    assert picture == pytest.approx(sound)


@pytest.mark.parametrize("first", ["sound", "picture"])
def test_a_sender_whose_reports_jump_shakes_nothing(first: str):
    clock, other = ClassClock(), {"sound": "picture", "picture": "sound"}[first]
    late_s = {"sound": 0.0, "picture": 0.04}

    def told(kind: str, jump_s: float, at_s: float) -> float:
        return clock.choose(kind, Moment(WALL_S + at_s + jump_s, at_s + late_s[kind])) - at_s

    told("sound", 0.0, 1.0)
    assert told("picture", 0.0, 1.0) == pytest.approx(0.0, abs=1e-6)
    for kind, jump_s in ((first, -6.9), (other, 0.0), (other, -6.9), (first, -6.9)):
        assert told(kind, jump_s, 2.0) == pytest.approx(0.0, abs=1e-6)


def test_a_class_is_held_for_what_came_late_and_never_for_ever():
    holding = Holding()
    assert holding.speed(1.0) == 1.0
    holding.need(0.1, 0.0)
    assert holding.speed(0.05) < 1.0 < holding.speed(0.2)
    holding.need(5.0, 1.0)  # one picture, hopelessly late
    assert holding.speed(0.1 + MOST_S + 0.05) > 1.0
    holding.need(0.1, 20.0)
    assert holding.speed(0.15) > 1.0  # forgotten
