"""When the class begins: what the studio says, what the settings say, and when nobody knows."""

from datetime import UTC, datetime, timedelta

import pytest

from firmware_app.ride.timetable import COUNT_FROM_S, Timetable
from firmware_app.settings import Player
from firmware_app.wire import Command, Hud

EVENING = Player(class_times=("07:00", "18:30"), class_minutes=45)
WAITING = Hud(t_s=0, phase="waiting")


def at(text):
    return datetime.fromisoformat(f"2026-04-17T{text}").replace(tzinfo=UTC)


def start(**more):
    return Command(t_s=100.0, command="c1", kind="start_class", **more)


@pytest.mark.parametrize(
    ("local", "starts_s", "ends_s"),
    [
        ("18:25:30", 270.0, 270.0 + 2700),
        ("18:40:00", None, 2100.0),
        ("17:29:00", None, None),  # more than an hour away
        ("19:16:00", None, None),
    ],
)
def test_the_settings_tell_the_next_class_within_the_hour(local, starts_s, ends_s):
    hud = Timetable(EVENING).show(WAITING, 0.0, at(local))
    assert (hud.starts_s, hud.ends_s) == (starts_s, ends_s)


def test_a_class_after_midnight_is_counted_down_before_it():
    table = Timetable(Player(class_times=("00:10",)))
    assert table.show(WAITING, 0.0, at("23:50:00")).starts_s == 1200.0


def test_nothing_is_counted_down_by_a_clock_that_nobody_has_set():
    assert Timetable(EVENING).show(WAITING, 0.0, None) == WAITING


def test_the_studios_word_needs_no_clock_and_comes_before_the_settings():
    table = Timetable(EVENING)
    table.hear(start(text="Hill day", starts_s=400.0, lasts_s=1800.0, target_rpm=(70, 90)))
    hud = table.show(WAITING, 150.0, at("18:25:30"))
    assert (hud.class_title, hud.starts_s, hud.ends_s) == ("Hill day", 400.0, 2200.0)
    assert hud.target_rpm == (70, 90)
    assert table.show(WAITING, 500.0, None).starts_s is None
    assert table.show(WAITING, 2300.0, None) == WAITING
    assert table.running(2300.0) is None


def test_a_class_that_starts_now_and_has_no_end_is_not_counted():
    table = Timetable(Player())
    table.hear(start())
    hud = table.show(WAITING, 101.0, None)
    assert (hud.starts_s, hud.ends_s) == (None, None)


def test_a_class_an_hour_away_is_the_first_that_counts():
    local = at("18:30:00") - timedelta(seconds=COUNT_FROM_S)
    assert Timetable(EVENING).show(WAITING, 0.0, local).starts_s == COUNT_FROM_S
