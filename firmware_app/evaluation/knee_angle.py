"""How far the knee's lowest flexion, as fitted in time with the crank, is from the true one.

Both are medians over a whole ride from the side: of the fit, once a second, and of the truth's
smallest angle in each turn.
"""

import math
from itertools import pairwise
from statistics import median

from firmware_app.evaluation.labels import Label
from firmware_app.form.crank import CrankPhase
from firmware_app.form.metrics import FormMetrics
from firmware_app.form.window import Window

EVERY_S = 1.0
MIN_TURNS = 5


def error_deg(measured: list[FormMetrics], label: Label) -> float | None:
    """Return fitted less true flexion at the bottom; None where it does not show or is not told."""
    true, seen = _true_deg(label), _seen_deg(measured, label)
    return None if true is None or seen is None else round(seen - true, 2)


def _true_deg(label: Label) -> float | None:
    near = label.per_frame.angles.get(f"knee_flex_{label.camera_side}")
    if label.view != "side" or near is None:
        return None
    known = [
        (t_s, deg)
        for t_s, deg in zip(label.per_frame.t, near, strict=True)
        if deg is not None and not math.isnan(deg)
    ]
    turns = [
        min((deg for t_s, deg in known if start_s <= t_s < end_s), default=None)
        for start_s, end_s in pairwise(label.crank_pulses_s)
    ]
    lowest = [deg for deg in turns if deg is not None]
    return median(lowest) if len(lowest) >= MIN_TURNS else None


def _seen_deg(measured: list[FormMetrics], label: Label) -> float | None:
    window, crank, due_s, found = Window(), CrankPhase(), 0.0, []
    pulses_s = iter(label.crank_pulses_s)
    pulse_s = next(pulses_s, None)
    for metrics in measured:
        while pulse_s is not None and pulse_s <= metrics.t_s:
            crank.pulse(pulse_s)
            pulse_s = next(pulses_s, None)
        window.see(metrics)
        if metrics.t_s >= due_s:
            due_s = metrics.t_s + EVERY_S
            found.append(window.in_time(metrics.t_s, crank).get("knee_bdc_deg"))
    told = [deg for deg in found if deg is not None]
    return median(told) if len(told) >= MIN_TURNS else None
