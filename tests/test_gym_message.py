"""What a gym writes to its riders: on the screen, from nobody's mouth, and in no ride's records."""

import pytest
from test_ride_remembered import Bike

from firmware_app.wire import Command, Say


@pytest.fixture
def bike(tmp_path):
    bike = Bike(tmp_path)
    bike.told = []
    bike.service._hub.tell = bike.told.append
    return bike


def write(bike, text):
    bike.hear(Command(t_s=bike.clock.now_s, command="c1", kind="message", text=text))
    return [told for told in bike.told if isinstance(told, Say)]


def test_a_message_is_shown_and_not_said_whether_anybody_rides_or_not(bike):
    (shown,) = write(bike, "The water is free today")
    assert (shown.kind, shown.text, shown.voice) == ("message", "The water is free today", False)
    bike.ride(3)
    assert len(write(bike, "Welcome")) == 2
    bike.end()


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x00b\x1b[2J\nc", "a b [2J c"), ("\u202egnihton", "gnihton"), ("مرحبا", "مرحبا")],
)
def test_letters_that_are_none_do_not_reach_the_screen(bike, text, shown):
    (said,) = write(bike, text)
    assert said.text == shown


def test_a_message_without_a_word_is_no_message(bike):
    assert write(bike, " \n\x07 ") == []
