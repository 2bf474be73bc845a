"""How strongly each rule shows when it is held, and in good riding: what limits are set by."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from firmware_app.coach.book import CueBook
from firmware_app.evaluation.drive import Moment, drive
from firmware_app.evaluation.labels import WHOLE, Clip, Event, Label, recorded
from firmware_app.form.catalogue import POSTURE, RULES

LOOKS_BACK_S = {rule.id: rule.looks_back_s for rule in RULES}
GOOD_SHARE = 0.99
AFTER_S = 4.0


class Limit(NamedTuple):
    """One rule in one view; evidence of 1 begins a fault."""

    view: str
    rule: str
    held: list[float]
    """The middle of each time that it was held and judged."""
    good: float
    """Below this in 99 of 100 moments without any fault."""


def limits(found: list[Clip], book: CueBook) -> Iterator[Limit]:
    """Drive recorded riders and yield each rule that was judged in each view."""
    held: dict[tuple[str, str], list[float]] = {}
    good: dict[tuple[str, str], list[float]] = {}
    for clip in found:
        label = clip.label
        told = list(drive(label.view, recorded(clip.recording, label), label.crank_pulses_s, book))
        calm = [moment for moment in told if _calm(label, moment)]
        for rule in POSTURE:
            place = (label.view, rule)
            good.setdefault(place, []).extend(_shown(rule, calm))
            for event in label.events:
                if event.fault == rule and event.counts:
                    shown = _shown(rule, [one for one in told if _inside(event, one)])
                    held.setdefault(place, []).extend([float(np.median(shown))] if shown else [])
    for (view, rule), shown in sorted(good.items()):
        if shown:
            yield Limit(
                view, rule, held.get((view, rule), []), float(np.quantile(shown, GOOD_SHARE))
            )


def _shown(rule: str, moments: list[Moment]) -> list[float]:
    return [moment.evidence[rule] for moment in moments if rule in moment.evidence]


def _inside(event: Event, moment: Moment) -> bool:
    begins_s = event.t0 + event.ramp_s / 2 + LOOKS_BACK_S[event.fault]
    return begins_s <= moment.form.t_s <= event.t1 - event.ramp_s / 2


def _calm(label: Label, moment: Moment) -> bool:
    return not any(
        event.t0 - event.ramp_s <= moment.form.t_s <= event.t1 + event.ramp_s + AFTER_S
        for event in label.events
        if event.fault not in WHOLE
    )
