"""Scores states and cues against what truly happened, by rule and view.

By segment: a fault is found when its rule stood at `fault` for two seconds or more while it was
held (half a ramp left out on either side). Every other run of a second or more at `fault` is a
false one; what hangs on for four seconds after a fault has ended is neither. By seconds: the same
times, counted. Events that the camera could hardly see (unoccluded below 0.5) or that do not show
in the pose (weak) count neither way.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from msgspec import Struct

from firmware_app.evaluation.drive import JUDGED_HZ, Moment
from firmware_app.evaluation.labels import NUISANCE, WHOLE, Event, Label
from firmware_app.form.catalogue import POSTURE, RULES
from firmware_app.settings import Coaching

FOUND_S = 2.0
FALSE_S = 1.0
AFTER_S = 4.0
"""A window and a dwell time: so long a state may still speak of what has just ended."""
STEP_S = 1 / JUDGED_HZ
QUIET_S = Coaching().quiet_s
WINDOW_S = {rule.id: rule.on_s + rule.looks_back_s for rule in RULES}
WORD_S = {rule.id: WINDOW_S[rule.id] + rule.said_after_s for rule in RULES}
LATE_S = 1.0


class Outcome(Struct):
    """One labelled fault, and what became of it."""

    clip: str
    fault: str
    t0: float
    t1: float
    counts: bool
    found: bool
    delay_s: float | None
    """From half height of the fault to its state; None when it was not found."""
    held_s: float
    unseen_share: float


class Tally(Struct):
    """One rule in one view, over any number of riders."""

    events: int = 0
    found: int = 0
    unseen_events: int = 0
    """Events of which more than half could not be judged; misses all the same."""
    false_runs: int = 0
    hit_s: float = 0.0
    missed_s: float = 0.0
    false_s: float = 0.0
    watched_s: float = 0.0
    unseen_s: float = 0.0
    delays_s: list[float] = []

    def add(self, other: "Tally") -> None:
        """Take in another rider."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def figures(self) -> dict[str, float | int | None]:
        """Return precision, recall and F1, by segment and by seconds, and how much was seen."""
        precision = _share(self.found, self.found + self.false_runs)
        recall = _share(self.found, self.events)
        by_s = _share(self.hit_s, self.hit_s + self.false_s)
        recall_s = _share(self.hit_s, self.hit_s + self.missed_s)
        return {
            "events": self.events,
            "found": self.found,
            "unseen_events": self.unseen_events,
            "false_runs": self.false_runs,
            "precision": precision,
            "recall": recall,
            "f1": _f1(precision, recall),
            "precision_s": by_s,
            "recall_s": recall_s,
            "f1_s": _f1(by_s, recall_s),
            "false_s": round(self.false_s, 1),
            "unseen_share": _share(self.unseen_s, self.watched_s),
            "delay_median_s": _median(self.delays_s),
        }


class Talk(Struct):
    """Corrections that nobody needed."""

    good_s: float = 0.0
    """Riding without a fault, nuisances included."""
    corrections: int = 0
    praises: int = 0
    false_in_good: int = 0
    wrong_in_fault: int = 0
    """Said during a fault, but about another one."""
    delays_s: list[float] = []
    """From a fault's half height to the first word about it, as far as one could have been said:
    while the last word was less than QUIET_S ago nothing is."""
    late: int = 0
    """Of these, said later than the rule's window and LATE_S."""

    def add(self, other: "Talk") -> None:
        """Take in another rider."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def figures(self) -> dict[str, float | int | None]:
        """Return the counts, and false cues for an hour of good riding."""
        per_hour = self.false_in_good / (self.good_s / 3600) if self.good_s else None
        return {
            "good_riding_s": round(self.good_s, 1),
            "corrections": self.corrections,
            "praises": self.praises,
            "false_cues_in_good_riding": self.false_in_good,
            "false_cues_per_hour": None if per_hour is None else round(per_hour, 2),
            "wrong_cues_in_faults": self.wrong_in_fault,
            "cues_right": _share(
                self.corrections - self.false_in_good - self.wrong_in_fault, self.corrections
            ),
            "cue_delay_median_s": _median(self.delays_s),
            "cues_late": self.late,
        }


def outcomes(label: Label, moments: list[Moment]) -> Iterator[Outcome]:
    """Yield what became of each labelled fault that there is a rule for."""
    for event in label.events:
        if event.fault not in POSTURE:
            continue
        inside = [moment for moment in moments if _held(event, moment.form.t_s)]
        states = [moment.form.states[event.fault] for moment in inside]
        at = [m.form.t_s for m, state in zip(inside, states, strict=True) if state == "fault"]
        found = len(at) * STEP_S >= FOUND_S
        yield Outcome(
            clip=label.name,
            fault=event.fault,
            t0=event.t0,
            t1=event.t1,
            counts=event.counts and bool(inside),
            found=found,
            delay_s=round(at[0] - event.t0, 1) if found else None,
            held_s=round(len(at) * STEP_S, 1),
            unseen_share=states.count("unseen") / len(states) if states else 1.0,
        )


def tally(rule: str, label: Label, moments: list[Moment], met: Iterable[Outcome]) -> Tally:
    """Score one rule on one rider."""
    own = [event for event in label.events if event.fault == rule]
    score = Tally(watched_s=len(moments) * STEP_S)
    for one in met:
        if one.fault == rule and one.counts:
            score.events += 1
            score.found += one.found
            score.unseen_events += one.unseen_share > 0.5
            score.delays_s = score.delays_s + ([one.delay_s] if one.delay_s is not None else [])
    for moment in moments:
        state, t_s = moment.form.states[rule], moment.form.t_s
        held = any(event.counts and _held(event, t_s) for event in own)
        score.unseen_s += STEP_S * (state == "unseen")
        score.hit_s += STEP_S * (held and state == "fault")
        score.missed_s += STEP_S * (held and state != "fault")
        score.false_s += STEP_S * _false(rule, own, moment)
    runs = groupby(moments, key=lambda moment: _false(rule, own, moment))
    lengths_s = [len(list(run)) * STEP_S for false, run in runs if false]
    score.false_runs = sum(length_s >= FALSE_S for length_s in lengths_s)
    return score


def talk(label: Label, moments: list[Moment]) -> Talk:
    """Score what the coach said to one rider."""
    real = [e for e in label.events if not e.fault.startswith(NUISANCE) and e.fault not in WHOLE]
    whole = {event.fault for event in label.events if event.fault in WHOLE}
    score = Talk()
    met: set[Event] = set()
    free_s = 0.0
    for moment in moments:
        t_s = moment.form.t_s
        around = [event for event in real if event.t0 - event.ramp_s / 2 <= t_s <= event.t1 + 1]
        score.good_s += STEP_S * (not around)
        cue = moment.cue
        if cue is None:
            continue
        score.praises += cue.kind == "praise"
        since_s, free_s = free_s, t_s + QUIET_S if cue.voice else free_s
        if cue.kind == "praise":
            continue
        score.corrections += 1
        for event in around:
            if event.fault == cue.rule and event not in met:
                met.add(event)
                delay_s = round(t_s - max(event.t0, since_s), 1)
                score.delays_s = [*score.delays_s, delay_s]
                score.late += delay_s > WORD_S[cue.rule] + LATE_S
        if cue.rule in whole or any(event.fault == cue.rule for event in around):
            continue
        score.false_in_good += not around
        score.wrong_in_fault += bool(around)
    return score


def _held(event: Event, t_s: float) -> bool:
    return event.t0 + event.ramp_s / 2 <= t_s <= event.t1 - event.ramp_s / 2


def _false(rule: str, own: list[Event], moment: Moment) -> bool:
    """Tell a fault that is none; standing, a state, is held to the same."""
    t_s = moment.form.t_s
    return moment.form.states[rule] == "fault" and not any(
        event.t0 - event.ramp_s / 2 <= t_s <= event.t1 + event.ramp_s / 2 + AFTER_S for event in own
    )


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 3) if whole else None


def _f1(precision: float | None, recall: float | None) -> float | None:
    if precision is None or recall is None:
        return None
    both = precision + recall
    return round(2 * precision * recall / both, 3) if both else 0.0


def _median(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
