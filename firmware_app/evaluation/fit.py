"""Fits the map of form/evidence.py to labelled riders: python -m firmware_app.evaluation.fit DIR...

Ridge regression of how far shoulders, head, back and trunk truly went (degrees of the label, as
shares of evidence.FULL) on the deviations that form analysis sees, through the same window and
baseline. Seen obliquely there are few riders yet: those from the front help out, at a tenth of
the weight and with nothing to tell about reach. Nuisances and standing are left out: they are
told by other rules. Prints the weights of each view, and for each fault what riders that were
left out of the fit would have got.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from firmware_app.evaluation.labels import NUISANCE, WHOLE, Clip, Event, Frames, clips, recorded
from firmware_app.form.baseline import Learner
from firmware_app.form.crank import Floats
from firmware_app.form.evidence import FULL, POSTURES
from firmware_app.form.metrics import measure
from firmware_app.form.posture import FIGURES, compare
from firmware_app.form.window import POSTURE_S, Window
from firmware_app.settings import Coaching
from firmware_app.wire import View

STEP_S = 0.2
RIDGE = 1e-5
"""Of the sum of weights; keeps nearly collinear figures from growing against each other."""
HELP = 0.1
"""Weight of a rider from the front among those seen obliquely."""
FAULTY = 3.0
"""Weight of a moment at fault: there are fewer of them."""


class Samples(NamedTuple):
    """One rider: moments by deviations, and what was true of them."""

    name: str
    events: list[Event]
    t_s: Floats
    seen: Floats
    true: Floats
    weight: float = 1.0


def samples(clip: Clip, view: View) -> Samples:
    """Return the moments of one recorded rider that the map of a view is for."""
    label = clip.label
    truth = _truth(label.per_frame)
    window, learner = Window(), Learner(label.view, Coaching().baseline_s)
    rows: list[tuple[float, list[float], list[float]]] = []
    due_s = 0.0
    for frame in recorded(clip.recording, label):
        window.see(measure(frame, label.view))
        if frame.t_s < due_s:
            continue
        due_s += STEP_S
        now = {} if window.blind(frame.t_s) else window.posture(frame.t_s)
        kind = _kind(label.events, frame.t_s)
        if not now or kind == "skip":
            continue
        if kind == "good" and frame.t_s > POSTURE_S:
            learner.learn(now, STEP_S)
        if learner.baseline is None:
            truth.settle(frame.t_s)
            continue
        deviation = compare(label.view, now, learner.baseline.summary)
        rows.append(
            (frame.t_s, [deviation.get(name, 0.0) for name in FIGURES[view]], truth.at(frame.t_s))
        )
    t_s, seen, true = (np.array(column) for column in zip(*rows, strict=True))
    weight = 1.0 if label.view == view else HELP
    return Samples(label.name, label.events, t_s, seen, true, weight)


def fit(riders: list[Samples]) -> Floats:
    """Return a matrix of weights, deviations by postures."""
    seen = np.concatenate([rider.seen for rider in riders])
    true = np.concatenate([rider.true for rider in riders])
    weight = np.concatenate([np.full(len(rider.t_s), rider.weight) for rider in riders])
    weight = (weight * np.where((np.abs(true) > 0.4).any(axis=1), FAULTY, 1.0))[:, None]
    square = seen.T @ (weight * seen) + RIDGE * weight.sum() * np.eye(seen.shape[1])
    solution: Floats = np.linalg.solve(square, seen.T @ (weight * true))
    return solution


class _Truth:
    """True postures as shares of FULL, from the rider's own before the baseline stood."""

    def __init__(self, t_s: Floats, postures: Floats) -> None:
        self._t_s = t_s
        self._postures = postures
        self._base = postures[:1].mean(axis=0)

    def settle(self, t_s: float) -> None:
        """Take everything up to here as the rider's own."""
        self._base = np.median(self._postures[self._t_s <= t_s], axis=0)

    def at(self, t_s: float) -> list[float]:
        """Return the postures in the window that ends here."""
        recent = (self._t_s > t_s - POSTURE_S) & (self._t_s <= t_s)
        share: list[float] = (
            (np.median(self._postures[recent], axis=0) - self._base) / list(FULL.values())
        ).tolist()
        return share


def _truth(frames: Frames) -> _Truth:
    columns = (*(frames.param[name] for name in ("shrug", "head", "round")),)
    postures = np.array([*columns, frames.angles["trunk_lean"]], dtype=float).T
    return _Truth(np.array(frames.t), postures)


def _kind(events: list[Event], t_s: float) -> str:
    """Tell a moment of good riding from a fault, and from what the map is not for."""
    for event in events:
        if event.fault in WHOLE or not event.t0 - 1.5 < t_s < event.t1 + 3.5:
            continue
        nuisance = event.fault.startswith(NUISANCE) and event.fault != "nuisance_passer"
        return "skip" if nuisance or event.fault == "standing" else "fault"
    return "good"


def _left_out(riders: list[Samples]) -> Iterator[str]:
    for place, rider in enumerate(riders):
        if rider.weight < 1:
            continue
        got = rider.seen @ fit(riders[:place] + riders[place + 1 :])
        good = np.array([_kind(rider.events, t_s) == "good" for t_s in rider.t_s])
        top = np.quantile(got[good], 0.99, axis=0).round(2).tolist() if good.any() else []
        yield f"{rider.name:24s} good riding, 99 %      {top}"
        for event in rider.events:
            held = (rider.t_s > event.t0 + event.ramp_s + 1) & (rider.t_s < event.t1 - event.ramp_s)
            if event.fault in POSTURES and held.any():
                middle, true = np.median(got[held], axis=0), np.median(rider.true[held], axis=0)
                yield (
                    f"{rider.name:24s} {event.fault:14s} got {middle.round(2).tolist()}"
                    f" true {true.round(2).tolist()}"
                )


def main(folders: list[str]) -> None:
    """Fit and print."""
    found = [clip for folder in folders for clip in clips(Path(folder)) if clip.recording.is_file()]
    views: tuple[View, ...] = ("front", "oblique", "side")
    for view in views:
        shown = {view, "front"} if view == "oblique" else {view}
        riders = [samples(clip, view) for clip in found if clip.label.view in shown]
        own = sum(rider.weight == 1 for rider in riders)
        if own < 2:
            continue
        print(f"\n{view}: {own} riders; {', '.join(POSTURES)} by {', '.join(FIGURES[view])}")  # noqa: T201 - for people
        for rule, weights in zip(POSTURES, fit(riders).T.round(2).tolist(), strict=True):
            print(f'    "{rule}": {tuple(weights)},')  # noqa: T201 - for people
        print(*_left_out(riders), sep="\n")  # noqa: T201 - for people


if __name__ == "__main__":
    main(sys.argv[1:])
