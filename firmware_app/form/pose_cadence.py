"""Cadence from the pose alone: what the crank sensor is checked by, and what stands in for it.

The height difference of the knees (from the side the near knee's flexion) is fitted with one
harmonic at every cadence from 40 to 130 rpm over six seconds; the best fit is the cadence. A
second harmonic would lock on to half the cadence in up to a third of the windows (simulated).
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from firmware_app.form.crank import Floats
from firmware_app.form.metrics import FormMetrics

WINDOW_S = 6.0
SLOWEST_RPM, FASTEST_RPM = 40.0, 130.0
STEP_RPM = 2.0
"""A fifth of what six seconds can tell apart; a parabola does the rest."""
_RPM = np.arange(SLOWEST_RPM, FASTEST_RPM + 0.5, STEP_RPM)
MIN_FRAMES = 40
"""In the window: fewer than 7 a second do not carry 130 rpm."""
SURE = 0.6
"""A turn of the legs explains at least this share of how the knees move."""
EVERY_S = 2.0


class PoseRpm(NamedTuple):
    """Cadence, and the share of the knees' motion that one turning explains, 0 to 1."""

    rpm: float
    fit: float


class PoseCadence:
    """Remembers six seconds of the knees."""

    def __init__(self) -> None:
        self._swings: deque[tuple[float, float]] = deque()
        self._told: PoseRpm | None = None
        self._due_s = float("-inf")

    def see(self, metrics: FormMetrics) -> None:
        """Take in one frame; one without knees is left out."""
        now = swing(metrics)
        if now is not None:
            self._swings.append((metrics.t_s, now))

    def estimate(self, t_s: float) -> PoseRpm | None:
        """Return the cadence of the last six seconds; None when the knees do not tell it.

        Worked out every two seconds; between, the last answer stands.
        """
        while self._swings and self._swings[0][0] < t_s - WINDOW_S:
            self._swings.popleft()
        if t_s >= self._due_s:
            self._due_s = t_s + EVERY_S
            self._told = self._fit()
        return self._told

    def _fit(self) -> PoseRpm | None:
        if len(self._swings) < MIN_FRAMES:
            return None
        t_s, swings = (np.array(column) for column in zip(*self._swings, strict=True))
        if t_s[-1] - t_s[0] < 0.8 * WINDOW_S:
            return None
        found = best_fit(t_s - t_s[0], swings)
        at_the_end = not SLOWEST_RPM < found.rpm < FASTEST_RPM
        return None if found.fit < SURE or at_the_end else found


def best_fit(t_s: Floats, swing: Floats) -> PoseRpm:
    """Return the cadence whose one harmonic explains most of the swing; t_s, swing: [T].

    Each harmonic is fitted beside a level and a drift, which are taken out of both first; the
    best cadence is refined between its neighbours by a parabola.
    """
    drift = t_s - t_s.sum() / len(t_s)
    drift /= math.sqrt(drift @ drift)
    level = np.full_like(t_s, 1 / math.sqrt(len(t_s)))
    rest = swing - (swing @ level) * level - (swing @ drift) * drift
    whole = float(rest @ rest)
    if whole <= 0:
        return PoseRpm(SLOWEST_RPM, 0.0)
    cos, sin = _turns(t_s)
    seen = np.array([level, drift, rest]).T
    (cos_level, cos_drift, c), (sin_level, sin_drift, s) = (cos @ seen).T, (sin @ seen).T
    cos_cos = np.einsum("rt,rt->r", cos, cos)
    cc = cos_cos - cos_level**2 - cos_drift**2
    ss = len(t_s) - cos_cos - sin_level**2 - sin_drift**2
    cs = np.einsum("rt,rt->r", cos, sin) - cos_level * sin_level - cos_drift * sin_drift
    explained = (c * c * ss - 2 * c * s * cs + s * s * cc) / (cc * ss - cs * cs) / whole
    at = int(explained.argmax())
    rpm = float(_RPM[at])
    if 0 < at < len(_RPM) - 1:
        before, top, after = explained[at - 1 : at + 2].tolist()
        rpm += 0.5 * STEP_RPM * (before - after) / (before - 2 * top + after)
    return PoseRpm(round(rpm, 2), float(explained[at]))


def _turns(t_s: Floats) -> tuple[Floats, Floats]:
    """Return cos and sin of a crank's phase at every cadence: [R, T] each.

    Multiplied up from the slowest by ever larger steps: thousands of angles take longer.
    """
    slowest, step = np.exp(1j * math.tau / 60 * np.outer((SLOWEST_RPM, STEP_RPM), t_s))
    turns = slowest[None]
    while len(turns) < len(_RPM):
        turns = np.concatenate([turns, turns * step])
        step = step * step
    turns = turns[: len(_RPM)]
    return turns.real.copy(), turns.imag.copy()


def swing(metrics: FormMetrics) -> float | None:
    """Return what of the legs goes up and down once a turn; None while they are not seen."""
    if metrics.knees is not None:
        return metrics.knees.left_y - metrics.knees.right_y
    return metrics.knee_deg
