"""What a rider hears: one short thing at the right moment, and mostly nothing."""

from itertools import pairwise

import pytest

from firmware_app.coach.book import cue_file, read_cues
from firmware_app.coach.coach import NOBODY, Coach
from firmware_app.form.catalogue import RULES
from firmware_app.form.state import FormState
from firmware_app.settings import Coaching
from firmware_app.wire import Profile

BOOK = read_cues(cue_file("en"))
STEP_S = 0.2


class Bike:
    """A coach, a rider whose faults are set by hand, and all that was said."""

    def __init__(self, rider="Ana", answer="spoken", rides=0, profile=NOBODY, **coaching):
        self.coach = Coach(BOOK, Coaching(**coaching), rider, rides, profile)
        self.answer = answer
        self.now_s = 100.0
        self.said = []

    def ride(self, seconds, *faults, unseen=(), learning=None, fading=(), why="", saddle_cm=None):
        until_s = self.now_s + seconds
        while self.now_s < until_s - 1e-9:
            states = {rule.id: "ok" for rule in RULES}
            states |= dict.fromkeys(faults, "fault") | dict.fromkeys(unseen, "unseen")
            reasons = dict.fromkeys(unseen, why)
            standing, going = "standing" in faults, frozenset(fading)
            form = FormState(self.now_s, states, reasons, learning, standing, going, saddle_cm)
            cue = self.coach.consider(form)
            if cue:
                self.said.append((self.now_s, cue))
                if self.answer:
                    answer = self.answer if cue.voice else "shown"
                    self.coach.outcome(cue.number, answer, self.now_s + 0.4)
            self.now_s += STEP_S
        return self

    @property
    def spoken(self):
        return [(t_s, cue) for t_s, cue in self.said if cue.voice]

    @property
    def texts(self):
        return [cue.text for _, cue in self.said]


def test_a_clean_ride_hears_nothing():
    assert not Bike().ride(600).said


def test_straight_arms_are_told_to_who_keeps_them_not_to_who_stretches_them():
    assert not Bike().ride(10).ride(14, "elbows_locked").ride(20).said
    bike = Bike().ride(10).ride(20, "elbows_locked")
    ((t_s, cue),) = bike.said
    assert (cue.rule, t_s) == ("elbows_locked", pytest.approx(125, abs=0.3))


def test_a_remote_coach_too_waits_until_straight_arms_are_kept():
    bike = Bike().ride(10).ride(5, "elbows_locked")
    states = {rule.id: "ok" for rule in RULES} | {"elbows_locked": "fault"}
    form = FormState(bike.now_s, states, {}, None, standing=False)
    told = bike.coach.offer("elbows_locked", "{name}, soft elbows", form)
    assert told == "this fault may pass by itself yet"


def test_a_fault_is_told_once_by_name_and_goes_stale_quickly():
    bike = Bike().ride(10).ride(20, "shrug")
    ((t_s, cue),) = bike.said
    assert cue.text == "Ana, drop your shoulders"
    assert cue.kind == "correct"
    assert cue.hint
    assert cue.until_s == pytest.approx(t_s + 2.0)


def test_without_a_name_the_sentence_begins_with_the_verb():
    assert Bike(rider="").ride(5, "shrug").texts == ["Drop your shoulders"]


def test_nothing_is_said_while_the_posture_is_being_learnt():
    assert not Bike().ride(60, "shrug", "saddle_low", learning=0.9).said


def test_standing_is_no_fault():
    assert not Bike().ride(120, "standing").said


def test_never_two_sentences_in_thirty_seconds_whatever_happens():
    bike = Bike()
    for rules in (("shrug",), ("head_drop", "sway"), ("bounce",), (), ("lean_low",), ()) * 12:
        bike.ride(11, *rules)
    assert len(bike.spoken) > 8
    assert all(after[0] - before[0] >= 30 for before, after in pairwise(bike.spoken))


def test_the_same_fault_waits_ninety_seconds_then_twice_then_is_only_shown():
    bike = Bike().ride(700, "shrug")
    times = [t_s for t_s, _ in bike.said]
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps[:2] == [pytest.approx(90, abs=0.3), pytest.approx(180, abs=0.3)]
    assert [cue.voice for _, cue in bike.said][:4] == [True, True, True, False]


def test_the_second_time_it_is_said_in_other_words():
    bike = Bike().ride(100, "shrug")
    assert len(set(bike.texts)) == 2


def test_of_two_faults_the_more_important_is_told_and_the_other_waits_its_turn():
    bike = Bike().ride(40, "head_drop", "bounce")
    assert [cue.rule for _, cue in bike.said] == ["bounce", "head_drop"]


def test_what_is_already_being_put_right_is_not_told():
    assert not Bike().ride(5, "shrug", fading=("shrug",)).said


def test_a_correction_that_holds_is_praised_and_the_praise_keeps_the_silence_too():
    bike = Bike().ride(6, "shrug").ride(20)
    kinds = [(cue.kind, cue.voice) for _, cue in bike.said]
    assert kinds == [("correct", True), ("praise", False)]
    correct_s, praise_s = (t_s for t_s, _ in bike.said)
    assert praise_s - correct_s == pytest.approx(6 + 5, abs=0.5)


def test_praise_is_spoken_when_the_coach_may_speak_again():
    bike = Bike().ride(26, "shrug").ride(12)
    assert [(cue.kind, cue.voice) for _, cue in bike.said] == [
        ("correct", True),
        ("praise", True),
    ]
    bike.ride(26, "sway")
    assert [cue.kind for _, cue in bike.said] == ["correct", "praise", "correct"]


def test_praise_is_for_what_was_cued_and_put_right_not_for_what_went_out_of_sight():
    bike = Bike().ride(6, "shrug").ride(40, unseen=("shrug",))
    assert [cue.kind for _, cue in bike.said] == ["correct"]


def test_praise_comes_at_most_once_a_minute():
    bike = Bike()
    for rule in ("shrug", "sway", "head_drop", "bounce", "lean_low", "knees_in"):
        bike.ride(12, rule).ride(20)
    praise = [t_s for t_s, cue in bike.said if cue.kind == "praise"]
    assert len(praise) >= 2
    assert all(after - before >= 60 for before, after in pairwise(praise))


def test_a_dropped_cue_frees_its_slot_but_does_not_flood_the_player():
    bike = Bike(answer="dropped").ride(10, "shrug")
    assert 3 <= len(bike.said) <= 6
    bike.answer = "spoken"
    bike.ride(60, "shrug")
    assert sum(t_s > 110 for t_s, _ in bike.said) == 1


def test_a_cue_that_nobody_answered_keeps_its_slot():
    assert len(Bike(answer="").ride(60, "shrug").said) == 1


def test_silent_means_the_screen_only():
    bike = Bike(style="silent").ride(20, "shrug").ride(10)
    assert bike.said
    assert not bike.spoken


def test_quiet_means_half_as_often():
    bike = Bike(style="quiet").ride(61, "shrug", "sway")
    assert [round(after[0] - before[0]) for before, after in pairwise(bike.said)] == [60]


def test_all_that_is_said_was_announced():
    bike = Bike()
    for rule in RULES:
        bike.ride(20, rule.id).ride(40)
    assert set(bike.texts) <= set(bike.coach.texts())


def test_the_same_ride_is_coached_the_same():
    rides = [Bike().ride(50, "shrug").ride(20).ride(70, "sway").texts for _ in range(2)]
    assert rides[0] == rides[1]


def test_a_rider_who_wishes_for_fewer_cues_hears_half_as_many_then_only_reads_them():
    bike = Bike()
    bike.coach.wish("quieter")
    bike.ride(61, "shrug", "sway")
    assert len(bike.spoken) == 2
    assert bike.spoken[1][0] - bike.spoken[0][0] >= 60
    bike.coach.wish("quieter")
    bike.ride(200, "head_drop")
    assert len(bike.spoken) == 2
    assert len(bike.said) > 2


def test_a_rider_who_wishes_for_more_gets_no_more_than_the_promise():
    bike = Bike(style="quiet")
    for _ in range(3):
        bike.coach.wish("more")
    bike.ride(300, "shrug", "sway", "bounce", "head_drop")
    assert all(b - a >= 30 for (a, _), (b, _) in pairwise(bike.spoken))
    assert len(bike.spoken) > 4


@pytest.mark.parametrize("why", ["hand off the bar", "looking aside"])
def test_nothing_is_said_while_the_rider_drinks_or_looks_aside(why):
    posture = [rule for rule in BOOK.rules if not rule.startswith("cadence")]
    bike = Bike().ride(8, "cadence_low", unseen=posture, why=why)
    assert not bike.said
    assert bike.ride(2, "cadence_low").texts == ["Ana, pedal a touch quicker"]


@pytest.mark.parametrize(
    ("rides", "style", "spoken"),
    [
        (0, "normal", 6), (2, "normal", 6), (3, "normal", 4), (7, "normal", 4),
        (8, "normal", 2), (40, "normal", 2), (40, "more", 6),
    ],
)  # fmt: skip
def test_who_has_ridden_often_hears_less_and_reads_the_rest(rides, style, spoken):
    bike = Bike(rides=rides, style=style)
    for rule in ("shrug", "head_drop", "sway", "rounded_back", "knees_in", "lean_low"):
        bike.ride(31, rule).ride(6)
    corrections = [cue for _, cue in bike.said if cue.kind == "correct"]
    assert len(corrections) == 6
    assert sum(cue.voice for cue in corrections) == spoken
    assert corrections[0].voice


def test_what_is_urgent_is_never_faded():
    bike = Bike(rides=100)
    for rule in ("bounce", "cadence_high", "saddle_low"):
        bike.ride(31, rule).ride(6)
    assert all(cue.voice for _, cue in bike.said if cue.kind == "correct")


def test_a_rider_who_wants_no_voice_reads_the_coach():
    bike = Bike(profile=Profile(voice=False)).ride(20, "shrug")
    ((_, cue),) = bike.said
    assert not cue.voice
    bike.coach.wish("more")
    assert not bike.ride(100, "shrug").spoken


def test_only_who_stays_in_the_saddle_is_told_to_sit_down():
    assert not Bike().ride(60, "standing").said
    bike = Bike(profile=Profile(seated_only=True)).ride(60, "standing")
    assert bike.texts == ["Ana, sit down for this one"]
    assert "Ana, sit down for this one" in bike.coach.texts()
    assert "Ana, sit down for this one" not in Bike().coach.texts()


def test_a_remembered_style_holds_and_a_wish_of_this_ride_is_known():
    bike = Bike(profile=Profile(style="quiet")).ride(200, "shrug", "knees_in")
    assert min(b - a for (a, _), (b, _) in pairwise(bike.spoken)) >= 60
    assert bike.coach.wished == ""
    bike.coach.wish("more")
    assert bike.coach.wished == "normal"


@pytest.mark.parametrize(
    ("rule", "saddle_cm", "hint"),
    [
        ("saddle_low", 1.5, "Try 1.5 cm higher, then look again"),
        ("saddle_high", -2.0, "Try 2 cm lower, then look again"),
        ("saddle_high", 0.0, "Try 0.5 cm lower, then look again"),
    ],
)
def test_a_saddle_is_told_once_and_in_centimetres_to_try(rule, saddle_cm, hint):
    bike = Bike().ride(600, rule, saddle_cm=saddle_cm)
    ((_, cue),) = bike.said
    assert (cue.rule, cue.hint) == (rule, hint)
