"""The end of the ride: one strength, one next thing, and neither invented."""

from firmware_app.coach.book import cue_file, read_cues
from firmware_app.coach.debrief import debrief

BOOK = read_cues(cue_file("en"))
WATCHED = dict.fromkeys(BOOK.rules, 0.0)


def test_the_longest_fault_is_the_next_thing_and_a_clean_rule_the_strength():
    strength, next_thing = debrief(BOOK, 600, {"shrug": 60.0, "sway": 20.0}, WATCHED)
    assert next_thing == BOOK.rules["shrug"].next
    assert strength not in (BOOK.rules["shrug"].strength, BOOK.rules["sway"].strength)


def test_what_went_well_is_about_another_part_of_the_body_than_what_did_not():
    strength, next_thing = debrief(BOOK, 600, {"head_drop": 60.0, "shrug": 30.0}, WATCHED)
    assert next_thing == BOOK.rules["head_drop"].next
    head_and_shoulders = ("head_drop", "head_tilt", "shrug", "shoulder_tilt")
    assert strength not in {BOOK.rules[rule].strength for rule in head_and_shoulders}


def test_when_every_part_has_a_fault_there_is_still_a_strength():
    faults = dict.fromkeys(("head_drop", "shrug", "elbows_locked", "sway", "knees_in"), 60.0)
    strength, _ = debrief(BOOK, 600, faults, WATCHED)
    assert strength in {rule.strength for rule in BOOK.rules.values()}


def test_a_fault_counts_by_the_time_it_could_be_seen():
    unseen = WATCHED | {"sway": 560.0}
    _, next_thing = debrief(BOOK, 600, {"shrug": 60.0, "sway": 30.0}, unseen)
    assert next_thing == BOOK.rules["sway"].next


def test_a_clean_ride_is_told_to_go_on():
    assert debrief(BOOK, 600, {}, WATCHED)[1] == BOOK.ride.clean


def test_who_was_never_seen_is_not_praised_for_posture():
    unseen = dict.fromkeys(BOOK.rules, 600.0)
    assert debrief(BOOK, 600, {}, unseen) == (BOOK.ride.unseen, BOOK.ride.unseen_next)


def test_what_was_seen_for_a_moment_only_is_no_strength():
    unseen = dict.fromkeys(BOOK.rules, 600.0) | {"sway": 100.0, "shrug": 595.0}
    assert debrief(BOOK, 600, {}, unseen)[0] == BOOK.rules["sway"].strength


def test_a_ride_too_short_to_learn_the_rider_does_not_blame_the_camera():
    unseen = dict.fromkeys(BOOK.rules, 20.0)
    assert debrief(BOOK, 20, {}, unseen) == (BOOK.ride.unseen, BOOK.ride.short)
