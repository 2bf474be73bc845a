"""Why a rule cannot be judged just now, in a few words for the rider's screen."""

import math

from firmware_app.form.catalogue import POSTURE, STATES
from firmware_app.form.dwell import OFF
from firmware_app.form.evidence import BENT, RISE
from firmware_app.form.window import Summary
from firmware_app.wire import View

CAMERA = "camera is off"
ELSEWHERE = "camera is not where it was set up"
GONE = "nobody on the bike"
NOBODY = "head and shoulders not in view"
LEARNING = "learning your posture"
HAND = "hand off the bar"
ASIDE = "looking aside"
STILL = "not pedalling"
STANDING = "out of the saddle"
HIDDEN = "hidden by a bigger change"
LEFT_OUT = "left out for this rider"
EITHER = "sway or hips, not clear"
PASSING = frozenset({HAND, ASIDE})
"""What goes by in a moment; while it is still in the window, nothing is judged."""
ESSENTIAL = frozenset({"shoulder_span", "ear_span"})
"""Without a trunk and a head there is nobody to judge."""
STILL_RPM = 30.0
"""Slower than this a rider is resting, and may sit as they like."""
HAND_NEAR: dict[View, float] = {"front": 0.8, "oblique": 0.8, "side": 0.4}
"""Wrist nearer to the nose than this, in shoulder widths (from the side trunk lengths): drinking,
wiping. On the bar it is 1.7 and more (0.5 and more)."""
TURN: dict[View, float] = {"front": 0.2, "oblique": 0.4}
"""The nose this far off its place between the ears, in ear distances: about 20 degrees.
Obliquely a bent back moves it too; from the side a turned head does not look like any fault."""
MOVED = 1.2
"""Shoulders this far off their place are not the rider's, or the camera is not where it was.
Standing moves them by 0.5, a deep lean by 0.8."""
ASIDE_S = 6.0
"""A head turned for longer is no glance; it is how the rider sits now, and is judged."""
SEATED = frozenset(POSTURE) - STATES - {"leaning"}
"""Rules of seated riding."""
SEATED_NOW = "in the saddle"
WHILE_STANDING = frozenset({"leaning"})
SIDE_ONLY = frozenset({"saddle_low", "saddle_high", "leaning"})
NOT_FRONT = SIDE_ONLY | {"elbows_locked"}
NOT_OBLIQUE = frozenset({"hip_rock", "head_tilt", "shoulder_tilt", "elbows_flared"})
FRONT_ONLY = NOT_OBLIQUE | {"knees_in", "knees_out"}
HIDES = {
    "shrug": HIDDEN,
    "head_drop": "hips hidden",
    "rounded_back": "hips hidden",
    "lean_low": "hips hidden",
    "knees_in": "knees hidden",
    "knees_out": "knees hidden",
    "hip_rock": "hips hidden",
    "standing": "hips hidden",
    "elbows_locked": "elbows hidden",
    "elbows_flared": "elbows hidden",
    "leaning": "elbows hidden",
}
"""What usually is in the way where a view shows a rule in principle."""
UNPROVEN: dict[View, dict[str, str]] = {
    "front": {"hip_rock": "hips hidden by the bar"},
    "oblique": {},
    "side": {},
}
"""What a view can show but never rule out. BlazePose calls hips behind bars and thighs visible; a
pelvis that rocks moves the shoulders too, one that does not move them may be hidden."""
KNEES = ("knees_in", "knees_out")
BEYOND: dict[View, float] = {"front": 2.0, "oblique": math.inf, "side": math.inf}
"""A bent trunk takes the hips along, which the knees are measured from: up to 1.5 of the evidence
is its work. From the front knees that show more speak for themselves."""
FROM_SIDE, FROM_FRONT = "shows from the side only", "shows from the front only"
"""Why a rule is for ever unseen here: nothing that the rider on this bike could mend."""
SADDLE = ("saddle_low", "saddle_high")
UNSETTLES = ("bounce", "hip_rock", "sway", "lean_low", "rounded_back", "knees_in", "knees_out")
"""A rider who does this sits off the place that the saddle's height is judged from."""


def not_riding(view: View, now: Summary, cadence_rpm: float | None) -> str:
    """Return why this moment is not riding at all: standing still, a hand at the face."""
    if not now.keys() >= ESSENTIAL:
        return NOBODY
    if cadence_rpm is not None and cadence_rpm < STILL_RPM:
        return STILL
    if "hand" in now and now["hand"] < HAND_NEAR[view] * now["shoulder_span"]:
        return HAND
    return ""


def aside(view: View, deviation: Summary) -> str:
    """Return why the head says nothing: it is turned."""
    if view in TURN and abs(deviation["turn"]) > TURN[view] and deviation["rise"] < RISE[view]:
        return ASIDE
    return ""


def missing(view: View, rule: str, deviation: Summary) -> str:
    """Return why a rule has no evidence though the rider is seen."""
    if rule == "sway" and "swing" in deviation:
        return EITHER
    if (view == "front" and rule in NOT_FRONT) or (view == "oblique" and rule in SIDE_ONLY):
        return FROM_SIDE
    if view == "side" and rule in FRONT_ONLY:
        return FROM_FRONT
    if view == "oblique" and rule in NOT_OBLIQUE:
        return FROM_FRONT
    return HIDES.get(rule, "waiting for the crank")


def overlaid(view: View, shown: Summary, *, standing: bool) -> dict[str, str]:
    """Return the rules that something bigger hides."""
    if standing or shown.get("standing", 0.0) >= OFF:
        return dict.fromkeys(SEATED, STANDING)
    hidden: tuple[str, ...] = ()
    if _shows(shown, UNSETTLES):
        hidden += SADDLE
    if _shows(shown, ("bounce",)):
        hidden += ("shrug",)
    if _shows(shown, BENT):
        hidden += ("elbows_flared",)
        hidden += tuple(rule for rule in KNEES if shown.get(rule, 0.0) < BEYOND[view])
    return dict.fromkeys(WHILE_STANDING, SEATED_NOW) | dict.fromkeys(hidden, HIDDEN)


def _shows(shown: Summary, rules: tuple[str, ...]) -> bool:
    return any(shown.get(rule, 0.0) >= 1 for rule in rules)
