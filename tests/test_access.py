"""Who may look: nothing works by default, secrets are kept as hashes, and guessing takes months."""

import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_app.clock import HandClock
from firmware_app.errors import BadInput, BadSetting
from gateway.access import Access, Person, read_access, with_pin, with_token, without, write_access
from gateway.patience import LOCKED_S, LONGEST_WAIT_S, MOST_SOURCES, NOT_LOCKED, Patience
from gateway.web.ride_claim import plain_name
from gateway.web.ride_code import FRESH_S, GOOD_S, RideCodes
from gateway.web.sessions import LASTS, MOST, Sessions

ANNA = Person("anna", "technician")


def test_nothing_opens_what_nobody_has_set_up():
    assert Access().by_pin("") is None
    assert Access().by_pin("000000") is None
    assert Access().by_token("") is None
    assert Access().by_token("bike-") is None


def test_a_token_is_a_persons_and_can_be_taken_back():
    access, token = with_token(Access(), "anna")
    access, other = with_token(access, "ben.k")
    assert access.by_token(token) == ANNA
    assert access.by_token(token[:-1]) is None
    access = without(access, "anna")
    assert access.by_token(token) is None
    assert access.by_token(other) == Person("ben.k", "technician")
    with pytest.raises(BadInput, match="no technician is called anna"):
        without(access, "anna")
    with pytest.raises(BadInput, match="anna or anna.k"):
        with_token(access, "Anna <b>")


def test_the_gym_has_a_pin_and_it_is_not_the_first_one_tries():
    access = with_pin(Access(), "270341")
    assert access.by_pin("270341") == Person("gym", "gym")
    assert access.by_pin("270342") is None
    for pin in ("123456", "000000", "987654", "12345", "1234567890123", "27034a", "²²²²²²", ""):
        with pytest.raises(BadInput):
            with_pin(Access(), pin)


def test_on_disk_there_are_hashes_and_only_the_owner_reads_them(tmp_path):
    path = tmp_path / "access.toml"
    access, token = with_token(with_pin(Access(), "270341"), "anna.k")
    write_access(access, path)
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert read_access(path) == access
    assert "270341" not in path.read_text()
    assert token not in path.read_text()
    path.write_text("pin = 3")
    with pytest.raises(BadSetting, match="bikebox access"):
        read_access(path)
    assert read_access(tmp_path / "none.toml") == Access()


def test_the_command_tells_a_token_once(tmp_path):
    path = tmp_path / "access.toml"

    def say(*words, typed=""):
        command = [sys.executable, "-m", "firmware_app.cli", "access", "--file", path, *words]
        return subprocess.run(command, input=typed, capture_output=True, text=True, check=False)

    token = say("token", "anna").stdout.splitlines()[0]
    assert read_access(path).by_token(token) == ANNA
    assert say("pin", typed="270341\n").returncode == 0
    assert say("list").stdout == "PIN: set\ntoken: anna\n"
    assert say("pin", typed="111111\n").returncode == 78
    assert say("pin", "--none").returncode == 0
    assert say("remove", "anna").returncode == 0
    assert say("list").stdout == "PIN: none\n"


# patience ------------------------------------------------------------------------------------


def test_who_mistypes_twice_need_not_wait_and_who_guesses_waits_ever_longer():
    patience = Patience()
    waits = []
    now_s = 0.0
    for _ in range(12):
        patience.wrong("a", now_s)
        waits.append(patience.wait_s("a", now_s))
        now_s += waits[-1]
    assert waits[:5] == [0.0, 0.0, 5.0, 10.0, 20.0]
    assert waits[-1] == LONGEST_WAIT_S
    assert patience.wait_s("b", now_s) == 0.0
    patience.right("a")
    assert patience.wait_s("a", now_s) == 0.0


def test_too_many_wrong_tries_of_all_together_lock_everybody_out_for_a_while():
    patience = Patience(locked_after=20)
    locks = [patience.wrong(f"10.0.0.{n}", float(n)) for n in range(20)]
    assert locks == [False] * 19 + [True]
    assert patience.wait_s("somebody new", 19.0) == LOCKED_S
    assert patience.wait_s("somebody new", 19.0 + LOCKED_S) == 0.0


def test_a_robot_at_six_digits_gets_less_than_two_thousand_tries_a_day():
    patience, tries, now_s, source = Patience(), 0, 0.0, 0
    while now_s < 86400:
        wait_s = patience.wait_s(f"s{source}", now_s)
        if wait_s:
            source += 1  # a new address for each try
            now_s += 1.0
            continue
        patience.wrong(f"s{source}", now_s)
        tries += 1
        now_s += 0.1
    assert tries < 2000


def test_many_sources_do_not_fill_the_memory():
    patience = Patience(NOT_LOCKED)
    for n in range(MOST_SOURCES + 500):
        assert not patience.wrong(f"s{n}", 0.0)
    assert len(patience._sources) == MOST_SOURCES


# sessions and ride codes ---------------------------------------------------------------------


NOW = HandClock().wall()
SET_UP, _TOKEN = with_token(with_pin(Access(), "270341"), "anna")
GYM = Person("gym", "gym")


def test_a_session_ends_by_itself_by_hand_and_is_not_kept_as_it_is():
    sessions = Sessions(SET_UP)
    cookie = sessions.open(ANNA, NOW)
    day = LASTS["technician"]
    assert sessions.who(cookie, NOW + day - timedelta(seconds=1)) == ANNA
    assert sessions.who(cookie, NOW + day) is None
    assert sessions.who("another", NOW) is None
    assert cookie not in sessions._by_cookie
    sessions.close(cookie)
    assert sessions.who(cookie, NOW) is None


def test_a_board_on_a_wall_stays_a_board_over_a_restart_and_a_technician_does_not(tmp_path):
    file = tmp_path / "sessions.json"
    sessions = Sessions(SET_UP, file)
    board, anna = sessions.open(GYM, NOW), sessions.open(ANNA, NOW)
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert board not in file.read_text()
    again = Sessions(SET_UP, file)
    assert again.who(board, NOW + timedelta(days=29)) == GYM
    assert again.who(board, NOW + timedelta(days=30)) is None
    assert again.who(anna, NOW) is None
    again.close(board)
    assert Sessions(SET_UP, file).who(board, NOW) is None
    file.write_text("nonsense")
    assert Sessions(SET_UP, file).who(board, NOW) is None


def test_another_pin_or_a_token_taken_back_ends_what_was_opened_with_it(tmp_path):
    file = tmp_path / "sessions.json"
    board = Sessions(SET_UP, file).open(GYM, NOW)
    assert Sessions(with_pin(SET_UP, "270341"), file).who(board, NOW) is None
    sessions = Sessions(SET_UP)
    cookie = sessions.open(ANNA, NOW)
    sessions._access = without(SET_UP, "anna")
    assert sessions.who(cookie, NOW) is None


def test_sessions_do_not_fill_the_memory():
    sessions = Sessions(SET_UP)
    first = sessions.open(ANNA, NOW)
    for _ in range(MOST):
        sessions.open(ANNA, NOW)
    assert sessions.who(first, NOW) is None


def test_a_ride_code_is_new_every_minute_and_the_one_before_is_good_while_somebody_types():
    codes = RideCodes()
    first = codes.fresh(0.0)
    assert codes.fresh(FRESH_S - 1) == first
    second = codes.fresh(FRESH_S)
    assert second != first
    assert codes.is_good(first, GOOD_S - 1)
    assert not codes.is_good(first, GOOD_S)
    assert not codes.is_good("", 0.0)
    codes.use_up()
    assert not codes.is_good(second, FRESH_S)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Anna\tMaria ", "Anna Maria"),
        ("Zoë", "Zoë"),
        ("سارة", "سارة"),
        ("", ""),
        ("x" * 25, ""),
        ("123", ""),
        ("<b>Anna", ""),
        ("{rider}", ""),
        ("http://x", ""),
        ("An\x00na\u202e", "An na"),
    ],
)
def test_a_name_is_something_a_coach_can_say(typed, name):
    assert plain_name(typed) == name


@given(st.text(max_size=60))
def test_whatever_is_typed_the_name_fits_the_screen(text):
    name = plain_name(text)
    assert len(name) <= 24
    assert name.isprintable()
