"""The camera being aimed: what it sees of who sits before it, and whether the crank agrees.

Lives while somebody looks at the aiming screen, and keeps nothing.
"""

from typing import Literal

from firmware_app.form.metrics import FormMetrics
from firmware_app.form.pose_cadence import PoseCadence
from firmware_app.form.sensor_check import Mismatch, classify
from firmware_app.sensors.cadence import Cadence
from firmware_app.wire import Aim, Check, Landmark, PoseFrame, View

AT_MOST_S = 300.0
"""Nobody aims for longer; whoever walked away has not locked the bike."""
SEEN_S = 1.0
"""A pose older than this is not what the camera sees."""
SURE_S = 3.0
"""Crank and knees must differ in the same way for so long: they start and stop apart."""
PLACES = {"too far away": "far", "camera tilted": "tilted"}
"""What vision says of the framing, beyond what is out of the picture."""
WRONG: dict[Mismatch, str] = {
    "no pulses": "silent",
    "half": "half",
    "double": "double",
    "noisy": "noisy",
}
Part = Literal["head", "hands", "knees"]
HEAD, HANDS, KNEES = (0, 7, 8, 11, 12), (13, 14, 15, 16), (25, 26)
"""BlazePose's points of nose, ears and shoulders; elbows and wrists; knees."""


class Aiming:
    """One look at the camera's work."""

    def __init__(self, view: View, pulses_per_turn: int, now_s: float) -> None:
        self._view = view
        self._begun_s = now_s
        self._cadence = Cadence(pulses_per_turn)
        self._knees = PoseCadence()
        self._pose: PoseFrame | None = None
        self._apart: tuple[Mismatch, float] = ("", now_s)
        self._found: View | None = None

    def over(self, now_s: float) -> bool:
        """Tell whether the aiming has been forgotten."""
        return now_s - self._begun_s > AT_MOST_S

    def see(self, pose: PoseFrame, metrics: FormMetrics, found: View | None = None) -> None:
        """Take in a pose; found: from where the camera truly sees the rider, once that is sure."""
        self._pose = pose
        self._found = found
        self._knees.see(metrics)

    def pulse(self, t_s: float) -> None:
        """Take in a closing of the crank sensor."""
        self._cadence.pulse(t_s)

    def show(self, now_s: float) -> Aim:
        """Return what the aiming screen shows now."""
        pose = self._pose
        if pose is not None and now_s - pose.t_s > SEEN_S:
            pose = None
        wide, high = (pose.width_px, pose.height_px) if pose is not None else (4, 3)
        points = pose.landmarks if pose is not None else ()
        return Aim(
            t_s=now_s,
            view=self._view,
            aspect=wide / high,
            points=tuple(
                (round(p.x_px / wide, 3), round(p.y_px / high, 3), _out(p, wide, high) == "")
                for p in points
            ),
            checks=(
                _part("head", points, HEAD, wide, high),
                _part("hands", points, HANDS, wide, high),
                self._of_knees(points, wide, high),
                self._of_place(pose),
                _light(pose),
                self._of_crank(now_s),
            ),
        )

    def _of_knees(self, points: tuple[Landmark, ...], wide: int, high: int) -> Check:
        check = _part("knees", points, KNEES, wide, high)
        if check.state == "ok" or self._view == "side":
            return check
        # on the handlebar the camera often cannot have them: the coach is then silent about them
        return Check(name="knees", state="free", said="free")

    def _of_place(self, pose: PoseFrame | None) -> Check:
        if pose is None or not pose.landmarks:
            return Check(name="place", state="wait", said="unknown")
        if self._found is not None and self._found != self._view:
            return Check(name="place", state="mend", said=f"sees_{self._found}")
        wrong = PLACES.get(pose.framing)
        return Check(name="place", state="mend" if wrong else "ok", said=wrong or "good")

    def _of_crank(self, now_s: float) -> Check:
        rpm, knees = self._cadence.rpm(now_s), self._knees.estimate(now_s)
        apart: Mismatch = classify(rpm, knees.rpm) if knees is not None else ""
        if apart != self._apart[0]:
            self._apart = (apart, now_s)
        if apart and now_s - self._apart[1] >= SURE_S:
            return Check(name="crank", state="mend", said=WRONG[apart], figure=rpm)
        if rpm <= 0:
            return Check(name="crank", state="wait", said="pedal")
        agrees = knees is not None and not apart
        return Check(name="crank", state="ok", said="agrees" if agrees else "turns", figure=rpm)


def _part(
    name: Part, points: tuple[Landmark, ...], needed: tuple[int, ...], wide: int, high: int
) -> Check:
    """Judge whether a part of the body is in the picture, and where the camera has to go."""
    if not points:
        return Check(name=name, state="mend", said="nobody")
    outs = [out for index in needed if (out := _out(points[index], wide, high))]
    if not outs:
        return Check(name=name, state="ok", said="seen")
    return Check(name=name, state="mend", said=max(outs, key=outs.count))


def _out(point: Landmark, wide: int, high: int) -> str:
    """Tell on which side a point is out of the picture; empty: on none."""
    if point.y_px < 0:
        return "out_up"
    if point.y_px >= high:
        return "out_down"
    return "" if 0 <= point.x_px < wide else "out_side"


def _light(pose: PoseFrame | None) -> Check:
    if pose is None or pose.snr_db is None:
        return Check(name="light", state="wait", said="unknown")
    if pose.too_dark:
        return Check(name="light", state="mend", said="dark", figure=pose.snr_db)
    return Check(name="light", state="ok", said="bright", figure=pose.snr_db)
