"""Fits form/fitted.py to labelled riders: the ways in which postures show, and their spread.

Every moment of every recorded rider goes through the window and the baseline that a ride uses. Of
each fault that was held, the middle of its moments, divided by how far it truly went, is one
example; their mean is the way and their scatter the spread of that posture. What good riding does
meanwhile (faults of other kinds included) is its own spread. Seen obliquely there are few riders
yet: those from the front help out there, turned.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from firmware_app.evaluation.labels import NUISANCE, WHOLE, Clip, Event, recorded
from firmware_app.form.baseline import Learner
from firmware_app.form.crank import Floats
from firmware_app.form.likeness import UNIT, compared, model_of
from firmware_app.form.metrics import measure
from firmware_app.form.posture import FIGURES, compare
from firmware_app.form.window import POSTURE_S, Summary, Window
from firmware_app.settings import Coaching
from firmware_app.wire import View

FULL = {
    "shrug": 20.0, "head_drop": 50.0, "rounded_back": 45.0, "lean_low": 16.0, "elbows_locked": 0.93,
}  # fmt: skip
"""Peak of a full fault in a label: degrees of the shoulders, head, back and trunk; arms' share."""
TURNED = {
    "shrug": (-0.062, 0.028, 0.058, 0.006, 0.02), "head_drop": (-0.013, -0.01, 0.026, 0.125, 0.0),
    "rounded_back": (0.036, 0.06, 0.036, -0.002, 0.015),
    "lean_low": (-0.092, 0.055, 0.054, -0.02, 0.11),
    "elbows_locked": (0.015, 0.021, 0.023, -0.01, -0.04),
}  # fmt: skip
"""What a full fault shows more obliquely (30 to 40 degrees) than from the front: the true points of
27 and 9 rendered riders; reach, and the nose of who leans or locks the arms, as the full model saw
them on eight more."""
PASSES = frozenset({"nuisance_passer"})
STEP_S = 0.2
BEFORE_S, AFTER_S = 1.5, 3.5
"""So near to a fault it is neither that nor good riding."""
MOMENTS = 5
"""Fewer moments of a fault are no example."""
EXAMPLES = 3
"""Fewer examples have no spread of their own."""
ELSEWHERE = 0.1
"""Who rides well so far from the baseline is not judged against their own: it was replaced."""
ALONE = 0.1
"""Each figure's own scatter counts so much more: few examples scatter too little."""


class Seen(NamedTuple):
    """What one rider adds."""

    moments: int
    """Without a posture fault ..."""
    mean: Floats
    """... their mean deviation [F], in the order of FIGURES ..."""
    square: Floats
    """... and the sum of their squares [F, F]."""
    faults: list[tuple[str, list[float]]]
    """Posture and its deviations at full strength, one for each time that it was held."""


def watch(clip: Clip, view: View) -> Seen:
    """Return what a recorded rider shows of the postures, in the figures of a view."""
    label = clip.label
    window, learner = Window(), Learner(label.view, Coaching().baseline_s)
    good: list[list[float]] = []
    held: dict[Event, list[list[float]]] = {}
    due_s = 0.0
    for frame in recorded(clip.recording, label):
        window.see(measure(frame, label.view))
        if frame.t_s < due_s:
            continue
        due_s += STEP_S
        now: Summary = {} if window.blind(frame.t_s) else window.posture(frame.t_s)
        at = _at(label.events, frame.t_s)
        if not now or at == "between":
            continue
        if at is None and frame.t_s > POSTURE_S:
            learner.learn(now, STEP_S)
        if learner.baseline is None:
            continue
        found = compare(label.view, now, learner.baseline.summary)
        row = [found.get(name, 0.0) for name in FIGURES[view]]
        if isinstance(at, Event):
            held.setdefault(at, []).append(row)
        else:
            good.append(row)
    rows = np.array(good).reshape(-1, len(FIGURES[view]))
    examples = [_example(event, shown) for event, shown in held.items() if len(shown) > MOMENTS]
    return Seen(len(rows), rows.sum(axis=0) / max(len(rows), 1), rows.T @ rows, examples)


def _example(event: Event, rows: list[list[float]]) -> tuple[str, list[float]]:
    strength = (event.peak or FULL[event.fault]) / FULL[event.fault]
    example: list[float] = (np.median(np.array(rows), axis=0) / strength).tolist()
    return event.fault, example


def _at(events: list[Event], t_s: float) -> Event | str | None:
    """Return the posture that is held, "between", or None in good riding and other faults."""
    for event in events:
        if event.fault in WHOLE | PASSES or not event.t0 - BEFORE_S < t_s < event.t1 + AFTER_S:
            continue
        if event.fault.startswith(NUISANCE) or event.fault == "standing":
            return "between"
        if event.fault in FULL:
            inside = event.t0 + event.ramp_s / 2 + POSTURE_S < t_s < event.t1 - event.ramp_s / 2
            return event if inside else "between"
    return None


def fitted(riders: list[Seen]) -> tuple[Floats, dict[str, tuple[Floats, Floats]]]:
    """Return the covariance of good riding, and each posture's way and covariance."""
    riders = [rider for rider in riders if rider.moments and np.abs(rider.mean).max() < ELSEWHERE]
    ways = {}
    for posture in FULL:
        examples = np.array(
            [row for rider in riders for name, row in rider.faults if name == posture]
        )
        if len(examples) >= EXAMPLES:
            spread = np.cov(examples.T)
            ways[posture] = (examples.mean(axis=0), spread + ALONE * np.diag(np.diag(spread)))
    moments = sum(rider.moments for rider in riders)
    good: Floats = np.sum([rider.square for rider in riders], axis=0) / moments
    return good, ways


def riders_of(found: list[Clip], view: View) -> list[Seen]:
    """Return what all riders of a view show; obliquely those from the front help out."""
    shown = {view, "front"} if view == "oblique" else {view}
    return [
        seen if clip.label.view == view else _turned(seen)
        for clip, seen in ((one, watch(one, view)) for one in found if one.label.view in shown)
    ]


def _turned(seen: Seen) -> Seen:
    """Return what a rider from the front would show obliquely."""
    faults = [
        (name, [value + more for value, more in zip(example, TURNED[name], strict=True)])
        for name, example in seen.faults
    ]
    return seen._replace(faults=faults)


def left_out(riders: list[Seen]) -> Iterator[tuple[str, str, float]]:
    """Yield each example's posture, what a fit without its rider takes it for, and how surely.

    How surely is as likeness.py has it; good riding is "good".
    """
    for place, rider in enumerate(riders):
        if rider.faults:
            good, ways = fitted(riders[:place] + riders[place + 1 :])
            if not ways:
                continue
            model = model_of(good, ways)
            for posture, example in rider.faults:
                told = compared(model, example)
                best = max(told, key=lambda name: told[name].ahead)
                sure = told[best].ahead
                yield posture, best if sure > 0 else "good", abs(sure)


def written(fits: dict[View, tuple[Floats, dict[str, tuple[Floats, Floats]]]]) -> str:
    """Return fitted.py, in hundredths."""
    text = [HEAD, "GOOD: dict[View, Triangle] = {"]
    for view, (good, _) in fits.items():
        text += [f'    "{view}": (', *_rows(good, 8), "    ),"]
    text += ["}", GOOD_SAYS, "WAYS: dict[View, dict[str, tuple[tuple[float, ...], Triangle]]] = {"]
    for view, (_, ways) in fits.items():
        text.append(f'    "{view}": {{')
        for posture, (way, spread) in ways.items():
            text.append(f'        "{posture}": (')
            text.append(f"            {tuple((way / UNIT).round(2).tolist())},")
            text += ["            (", *_rows(spread, 16), "            ),", "        ),"]
        text.append("    },")
    return "\n".join([*text, "}", WAYS_SAYS, ""])


def _rows(square: Floats, indent: int) -> Iterator[str]:
    """Yield the rows of a covariance up to its diagonal."""
    for place, row in enumerate((square / UNIT**2).round(2).tolist()):
        yield f"{' ' * indent}{tuple(row[: place + 1])},"


HEAD = '''"""The postures as numbers, in hundredths; for likeness.py. Written by `bikebox tune`."""

from firmware_app.wire import View

Triangle = tuple[tuple[float, ...], ...]
"""A covariance's rows up to its diagonal."""'''
GOOD_SAYS = '"""How good riding wanders, in the figures of posture.FIGURES."""'
WAYS_SAYS = (
    '"""Where each posture goes at full strength, and how that differs from rider to rider."""'
)
