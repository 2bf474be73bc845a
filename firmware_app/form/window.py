"""The last seconds of frames, summed up: where the body is, what it does in time with the crank.

Posture is the median of the last two seconds: two to three turns of the crank. What moves with
the crank is fitted by least squares over the last four: a level, a drift, and the first two
harmonics of the crank's own phase (three for the knee). A filter before the fit would only bend
it. At 8 to 30 frames a second the fit of a knee's lowest flexion is right within about 2 degrees
where the smallest value seen is wrong by 4 to 13 (simulated).
"""

import math
from collections import deque

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
_COLUMNS = (
    *("shoulder_x", "shoulder_y", "shoulder_span", "shoulder_tilt"),
    *("ear_x", "ear_y", "ear_span", "nose_x", "nose_y", "ear_tilt"),
    *("hip_x", "hip_y"),
    *("left_deg", "right_deg"),
    *("left_elbow_out", "right_elbow_out"),
    *("left_knee_x", "left_knee_y", "right_knee_x", "right_knee_y"),
    *("knee_deg", "hand", "over_hands"),
)
COLUMN = {name: place for place, name in enumerate(_COLUMNS, start=1)}
_EACH = np.arange(len(COLUMN) + 1)
_MOVING = (
    *("shoulder_x", "shoulder_y", "ear_x", "ear_tilt", "hip_x"),
    *("left_knee_x", "right_knee_x"),
)
"""What is fitted in time with the crank."""
_FITTED = [COLUMN[name] for name in _MOVING]
_EMPTY = {"trunk": 4, "head": 6, "hips": 2, "arms": 2, "elbows": 2, "knees": 4}

ROOM = 1024
"""Frames that there is room for: four seconds at 120 a second, twice."""

Summary = dict[str, float]
"""Name to value in the picture's measure; what could not be seen is not in it."""


class Window:
    """Holds the frames of the last four seconds."""

    def __init__(self) -> None:
        self._rows = np.empty((ROOM, len(COLUMN) + 1))
        """The newest frames, by time; those from _begin to _end are in the window."""
        self._begin = self._end = 0
        self._blind: deque[tuple[float, str]] = deque()

    def see(self, metrics: FormMetrics) -> None:
        """Take in one frame."""
        self._forget(metrics.t_s)
        self._blind.append((metrics.t_s, metrics.blind))
        if not metrics.blind:
            self._append(_row(metrics))

    def clear(self) -> None:
        """Forget everything: what comes next is another scene."""
        self._begin = self._end = 0
        self._blind.clear()

    def blind(self, t_s: float) -> str:
        """Return why the rider cannot be judged now; empty: there is enough to judge by."""
        self._forget(t_s)
        recent = [why for seen_s, why in self._blind if seen_s > t_s - POSTURE_S]
        if not recent:
            return "no picture"
        reasons = [why for why in recent if why]
        if reasons and (recent[-1] or len(reasons) > (1 - SEEN) * len(recent)):
            return reasons[-1]
        return "" if len(recent) - len(reasons) >= MIN_FRAMES else "no picture"

    def posture(self, t_s: float) -> Summary:
        """Return the median of each measure over the last two seconds.

        knee_low is how low in the picture the knees come, the ninetieth of a hundred.
        """
        rows = self._since(t_s - POSTURE_S)
        if len(rows) < MIN_FRAMES:
            return {}
        table = np.sort(rows, axis=0)  # what is not seen, NaN, goes to the end
        counts = np.isfinite(table).sum(axis=0)
        below, above = (table[at, _EACH] for at in ((counts - 1) // 2, counts // 2))
        medians = ((below + above) / 2).tolist()
        enough = (counts >= SEEN * len(rows)).tolist()
        found = {name: medians[place] for name, place in COLUMN.items() if enough[place]}
        if "left_knee_y" in found:
            knees = (COLUMN["left_knee_y"], COLUMN["right_knee_y"])
            found["knee_low"] = max(float(table[counts[at] * 9 // 10, at]) for at in knees)
        return found | self._elbow_play()

    def _elbow_play(self) -> Summary:
        """Return elbow_play_deg: how far the near elbow opens and closes, over four seconds.

        From the tenth to the ninetieth of a hundred, so that a single bad point is none of it.
        """
        all_deg = self._rows[self._begin : self._end, COLUMN["left_deg"]]
        seen = np.sort(all_deg[np.isfinite(all_deg)])
        if len(seen) < 2 * MIN_FRAMES or len(seen) < SEEN * len(all_deg):
            return {}
        return {"elbow_play_deg": float(seen[len(seen) * 9 // 10] - seen[len(seen) // 10])}

    def in_time(self, t_s: float, crank: CrankPhase) -> Summary:
        """Return what moves with the crank, over the last four seconds.

        NAME_cos1, NAME_sin1 ... are the harmonics, NAME_level the mean over whole turns,
        knee_bdc_deg the lowest flexion of the fitted curve, as KNEE_DEG has it. Empty while the
        crank stands.
        """
        rows = self._since(t_s - CRANK_S)
        if not len(rows) or rows[0, 0] > t_s - 0.8 * CRANK_S or not crank.turning(t_s):
            return {}
        phase = crank.phase_rad(rows[:, 0])
        known = np.isfinite(phase)
        rows, phase = rows[known], phase[known]
        if len(rows) < MIN_FRAMES or np.ptp(phase) < 2 * math.tau:
            return {}
        return _fit(rows, phase) | _knee_bdc(rows, phase)

    def _since(self, t_s: float) -> Floats:
        """Return the frames after this moment."""
        rows = self._rows[self._begin : self._end]
        return rows[np.searchsorted(rows[:, 0], t_s, side="right") :]

    def _append(self, row: list[float]) -> None:
        if self._end == ROOM:
            self._begin = max(self._begin, ROOM // 2)  # a window of more frames than that is cut
            kept = self._rows[self._begin :].copy()
            self._begin, self._end = 0, len(kept)
            self._rows[: self._end] = kept
        self._rows[self._end] = row
        self._end += 1

    def _forget(self, t_s: float) -> None:
        while self._begin < self._end and self._rows[self._begin, 0] < t_s - CRANK_S:
            self._begin += 1
        while self._blind and self._blind[0][0] < t_s - CRANK_S:
            self._blind.popleft()


def _row(metrics: FormMetrics) -> list[float]:
    row = [metrics.t_s]
    for name, width in _EMPTY.items():
        group = getattr(metrics, name)
        row.extend(group if group is not None else [math.nan] * width)
    singles = (metrics.knee_deg, metrics.hand, metrics.over_hands)
    row.extend([math.nan if single is None else single for single in singles])
    return row


def _design(t_s: Floats, phase: Floats, harmonics: int) -> Floats:
    design = np.empty((len(t_s), 2 + 2 * harmonics))
    design[:, 0] = 1
    design[:, 1] = t_s - t_s.mean()
    for harmonic in range(1, harmonics + 1):
        turn = harmonic * phase
        np.cos(turn, out=design[:, 2 * harmonic])
        np.sin(turn, out=design[:, 2 * harmonic + 1])
    return design


def _solve(design: Floats, values: Floats) -> list[list[float]]:
    """Return the least-squares weights, columns of design by columns of values.

    The normal equations by elimination: six unknowns are too few for a linear algebra library,
    whose threads cost more than the sum, and whose last digit differs from machine to machine.
    """
    table = np.concatenate([design, values], axis=1)
    rows: Floats = np.einsum("ij,ik->jk", design, table)
    size = len(rows)
    rows.flat[:: rows.shape[1] + 1] += 1e-9  # what was not seen to move does not move
    for pivot in range(size):
        unit = rows[pivot] * (1 / rows[pivot, pivot])
        rows -= rows[:, pivot, None] * unit
        rows[pivot] = unit
    solution: list[list[float]] = rows[:, size:].tolist()
    return solution


def _fit(rows: Floats, phase: Floats) -> Summary:
    """Return level and harmonics of all that moves with the crank and was seen often enough.

    What was seen in the same frames is fitted in one go.
    """
    seen = np.isfinite(rows[:, _FITTED])
    together: dict[bytes, list[int]] = {}
    for place, count in enumerate(seen.sum(axis=0).tolist()):
        if count >= max(MIN_FRAMES, SEEN * len(rows)):
            together.setdefault(seen[:, place].tobytes(), []).append(place)
    found: Summary = {}
    for places in together.values():
        whole = seen[:, places[0]]
        values = rows[whole][:, [_FITTED[place] for place in places]]
        solution = _solve(_design(rows[whole, 0], phase[whole], 2), values)
        for column, place in enumerate(places):
            level, _, *waves = (row[column] for row in solution)
            found[f"{_MOVING[place]}_level"] = level
            for wave, key in zip(waves, ("cos1", "sin1", "cos2", "sin2"), strict=True):
                found[f"{_MOVING[place]}_{key}"] = wave
    return found


def _knee_bdc(rows: Floats, phase: Floats) -> Summary:
    values = rows[:, COLUMN["knee_deg"]]
    whole = np.isfinite(values)
    if whole.sum() < max(SEEN * len(rows), 3 * MIN_FRAMES):
        return {}
    solution = _solve(_design(rows[whole, 0], phase[whole], 3), values[whole, None])
    curve = (_TURN * np.array(solution).T).sum(axis=1)
    return {"knee_bdc_deg": KNEE_DEG[0] + KNEE_DEG[1] * float(curve.min())}


_TURN = _design(np.zeros(72), np.linspace(0, math.tau, 72, endpoint=False), 3)
"""One turn of the crank, to find the lowest point of a fitted curve on."""
