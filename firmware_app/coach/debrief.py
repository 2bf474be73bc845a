"""The end of a ride in two sentences: one thing that went well, one thing to work on."""

from collections.abc import Mapping

from firmware_app.coach.book import CueBook
from firmware_app.form.catalogue import PART_OF, STATES

WATCHED_S = 20.0
"""A rule judged for less than this is neither praised nor blamed."""
FAULT_S = 5.0
"""Less of a fault than this in a whole ride is not worth working on."""
SHORT_S = 45.0
"""Learning a rider takes twenty seconds: what was not judged by then says nothing of the camera."""


def debrief(
    book: CueBook,
    riding_s: float,
    fault_s: Mapping[str, float],
    unseen_s: Mapping[str, float],
) -> tuple[str, str]:
    """Return (strength, next thing) for a ride's totals, in seconds by rule.

    The next thing is the fault that stood longest, in share of the time it could be judged. The
    strength is, of what was judged and stayed clean, what stands first in the book: of a part of
    the body that has no fault if there is one, or "your head stayed level" and "eyes up" are told
    in one breath.
    """
    watched = {
        rule: max(riding_s - unseen_s.get(rule, 0.0), fault_s.get(rule, 0.0))
        for rule in book.rules
        if rule not in STATES
    }
    judged = {rule: seconds for rule, seconds in watched.items() if seconds >= WATCHED_S}
    faults = {rule: fault_s.get(rule, 0.0) for rule in watched if fault_s.get(rule, 0.0) >= FAULT_S}
    strength = book.ride.unseen
    next_thing = book.ride.short if riding_s < SHORT_S else book.ride.unseen_next
    if judged:
        wrong = {PART_OF.get(rule, rule) for rule in faults}
        best = min(
            judged,
            key=lambda rule: (
                PART_OF.get(rule, rule) in wrong,
                fault_s.get(rule, 0.0) / judged[rule],
            ),
        )
        strength, next_thing = book.rules[best].strength, book.ride.clean
    if faults:
        next_thing = book.rules[max(faults, key=lambda rule: faults[rule] / watched[rule])].next
    return strength, next_thing
