"""What was taken for what: each fault that was held, by the rule that stood longest during it.

Standing and the saddle are among the columns; two faults held at once each have a row, and the
other one of the two is no confusion. A fault of which more than half could not be judged is
"unseen", one during which no rule stood for two seconds "none". The row "good riding" counts the
runs of a second or more at fault while nothing was held.
"""

from collections.abc import Iterator
from itertools import groupby

from firmware_app.evaluation.drive import JUDGED_HZ, Moment
from firmware_app.evaluation.labels import NUISANCE, WHOLE, Event, Label
from firmware_app.form.catalogue import POSTURE

NONE, UNSEEN, GOOD = "none", "unseen", "good riding"
STOOD_S = 2.0
BLINK_S = 1.0
AFTER_S = 4.0
"""What still stands so soon after a fault speaks of it."""

Taken = tuple[str, str]
"""True fault (or GOOD) and the rule it was taken for (or NONE, UNSEEN)."""


def confusions(label: Label, moments: list[Moment]) -> Iterator[Taken]:
    """Yield each counted fault and each false run of one rider."""
    for event in label.events:
        if event.counts and event.fault in POSTURE and event.fault not in WHOLE:
            yield event.fault, _taken_for(event, label, moments)
    whole = {event.fault for event in label.events if event.fault in WHOLE}
    for rule in POSTURE:
        if rule in whole:
            continue
        runs = groupby(
            moments, key=lambda at: at.form.states[rule] == "fault" and _good(label, at.form.t_s)
        )
        for false, run in runs:
            if false and len(list(run)) >= BLINK_S * JUDGED_HZ:
                yield GOOD, rule


def _taken_for(event: Event, label: Label, moments: list[Moment]) -> str:
    inside = [
        at.form.states
        for at in moments
        if event.t0 + event.ramp_s / 2 <= at.form.t_s <= event.t1 - event.ramp_s / 2
    ]
    beside = {
        other.fault
        for other in label.events
        if other.fault != event.fault and other.t0 < event.t1 and other.t1 > event.t0
    }
    stood = {
        rule: sum(states[rule] == "fault" for states in inside)
        for rule in POSTURE
        if rule not in beside
    }
    rule = max(stood, key=lambda one: (stood[one], one == event.fault))
    if stood[rule] >= STOOD_S * JUDGED_HZ:
        return rule
    blind = sum(states[event.fault] == "unseen" for states in inside)
    return UNSEEN if blind > len(inside) / 2 else NONE


def _good(label: Label, t_s: float) -> bool:
    return not any(
        event.t0 - event.ramp_s / 2 <= t_s <= event.t1 + event.ramp_s / 2 + AFTER_S
        for event in label.events
        if event.fault not in WHOLE and not event.fault.startswith(NUISANCE)
    )
