"""Is the crank sensor right? Checked by the cadence of the pose, for the technician.

The sensor counts as wrong when it is further from the pose than 6 rpm or 8 % for ten seconds of
clearly turning knees. How it is wrong tells what to look for: a magnet that does not reach the
sensor, a setting of pulses per turn that is off by two, a loose contact.
"""

from collections import Counter, deque
from typing import Literal

from firmware_app.form.pose_cadence import WINDOW_S, PoseCadence

Mismatch = Literal["", "no pulses", "half", "double", "noisy"]
OFF_RPM = 6.0
OFF_SHARE = 0.08
HOLD_S = 10.0
"""So long it must be wrong, and so long right before it is taken back."""
MOST = 0.7
"""Share of that time which one class of mismatch must have to be named; else it is noise."""
HALF = (0.44, 0.56)
DOUBLE = (1.85, 2.15)
STEADY_RPM = 5.0
"""While the pose's cadence changes by more than this the two are not compared: they lag."""


class SensorCheck:
    """Remembers what the two said of the last ten seconds; knows time only from what it is told."""

    def __init__(self) -> None:
        self._said: deque[tuple[float, Mismatch]] = deque()
        self._pose_rpm: dict[float, float] = {}
        """Cadences of the pose to when they were last told."""
        self.mismatch: Mismatch = ""
        """How the sensor is wrong; empty: it is right, or nothing speaks against it."""

    def judge(self, t_s: float, sensor_rpm: float | None, pose: PoseCadence) -> None:
        """Compare; None: no sensor has spoken. What the knees do not tell changes nothing."""
        told = pose.estimate(t_s)
        if told is None:
            self._pose_rpm.clear()
            self._said.clear()
            return
        since_s = t_s - WINDOW_S
        self._pose_rpm = {rpm: at_s for rpm, at_s in self._pose_rpm.items() if at_s >= since_s}
        self._pose_rpm[told.rpm] = t_s
        if max(self._pose_rpm) - min(self._pose_rpm) > STEADY_RPM:
            return
        self._said.append((t_s, classify(sensor_rpm or 0.0, told.rpm)))
        while self._said[0][0] < t_s - HOLD_S:
            self._said.popleft()
        if t_s - self._said[0][0] >= 0.95 * HOLD_S:
            self._settle()

    def _settle(self) -> None:
        said = [mismatch for _, mismatch in self._said]
        right = said.count("")
        if right >= MOST * len(said):
            self.mismatch = ""
        elif right <= (1 - MOST) * len(said):
            kind, most = Counter(one for one in said if one).most_common(1)[0]
            self.mismatch = kind if most >= MOST * len(said) else "noisy"


def classify(sensor_rpm: float, pose_rpm: float) -> Mismatch:
    """Tell how one cadence differs from the other; empty: it does not."""
    if abs(sensor_rpm - pose_rpm) <= max(OFF_RPM, OFF_SHARE * pose_rpm):
        return ""
    if sensor_rpm <= 0:
        return "no pulses"
    share = sensor_rpm / pose_rpm
    if HALF[0] <= share <= HALF[1]:
        return "half"
    return "double" if DOUBLE[0] <= share <= DOUBLE[1] else "noisy"
