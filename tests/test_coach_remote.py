"""A remote coach's words: said when they are true, short and about the fault; refused otherwise."""

import pytest

from firmware_app.coach.book import cue_file, read_cues, with_name
from firmware_app.coach.coach import Coach, Cue
from firmware_app.coach.remote import Refused, RemoteCoach, RemoteCue
from firmware_app.form.catalogue import RULES, STATES
from firmware_app.form.state import FormState
from firmware_app.settings import Coaching

BOOK = read_cues(cue_file("en"))


def riding(t_s=100.0, *faults, unseen=(), fading=(), learning=None):
    states = {rule.id: "ok" for rule in RULES} | dict.fromkeys(faults, "fault")
    states |= dict.fromkeys(unseen, "unseen")
    why = dict.fromkeys(unseen, "knees hidden")
    return FormState(t_s, states, why, learning, standing=False, fading=frozenset(fading))


def cue(rule="shrug", words="Ana, soften your shoulders", language="en"):
    return RemoteCue(rule=rule, words=words, language=language)


def given(what, form, rider="Ana", coach=None):
    coach = coach or Coach(BOOK, Coaching(), rider)
    return RemoteCoach(BOOK, "en", rider).give(what, form, coach)


def test_true_short_words_about_a_standing_fault_are_said():
    told = given(cue(), riding(100.0, "shrug"))
    assert isinstance(told, Cue)
    assert (told.text, told.kind, told.voice) == ("Ana, soften your shoulders", "correct", True)
    assert told.until_s == 102.0


@pytest.mark.parametrize("rule", sorted(BOOK.rules.keys() - STATES))
def test_the_coachs_own_sentences_would_all_pass(rule):
    for say in BOOK.rules[rule].say:
        coach = Coach(BOOK, Coaching(), "Ana")
        coach.consider(riding(80.0, rule), quiet="the instructor talks")
        told = given(cue(rule, with_name(say, "Ana")), riding(100.0, rule), coach=coach)
        assert isinstance(told, Cue), told


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Raise your shoulders", "raise"),
        ("Don't drop your shoulders", "don't"),
        ("Eyes up, look ahead", "eyes"),
        ("Ben, drop your shoulders", "ben"),
        ("Lass die Schultern fallen", "lass"),
        ("Drop your shoulders or you get hurt", "or"),
        ("Let it go now", "names none of shoulders"),
        ("Drop your shoulders and keep your neck long now", "9 words"),
        ("Drop your shoulders by 5 cm", "figures"),
        ("Drop your shoulders?", "questions"),
        ("<b>shoulders</b>", "plain sentence"),
        ("shoulders http://x.y", "plain sentence"),
        ("{name}, drop your shoulders", "plain sentence"),
    ],
)
def test_words_that_could_mislead_are_refused_with_the_reason(words, why):
    told = given(cue(words=words), riding(100.0, "shrug"))
    assert isinstance(told, Refused)
    assert why in told.why


@pytest.mark.parametrize(
    ("what", "form", "why"),
    [
        (cue(), riding(), "does not stand"),
        (cue(), riding(100.0, "head_drop"), "does not stand"),
        (cue("knees_in", "Knees apart"), riding(unseen=["knees_in"]), "knees hidden"),
        (cue(), riding(100.0, "shrug", fading=["shrug"]), "putting it right"),
        (cue(), riding(100.0, "shrug", learning=0.5), "not known yet"),
        (cue("standing", "Sit down now"), riding(100.0, "standing"), "does not stand"),
        (cue("posture"), riding(), "no fault is called"),
        (cue(language="de"), riding(100.0, "shrug"), "hears en"),
    ],
)
def test_what_is_not_true_now_is_refused(what, form, why):
    told = given(what, form)
    assert isinstance(told, Refused)
    assert why in told.why


def test_a_remote_cue_takes_the_same_slot_as_our_own():
    coach = Coach(BOOK, Coaching(), "Ana")
    assert isinstance(given(cue(), riding(100.0, "shrug"), coach=coach), Cue)
    assert coach.consider(riding(110.0, "shrug", "sway")) is None
    told = given(cue("sway", "Keep your upper body steady"), riding(120.0, "sway"), coach=coach)
    assert told == Refused("something was said just now")
    own = coach.consider(riding(131.0, "sway"))
    assert own is not None
    told = given(cue(), riding(140.0, "shrug"), coach=coach)
    assert told == Refused("something was said just now")
    told = given(cue(), riding(170.0, "shrug"), coach=coach)
    assert told == Refused("this fault was told a short while ago")


def test_a_dropped_remote_cue_gives_its_slot_back():
    coach = Coach(BOOK, Coaching(), "Ana")
    told = given(cue(), riding(100.0, "shrug"), coach=coach)
    coach.outcome(told.number, "dropped", 101.0)
    assert isinstance(given(cue(), riding(104.0, "shrug"), coach=coach), Cue)


def test_what_is_spoken_three_times_is_then_shown_only_whoever_words_it():
    coach = Coach(BOOK, Coaching(), "Ana")
    told = [given(cue(), riding(t_s, "shrug"), coach=coach) for t_s in (100, 200, 400, 700)]
    assert [one.voice for one in told] == [True, True, True, False]


def test_a_remote_coach_who_is_waited_for_speaks_first_and_ours_when_there_is_none():
    waits = Coaching(remote_first_s=1.0)
    coach = Coach(BOOK, waits, "Ana")
    assert coach.consider(riding(100.0, "shrug")) is None
    assert isinstance(given(cue(), riding(100.8, "shrug"), coach=coach), Cue)
    assert coach.consider(riding(101.2, "shrug")) is None
    alone = Coach(BOOK, waits, "Ana")
    assert alone.consider(riding(100.0, "shrug")) is None
    assert alone.consider(riding(100.8, "shrug")) is None
    assert alone.consider(riding(101.0, "shrug")) is not None
    assert alone.consider(riding(110.0, "shrug", "sway")) is None
    assert alone.consider(riding(131.4, "sway")) is None, "the remote coach has the slot first"
    assert alone.consider(riding(132.2, "sway")) is not None
