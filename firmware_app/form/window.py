"""The last seconds of frames, summed up: where the body is, what it does in time with the crank.

Posture is the median of the last two seconds: two to three turns of the crank. What moves with
the crank is fitted by least squares over the last four: a level, a drift, and the first two
harmonics of the crank's own phase (three for the knee). A filter before the fit would only bend
it. At 8 to 30 frames a second the fit of a knee's lowest flexion is right within about 2 degrees
where the smallest value seen is wrong by 4 to 13 (simulated).
"""

import math
from collections import deque
from typing import Literal

import numpy as np

from firmware_app.form.crank import CrankPhase, Floats
from firmware_app.form.metrics import FormMetrics

POSTURE_S = 2.0
CRANK_S = 4.0
SEEN = 0.6
"""A length that was seen in less of the frames than this is not seen."""
MIN_FRAMES = 8
"""Fewer frames than this in two seconds say nothing."""
KNEE_DEG = (-0.8, 1.14)
"""From the flexion in the picture to the true one: BlazePose draws a bent knee straighter, the more
the further it is bent. Fitted to 13 rendered riders from 10 to 60 degrees; a rider left out of the
fit is told within 2.3 degrees (median)."""
_MEASURES = (
    *("shoulder_x", "shoulder_y", "shoulder_span", "shoulder_tilt"),
    *("ear_x", "ear_y", "ear_span", "nose_x", "nose_y", "ear_tilt"),
    *("hip_x", "hip_y"),
    *("left_deg", "right_deg"),
    *("left_elbow_out", "right_elbow_out"),
    *("left_knee_x", "left_knee_y", "right_knee_x", "right_knee_y"),
    *("knee_deg", "hand", "over_hands"),
)
ROW = {name: row for row, name in enumerate(_MEASURES, start=1)}
_MOVING = (
    *("shoulder_x", "shoulder_y", "ear_x", "ear_tilt", "hip_x"),
    *("left_knee_x", "right_knee_x"),
)
"""What is fitted in time with the crank ..."""
_TOLD = [
    [f"{name}_{weight}" for weight in ("level", "cos1", "cos2", "sin1", "sin2")] for name in _MOVING
]
"""... and what is told of it; the drift is not."""
_FITTED = [ROW[name] for name in _MOVING]
_ELBOWS = [ROW["left_deg"], ROW["right_deg"]]
_UNSEEN = [(math.nan,) * width for width in (4, 6, 2, 2, 2, 4)]
"""In place of trunk, head, hips, arms, elbows or knees when they are not seen."""

ROOM = 1024
"""Frames that there is room for: four seconds at 120 a second, twice."""

Summary = dict[str, float]
"""Name to value in the picture's measure; what could not be seen is not in it."""


class Window:
    """Holds the frames of the last four seconds."""

    def __init__(self) -> None:
        self._table = np.empty((len(ROW) + 1, ROOM))
        """Moments in the first row, measures below; the newest frames are the columns to _end."""
        self._end = 0
        self._blind: deque[tuple[float, str]] = deque(maxlen=ROOM)

    def see(self, metrics: FormMetrics) -> None:
        """Take in one frame."""
        self._blind.append((metrics.t_s, metrics.blind))
        if metrics.blind:
            return
        if self._end == ROOM:
            self._end = ROOM // 2
            self._table[:, : self._end] = self._table[:, self._end :].copy()
        self._table[:, self._end] = _column(metrics)
        self._end += 1

    def clear(self) -> None:
        """Forget everything: what comes next is another scene."""
        self._end = 0
        self._blind.clear()

    def blind(self, t_s: float) -> str:
        """Return why the rider cannot be judged now; empty: there is enough to judge by."""
        while self._blind and self._blind[0][0] <= t_s - POSTURE_S:
            self._blind.popleft()
        if not self._blind:
            return "no picture"
        reasons = [why for _, why in self._blind if why]
        if reasons and (self._blind[-1][1] or len(reasons) > (1 - SEEN) * len(self._blind)):
            return reasons[-1]
        return "" if len(self._blind) - len(reasons) >= MIN_FRAMES else "no picture"

    def posture(self, t_s: float) -> Summary:
        """Return the median of each measure over the last two seconds.

        knee_low is how low in the picture the knees come, the ninetieth of a hundred.
        """
        frames = self._since(t_s - POSTURE_S)
        count = frames.shape[1]
        if count < MIN_FRAMES:
            return {}
        table = np.sort(frames, axis=1)  # what is not seen, NaN, goes to the end
        counts = np.isfinite(table).sum(axis=1).tolist()
        medians = {
            seen: ((table[:, (seen - 1) // 2] + table[:, seen // 2]) / 2).tolist()
            for seen in set(counts)
            if seen >= SEEN * count
        }
        found = {
            name: medians[counts[row]][row] for name, row in ROW.items() if counts[row] in medians
        }
        if "left_knee_y" in found:
            knees = (ROW["left_knee_y"], ROW["right_knee_y"])
            found["knee_low"] = max(float(table[row, counts[row] * 9 // 10]) for row in knees)
        return found

    def elbow_play(self, t_s: float) -> Summary:
        """Return elbow_play_deg: how far the elbows open and close, over four seconds.

        From the tenth to the ninetieth of a hundred, so that a single bad point is none of it; the
        mean of both.
        """
        all_deg = np.sort(self._since(t_s - CRANK_S, "left")[_ELBOWS])
        seen = np.isfinite(all_deg).sum(axis=1).tolist()
        if min(seen) < max(2 * MIN_FRAMES, SEEN * all_deg.shape[1]):
            return {}
        plays = [row[n * 9 // 10] - row[n // 10] for row, n in zip(all_deg, seen, strict=True)]
        return {"elbow_play_deg": float(sum(plays)) / 2}

    def in_time(self, t_s: float, crank: CrankPhase) -> Summary:
        """Return what moves with the crank, over the last four seconds.

        NAME_cos1, NAME_sin1 ... are the harmonics, NAME_level the mean over whole turns,
        knee_bdc_deg the lowest flexion of the fitted curve, as KNEE_DEG has it. Empty while the
        crank stands.
        """
        frames = self._since(t_s - CRANK_S)
        seen_s = frames[0]
        if not len(seen_s) or seen_s[0] > t_s - 0.8 * CRANK_S or not crank.turning(t_s):
            return {}
        phase = crank.phase_rad(seen_s)
        began = int(np.isnan(phase).sum())
        frames, phase = frames[:, began:], phase[began:]
        if len(phase) < MIN_FRAMES or phase[-1] - phase[0] < 2 * math.tau:
            return {}
        return _fit(frames, phase) | _knee_bdc(frames, phase)

    def _since(self, t_s: float, side: Literal["left", "right"] = "right") -> Floats:
        """Return the frames after this moment; left: and one at this very moment."""
        begin = int(self._table[0, : self._end].searchsorted(t_s, side))
        return self._table[:, begin : self._end]


def _column(metrics: FormMetrics) -> list[float]:
    column = [metrics.t_s]
    upper = (metrics.trunk, metrics.head, metrics.hips)
    lower = (metrics.arms, metrics.elbows, metrics.knees)
    for group, unseen in zip(upper + lower, _UNSEEN, strict=True):
        column += group or unseen
    for single in (metrics.knee_deg, metrics.hand, metrics.over_hands):
        column.append(math.nan if single is None else single)
    return column


def _design(t_s: Floats, phase: Floats, harmonics: int) -> Floats:
    """Return a row each for the level, the harmonics' cos and sin, and the drift."""
    design = np.empty((2 + 2 * harmonics, len(t_s)))
    design[0] = 1
    turns = np.arange(1, harmonics + 1)[:, None] * phase
    np.cos(turns, out=design[1 : 1 + harmonics])
    np.sin(turns, out=design[1 + harmonics : -1])
    design[-1] = t_s - t_s.sum() / len(t_s)
    return design


def _solve(design: Floats, values: Floats) -> list[list[float]]:
    """Return the least-squares weights of each row of values, by the rows of the design.

    The normal equations by elimination: six unknowns are too few for a linear algebra library,
    whose threads cost more than the sum, and whose last digit differs from machine to machine.
    """
    rows: Floats = np.einsum("it,jt->ij", design, np.concatenate([design, values]))
    size = len(rows)
    rows.flat[:: rows.shape[1] + 1] += 1e-9  # what was not seen to move does not move
    for pivot, row in enumerate(rows):
        unit = row / row[pivot]
        rows -= rows[:, pivot, None] * unit
        rows[pivot] = unit
    solution: list[list[float]] = rows[:, size:].T.tolist()
    return solution


def _fit(frames: Floats, phase: Floats) -> Summary:
    """Return level and harmonics of all that moves with the crank and was seen often enough.

    What was seen in the same frames is fitted in one go.
    """
    moving = frames[_FITTED]
    seen = np.isfinite(moving)
    together: dict[bytes, list[int]] = {}
    enough = max(MIN_FRAMES, SEEN * len(phase))
    for place, count in enumerate(seen.sum(axis=1).tolist()):
        if count >= enough:
            together.setdefault(seen[place].tobytes(), []).append(place)
    found: Summary = {}
    for places in together.values():
        whole = seen[places[0]]
        design = _design(frames[0, whole], phase[whole], 2)
        solution = _solve(design, moving[places][:, whole])
        for place, weights in zip(places, solution, strict=True):
            found.update(zip(_TOLD[place], weights, strict=False))
    return found


def _knee_bdc(frames: Floats, phase: Floats) -> Summary:
    values = frames[ROW["knee_deg"]]
    whole = np.isfinite(values)
    if whole.sum() < max(SEEN * len(phase), 3 * MIN_FRAMES):
        return {}
    solution = _solve(_design(frames[0, whole], phase[whole], 3), values[None, whole])
    curve = np.einsum("it,i->t", _TURN, solution[0])
    return {"knee_bdc_deg": KNEE_DEG[0] + KNEE_DEG[1] * float(curve.min())}


_TURN = _design(np.zeros(72), np.linspace(0, math.tau, 72, endpoint=False), 3)
"""One turn of the crank, to find the lowest point of a fitted curve on."""
