"""The crank's turns as the knees show them, for a bike whose sensor is silent.

A turn is counted when the left knee (from the side the near leg) comes through the middle of its
way, always in the same direction. Who asks makes sure that the legs turn at all. While the
sensor still speaks, where in the crank's turn that is gets learnt, so that the phase goes on where
the sensor left it: baselines are told in it.
"""

import cmath
import math
from collections import deque

import numpy as np

from firmware_app.form.crank import CrankPhase
from firmware_app.form.metrics import FormMetrics
from firmware_app.form.pose_cadence import swing

LOOKS_BACK_S = 2.0
"""A turn and more at 40 rpm."""
FEWEST = 12
"""Frames in that time; fewer do not show where the middle is."""
CLEAR = 0.25
"""So far below the middle, in parts of the way, a knee must have been to come through it."""
QUICKEST_S = 0.4
"""150 rpm."""
SILENT_S = 3.0
FORGETS = 0.2
"""Share of what is learnt of the phase that each turn renews."""


class KneeClock:
    """Remembers two seconds of the knees."""

    def __init__(self) -> None:
        self._lately: deque[tuple[float, float]] = deque()
        self._low = False
        self._turn_s = float("-inf")
        self._sensor_s = float("-inf")
        self._where = 0j
        """Mean direction of the crank's phase when a turn is counted."""

    def heard(self, t_s: float) -> None:
        """Take in that the sensor has closed."""
        self._sensor_s = t_s

    def see(self, metrics: FormMetrics, crank: CrankPhase) -> float | None:
        """Take in a frame; return when the silent sensor would have closed, if a turn is over."""
        before = self._lately[-1] if self._lately else None
        turn_s = self._comes_through(metrics, before)
        if turn_s is None or turn_s < self._turn_s + QUICKEST_S:
            return None
        took_s, self._turn_s = turn_s - self._turn_s, turn_s
        if turn_s < self._sensor_s + SILENT_S:
            if crank.turning(turn_s):
                phase = float(crank.phase_rad(np.array([turn_s]))[0])
                if math.isfinite(phase):
                    self._where += FORGETS * (cmath.rect(1.0, phase) - self._where)
            return None
        early = cmath.phase(self._where) % math.tau / math.tau if abs(self._where) else 0.0
        return turn_s - early * took_s if took_s < SILENT_S else None

    def _comes_through(
        self, metrics: FormMetrics, before: tuple[float, float] | None
    ) -> float | None:
        """Return when the knee came up through its middle, if it just has."""
        height = swing(metrics)
        if height is None:
            return None
        t_s = metrics.t_s
        self._lately.append((t_s, height))
        while self._lately[0][0] < t_s - LOOKS_BACK_S:
            self._lately.popleft()
        if len(self._lately) < FEWEST or before is None:
            return None
        if self._low and height <= before[1]:
            return None  # still on its way down
        heights = [one for _, one in self._lately]
        lowest, highest = min(heights), max(heights)
        middle = (lowest + highest) / 2
        if height < middle - CLEAR * (highest - lowest):
            self._low = True
        if not self._low or height < middle:
            return None
        self._low = False
        share = (middle - before[1]) / (height - before[1])
        return before[0] + min(max(share, 0.0), 1.0) * (t_s - before[0])
