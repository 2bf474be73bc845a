"""What nobody rides well with: a rider who starts with a fault must not get it as their normal.

From the side two angles of a learnt baseline are held against generous limits, and one beyond them
is replaced by a usual one, so that the fault is judged against that. Limits lie between what good
riders show for whole rides and what faults look like, and outside of every recommendation: trunk 40
to 60 degrees above the horizontal (Pruitt and Matheny). No such limit holds for the elbows, which
good riders too stretch to 10 degrees for half a minute, and none from the front: where the nose is
between the ears depends as much on the camera's height as on the head, and how high the shoulders
are on the rider's build. There only the baseline of an earlier ride helps.
"""

import math

from firmware_app.form.window import Summary
from firmware_app.wire import View

DROPPED_HEAD_DEG, USUAL_HEAD_DEG = 49.0, 28.0
"""Ear to nose below the horizontal; good riders 20 to 46 (25 rendered ones), dropped heads 49 to
55, half dropped ones less."""
EAR_SINKS = 0.0037
"""Of the trunk's length, with each degree that a head is dropped; see fitted.py."""
LEANING_DEG = 44.0
"""From the upright; who leans further lowers the head without dropping it."""
LOW_TRUNK_DEG, USUAL_TRUNK_DEG = 54.0, 40.0
"""From the upright; good riders 31 to 40, the sportiest recommendation for fitness is 50."""
HEAD = ("ear_x", "ear_y", "nose_x", "nose_y")


def plausible(view: View, learnt: Summary) -> Summary:
    """Return a learnt baseline with what no good rider shows replaced by what is usual."""
    found = dict(learnt)
    if view != "side":
        return found
    if found.keys() >= {"shoulder_x", "shoulder_y", "hip_x", "hip_y", *HEAD}:
        lean_deg = 90 - _rises_deg(found, ("shoulder_x", "shoulder_y"), ("hip_x", "hip_y"))
        head_deg = -_rises_deg(found, ("nose_x", "nose_y"), ("ear_x", "ear_y"))
        if lean_deg > LOW_TRUNK_DEG:
            _raise_trunk(found)
        elif head_deg > DROPPED_HEAD_DEG and lean_deg < LEANING_DEG:
            _raise_head(found)
    return found


def _rises_deg(at: Summary, end: tuple[str, str], start: tuple[str, str]) -> float:
    """Return how far a line rises forwards, in degrees above the horizontal."""
    return math.degrees(math.atan2(at[start[1]] - at[end[1]], at[end[0]] - at[start[0]]))


def _raise_trunk(at: Summary) -> None:
    """Turn the trunk about the hip to where it usually is; the head goes with the shoulder."""
    length, lean = at["shoulder_span"], math.radians(USUAL_TRUNK_DEG)
    x, y = at["hip_x"] + length * math.sin(lean), at["hip_y"] - length * math.cos(lean)
    by = {"x": x - at["shoulder_x"], "y": y - at["shoulder_y"]}
    for name in HEAD:
        at[name] += by[name[-1]]
    at["shoulder_x"], at["shoulder_y"] = x, y


def _raise_head(at: Summary) -> None:
    """Turn the nose about the ear to where it usually is, and the ear up with the neck."""
    low_deg = -_rises_deg(at, ("nose_x", "nose_y"), ("ear_x", "ear_y")) - USUAL_HEAD_DEG
    at["ear_y"] -= EAR_SINKS * low_deg * at["shoulder_span"]
    length, pitch = at["ear_span"], math.radians(USUAL_HEAD_DEG)
    at["nose_x"] = at["ear_x"] + length * math.cos(pitch)
    at["nose_y"] = at["ear_y"] + length * math.sin(pitch)
