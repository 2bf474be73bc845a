"""One picture's pose as a few plain numbers: the rider measured, nothing judged.

Lengths are in heights of the picture, x to the right and y down; seen from the side or obliquely
the picture is turned so that the rider faces right. From the side only the limbs near the camera
are measured: BlazePose guesses the far ones and reports them as visible. World landmarks are not
used: in the picture's plane the 2D points are the truer ones (knee bias -1.7 against -6.3 degrees
on rendered riders).

A group that cannot be seen is None and not written, so that a line stays short: this is what the
journal keeps of every frame.
"""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from firmware_app import wire

Seen = TypeVar("Seen")
NOSE, LEFT_EAR, LEFT_SHOULDER, LEFT_ELBOW, LEFT_WRIST = 0, 7, 11, 13, 15
LEFT_HIP, LEFT_KNEE = 23, 25
KNEES = (LEFT_KNEE, LEFT_KNEE + 1)
VISIBLE = 0.5
"""Below this the model itself says that it is guessing."""
KNEE_VISIBLE = 0.4
"""Knees behind a bar are reported lower though they are found as well (PCK@0.2 .81 at .4 to .5,
.82 at .5 to .6 on rendered riders; .11 below .3)."""
MEASURED = {
    place: KNEE_VISIBLE if place in KNEES else VISIBLE
    for place in (NOSE, LEFT_EAR, LEFT_EAR + 1, *range(11, 17), *range(23, 29))
}
"""The landmarks that something is measured from, and from which visibility on each is seen."""
SMALL: dict[wire.View, float] = {"front": 0.1, "oblique": 0.05, "side": 0.1}
"""Shoulders narrower than this (from the side a trunk shorter) are not the rider's but those of
somebody in the room; turned half away they look narrow on the bike as well. In the shorter side of
the picture: a camera put on end takes nobody further away."""


class Trunk(NamedTuple):
    """Middle of the shoulders and of the hips; from the side the near ones."""

    shoulder_x: float
    shoulder_y: float
    shoulder_span: float
    """Distance between the shoulders; from the side the length of the trunk."""
    shoulder_tilt: float
    """Left shoulder below the right one, in a picture that was turned the other way round."""


class Head(NamedTuple):
    """Ears and nose; from the side the near ear."""

    ear_x: float
    ear_y: float
    ear_span: float
    """Distance between the ears; from the side from ear to nose."""
    nose_x: float
    nose_y: float
    tilt: float = 0.0
    """As the shoulders' tilt; from the side nothing."""


class Hips(NamedTuple):
    """Middle of the hips; from the side the near one."""

    x: float
    y: float


class Arms(NamedTuple):
    """How far the elbows are bent in the picture's plane; 0 is straight."""

    left_deg: float
    right_deg: float
    """From the side both are the near elbow."""


class Elbows(NamedTuple):
    """How far the elbows are outside of their shoulders, from the front."""

    left_out: float
    right_out: float


class Knees(NamedTuple):
    """The knees from the front."""

    left_x: float
    left_y: float
    right_x: float
    right_y: float


class FormMetrics(wire.Message, frozen=True, kw_only=True, omit_defaults=True):
    """The rider in one frame; t_s is the time of capture."""

    blind: str = ""
    """Why nothing could be measured, for the rider's screen; empty: something was."""
    trunk: Trunk | None = None
    head: Head | None = None
    hips: Hips | None = None
    arms: Arms | None = None
    elbows: Elbows | None = None
    knees: Knees | None = None
    knee_deg: float | None = None
    """Flexion of the near knee in the picture's plane, from the side."""
    hand: float | None = None
    """Distance of the nearer wrist in the picture to the nose."""
    over_hands: float | None = None
    """How far the near shoulder is ahead of its wrist, from the side."""


def measure(frame: wire.PoseFrame, view: wire.View) -> FormMetrics:
    """Measure one pose as seen from this view; pure."""
    if frame.too_dark:
        return FormMetrics(t_s=frame.t_s, blind="too dark")
    if frame.jumped:
        return FormMetrics(t_s=frame.t_s, blind="somebody else in the picture")
    if not frame.landmarks:
        return FormMetrics(t_s=frame.t_s, blind="nobody on the bike")
    return _Body(frame, view).metrics()


class _Body:
    """The landmarks of one frame in picture heights, the rider facing right."""

    def __init__(self, frame: wire.PoseFrame, view: wire.View) -> None:
        self._t_s = frame.t_s
        self._view: wire.View = view
        points = frame.landmarks
        turned = view != "front" and _faces_left(points)
        width, height = frame.width_px, frame.height_px
        ahead_px = -height if turned else height
        self._at: dict[int, tuple[float, float]] = {}
        """Where the landmarks are that are seen."""
        for place, visible in MEASURED.items():
            point = points[place]
            x_px, y_px = point.x_px, point.y_px
            if point.visibility >= visible and 0 <= x_px <= width and 0 <= y_px <= height:
                self._at[place] = (x_px / ahead_px, y_px / height)
        # facing left we see the left side of the rider; BlazePose's left is the rider's
        self._near = 0 if turned else 1
        self._turned = turned
        self._shorter = min(width / height, 1.0)
        """Side of the picture, in its heights."""
        left, right = points[LEFT_SHOULDER : LEFT_SHOULDER + 2]
        self._from_behind = view != "side" and left.x_px < right.x_px
        """Whoever is seen so hides the face; the model draws one all the same."""

    def metrics(self) -> FormMetrics:
        """Measure what is seen."""
        head, trunk = _seen(self._head), _seen(self._trunk)
        if head is None or trunk is None or self._from_behind:
            return FormMetrics(t_s=self._t_s, blind="head and shoulders not in view")
        if trunk.shoulder_span < SMALL[self._view] * self._shorter:
            return FormMetrics(t_s=self._t_s, blind="nobody on the bike")
        side = self._view == "side"
        return FormMetrics(
            t_s=self._t_s,
            trunk=trunk,
            head=head,
            hips=_seen(self._hips),
            arms=_seen(self._arms),
            elbows=_seen(self._elbows) if self._view == "front" else None,
            knees=None if side else _seen(self._knees),
            knee_deg=_seen(self._knee_deg) if side else None,
            hand=_seen(self._hand),
            over_hands=_seen(self._over_hands) if side else None,
        )

    def _pair(self, left: int) -> tuple[int, int]:
        """Return the two landmarks of a pair; from the side the near one twice."""
        if self._view == "side":
            return left + self._near, left + self._near
        return left, left + 1

    def _middle(self, a: int, b: int) -> tuple[float, float]:
        (ax, ay), (bx, by) = self._at[a], self._at[b]
        return (ax + bx) / 2, (ay + by) / 2

    def _span(self, a: int, b: int) -> float:
        return math.dist(self._at[a], self._at[b])

    def _trunk(self) -> Trunk:
        a, b = self._pair(LEFT_SHOULDER)
        span = self._span(a, LEFT_HIP + self._near if self._view == "side" else b)
        return Trunk(*_round(*self._middle(a, b), span, self._tilt(a, b)))

    def _head(self) -> Head:
        a, b = self._pair(LEFT_EAR)
        span = self._span(a, NOSE if self._view == "side" else b)
        return Head(*_round(*self._middle(a, b), span, *self._at[NOSE], self._tilt(a, b)))

    def _tilt(self, left: int, right: int) -> float:
        """Return how far the left one is below the right; who is turned has them change sides.

        So a rider who rolls the way they sway does so whichever side they are seen from.
        """
        if self._turned:
            left, right = right, left
        return self._at[left][1] - self._at[right][1]

    def _hips(self) -> Hips:
        return Hips(*_round(*self._middle(*self._pair(LEFT_HIP))))

    def _arms(self) -> Arms:
        left, right = self._pair(LEFT_ELBOW)
        return Arms(self._flexion_deg(left), self._flexion_deg(right))

    def _elbows(self) -> Elbows:
        """Return how far the elbows are out; the rider's left is on the right of the picture."""
        left, right = self._at[LEFT_ELBOW], self._at[LEFT_ELBOW + 1]
        left_shoulder, right_shoulder = self._at[LEFT_SHOULDER], self._at[LEFT_SHOULDER + 1]
        return Elbows(*_round(left[0] - left_shoulder[0], right_shoulder[0] - right[0]))

    def _over_hands(self) -> float:
        shoulder, wrist = LEFT_SHOULDER + self._near, LEFT_WRIST + self._near
        return round(self._at[shoulder][0] - self._at[wrist][0], 4)

    def _knees(self) -> Knees:
        return Knees(*_round(*self._at[LEFT_KNEE], *self._at[LEFT_KNEE + 1]))

    def _knee_deg(self) -> float:
        return self._flexion_deg(LEFT_KNEE + self._near)

    def _hand(self) -> float | None:
        wrists = [wrist for wrist in (LEFT_WRIST, LEFT_WRIST + 1) if wrist in self._at]
        return round(min([self._span(NOSE, wrist) for wrist in wrists]), 4) if wrists else None

    def _flexion_deg(self, joint: int) -> float:
        """Return 180 degrees less the angle at the joint; 0 is a straight limb."""
        (ax, ay), (jx, jy), (bx, by) = self._at[joint - 2], self._at[joint], self._at[joint + 2]
        x, y, next_x, next_y = jx - ax, jy - ay, bx - jx, by - jy
        turn = math.atan2(x * next_y - y * next_x, x * next_x + y * next_y)
        return round(abs(math.degrees(turn)), 1)


def _seen(look: Callable[[], Seen]) -> Seen | None:
    """Return what was measured; None when one of its landmarks is not seen."""
    try:
        return look()
    except KeyError:
        return None


def _faces_left(points: tuple[wire.Landmark, ...]) -> bool:
    """Tell whether the shoulders are left of the hips in the picture."""
    left, right = points[LEFT_SHOULDER : LEFT_SHOULDER + 2]
    left_hip, right_hip = points[LEFT_HIP : LEFT_HIP + 2]
    return (left.x_px - left_hip.x_px) + (right.x_px - right_hip.x_px) < 0


def _round(*values: float) -> list[float]:
    """Return lengths to four decimals: round(value, 4), which by itself takes three times as long.

    Only where two are equally near it must be asked.
    """
    return [
        round(value, 4) if value * 1e4 % 1 == 0.5 else round(value * 1e4) / 1e4 for value in values
    ]
