"""Why a rule cannot be judged just now, in a few words for the rider's screen."""

from firmware_app.form.catalogue import POSTURE, STATES
from firmware_app.form.dwell import OFF
from firmware_app.form.window import Summary
from firmware_app.wire import View

CAMERA = "camera is off"
LEARNING = "learning your posture"
HAND = "hand off the bar"
ASIDE = "looking aside"
STILL = "not pedalling"
STANDING = "out of the saddle"
HIDDEN = "hidden by a bigger change"
PASSING = frozenset({HAND, ASIDE})
"""What goes by in a moment; while it is still in the window, nothing is judged."""
STILL_RPM = 30.0
"""Slower than this a rider is resting, and may sit as they like."""
HAND_NEAR: dict[View, float] = {"front": 0.8, "oblique": 0.8, "side": 0.4}
"""Wrist nearer to the nose than this, in shoulder widths (from the side trunk lengths): drinking,
wiping. On the bar it is 1.7 and more (0.5 and more)."""
TURN = 0.2
"""The nose this far off its place between the ears, in ear distances: about 20 degrees."""
SEATED = frozenset(POSTURE) - STATES
"""Rules of seated riding."""
SIDE_ONLY = frozenset({"elbows_locked", "saddle_low", "saddle_high"})
FRONT_ONLY = frozenset({"shrug", "knees_in", "knees_out", "hip_rock"})
HIDES = {
    "shrug": HIDDEN,
    "knees_in": "knees hidden",
    "knees_out": "knees hidden",
    "hip_rock": "hips hidden",
    "standing": "hips hidden",
    "elbows_locked": "elbows hidden",
}
"""What usually is in the way where a view shows a rule in principle."""
SADDLE = ("saddle_low", "saddle_high")
UNSETTLES = ("bounce", "hip_rock", "sway", "lean_low", "rounded_back", "knees_in", "knees_out")
"""A rider who does this sits off the place that the saddle's height is judged from."""


def not_riding(view: View, now: Summary, cadence_rpm: float | None) -> str:
    """Return why this moment is not riding at all: standing still, a hand at the face."""
    if cadence_rpm is not None and cadence_rpm < STILL_RPM:
        return STILL
    if "hand" in now and now["hand"] < HAND_NEAR[view] * now["shoulder_span"]:
        return HAND
    return ""


def aside(view: View, deviation: Summary) -> str:
    """Return why the head says nothing: it is turned."""
    if view != "side" and abs(deviation["turn"]) > TURN and deviation["rise"] < TURN:
        return ASIDE
    return ""


def missing(view: View, rule: str) -> str:
    """Return why a rule has no evidence though the rider is seen."""
    if view != "side" and rule in SIDE_ONLY:
        return "shows from the side only"
    if view == "side" and rule in FRONT_ONLY:
        return "shows from the front only"
    if rule == "hip_rock" and view == "oblique":
        return "shows from the front only"
    return HIDES.get(rule, "waiting for the crank")


def overlaid(shown: Summary, *, standing: bool) -> dict[str, str]:
    """Return the rules that something bigger hides."""
    if standing or shown.get("standing", 0.0) >= OFF:
        return dict.fromkeys(SEATED, STANDING)
    if max((shown[rule] for rule in UNSETTLES if rule in shown), default=0.0) >= 1:
        return dict.fromkeys(SADDLE, HIDDEN)
    return {}
