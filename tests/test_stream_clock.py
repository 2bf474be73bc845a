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


def test_reports_that_disagree_say_nothing_until_two_agree_again():
    clock = StreamClock(HZ)
    clock.arrive(0, 5.0)
    told = []
    for second, late_s in enumerate((0.0, 0.01, -6.9, -6.9, -6.9 - 0.7)):
        clock.report(second * HZ, WALL_S + second + late_s)
        moment = clock.moment(second * HZ)
        told.append((moment.captured_s is not None, moment.sure))
    assert told == [(True, False), (True, True), (False, False), (True, True), (False, False)]


@pytest.mark.parametrize(
    ("apart_s", "sure", "believed"), [(0.1, False, True), (0.4, False, False), (0.4, True, True)]
)
def test_one_report_alone_is_not_believed_much(apart_s: float, sure: bool, believed: bool):
    clock = ClassClock()
    clock.choose("sound", Moment(WALL_S, 5.0, sure=sure))
    picture = clock.choose("picture", Moment(WALL_S + apart_s, 5.0, sure=sure))
    assert picture == pytest.approx(5.0 + apart_s * believed)
    assert clock.choose("picture", Moment(None, 6.0)) == 6.0  # nothing is known any more


def test_a_class_is_held_for_what_came_late_and_never_for_ever():
    holding = Holding()
    assert holding.speed(1.0) == 1.0
    holding.need(0.1, 0.0)
    assert holding.speed(0.05) < 1.0 < holding.speed(0.2)
    holding.need(5.0, 1.0)  # one picture, hopelessly late
    assert holding.speed(0.1 + MOST_S + 0.05) > 1.0
    holding.need(0.1, 20.0)
    assert holding.speed(0.15) > 1.0  # forgotten
