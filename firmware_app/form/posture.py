"""How far the rider is from their own baseline, in units of their own body.

From the front and obliquely the unit is the baseline's distance between the shoulders, from the
side the baseline's length of the trunk. Angles are in hundreds of degrees, so that every figure
of a good rider is a few hundredths, whatever the camera.
"""

import math

from firmware_app.form.window import Summary
from firmware_app.wire import View

_FRONT = ("width", "shoulder_y", "ear_y", "nose_drop")
FIGURES: dict[View, tuple[str, ...]] = {
    "front": _FRONT,
    "oblique": (*_FRONT, "reach"),
    "side": ("trunk_angle", "trunk_length", "head_pitch", "neck_x", "neck_y"),
}
"""The deviations that tell shrug, head drop, rounded back and lean from one another."""
LOWEST_KNEE, EDGE = 0.966, 0.015
"""Knees that come lower in the picture are below its edge: BlazePose draws hidden ones up into the
picture, but not far. On 26 rendered riders knees that were seen came down to .954 of its height
at the most (one of fourteen to .99), hidden ones to .979 and more; within a ride it wanders."""


def compare(view: View, now: Summary, base: Summary) -> Summary:
    """Return the deviations of now from base; those that cannot be seen are left out.

    From the front: width (logarithm; nearer is larger), shoulder_y, ear_y and nose_drop (down is
    positive), reach (of the shoulders ahead of the hips, which shows obliquely: who leans takes
    them forward, who rounds the back does not), turn (of the head), rise (of head and shoulders).
    head_tilt and shoulder_tilt (left down is positive), left_elbow_out and right_elbow_out.
    From the side: trunk_angle and head_pitch (forward and down are positive), trunk_length
    (logarithm), neck_x and neck_y (ear from shoulder), rise (of the hips), over_hands (the
    shoulder ahead of the wrist, whatever the baseline). From the side and obliquely elbow (less
    bent is negative). In every view moved, how far the shoulders are from their place.
    In time with the crank: bounce and swing are how much the shoulders' motion has changed, up
    and down twice a turn and sideways once a turn; head_swing and head_roll how far
    the head goes along and tilts with them. knee_left and knee_right, obliquely knee_near,
    are how far a knee has gone outwards.
    """
    unit = base["shoulder_span"]
    found = _side(now, base, unit) if view == "side" else _front(now, base, unit)
    gone = (now["shoulder_x"] - base["shoulder_x"], now["shoulder_y"] - base["shoulder_y"])
    found["moved"] = math.hypot(*gone) / unit
    bounce = _change(now, base, "shoulder_y", 2)
    if bounce is not None:
        found["bounce"] = abs(bounce) / unit
    if view != "front":
        found |= _elbow(now, base)
    if view != "side":
        found |= _reach(now, base, unit)
        found |= _swing(now, base, unit) | _knees(view, now, base, unit)
    return found


def _front(now: Summary, base: Summary, unit: float) -> Summary:
    head = base["ear_span"]
    (nose_x, nose_y), (base_x, base_y) = _nose(now), _nose(base)
    shoulder_y = (now["shoulder_y"] - base["shoulder_y"]) / unit
    ear_y = (now["ear_y"] - base["ear_y"]) / unit
    return {
        "width": math.log(now["shoulder_span"] / unit),
        "shoulder_y": shoulder_y,
        "ear_y": ear_y,
        "nose_drop": (nose_y - base_y) / head,
        "turn": (nose_x - base_x) / head,
        "rise": -max(shoulder_y, ear_y),
    } | _level(now, base)


def _reach(now: Summary, base: Summary, unit: float) -> Summary:
    """Return how much further the shoulders are ahead of the hips."""
    if not all("hip_x" in at for at in (now, base)):
        return {}
    ahead, before = (at["shoulder_x"] - at["hip_x"] for at in (now, base))
    return {"reach": (ahead - before) / unit}


def _level(now: Summary, base: Summary) -> Summary:
    """Return how far head and shoulders are tilted, and how far the elbows have gone out."""
    found = {"shoulder_tilt": (_tilt_deg(now, "shoulder") - _tilt_deg(base, "shoulder")) / 100}
    if "ear_tilt" in now and "ear_tilt" in base:
        found["head_tilt"] = (_tilt_deg(now, "ear") - _tilt_deg(base, "ear")) / 100
    for elbow in ("left_elbow_out", "right_elbow_out"):
        if elbow in now and elbow in base:
            found[elbow] = (now[elbow] - base[elbow]) / base["shoulder_span"]
    return found


def _side(now: Summary, base: Summary, unit: float) -> Summary:
    found = {
        "trunk_angle": (_trunk_deg(now) - _trunk_deg(base)) / 100,
        "trunk_length": math.log(now["shoulder_span"] / unit),
        "head_pitch": (_pitch_deg(now) - _pitch_deg(base)) / 100,
        "neck_x": (_neck(now)[0] - _neck(base)[0]) / unit,
        "neck_y": (_neck(now)[1] - _neck(base)[1]) / unit,
        "turn": math.log(now["ear_span"] / base["ear_span"]),
    }
    if "hip_y" in now and "hip_y" in base:
        found["rise"] = (base["hip_y"] - now["hip_y"]) / unit
    if "over_hands" in now:
        found["over_hands"] = now["over_hands"] / unit
    return found


def _elbow(now: Summary, base: Summary) -> Summary:
    """Return how much more the elbows are bent, in the middle of both."""
    if not all("left_deg" in at and "right_deg" in at for at in (now, base)):
        return {}
    return {"elbow": sum(now[arm] - base[arm] for arm in ("left_deg", "right_deg")) / 200}


def _knees(view: View, now: Summary, base: Summary, unit: float) -> Summary:
    """Return how far each knee has gone outwards from its place below the hips.

    The rider's left is right in the picture. Obliquely only the near knee is told: the one that
    is behind in the picture, whichever side the camera is on; the far one is half guessed.
    """
    places = ("left_knee_x_level", "right_knee_x_level", "hip_x", "knee_low")
    if not all(place in now and place in base for place in places):
        return {}
    if max(now["knee_low"] - EDGE, base["knee_low"]) > LOWEST_KNEE:
        return {}
    left, right = (
        ((now[knee] - now["hip_x"]) - (base[knee] - base["hip_x"])) / unit for knee in places[:2]
    )
    if view == "front":
        return {"knee_left": left, "knee_right": -right}
    return {"knee_near": -left if base[places[0]] < base[places[1]] else -right}


def _swing(now: Summary, base: Summary, unit: float) -> Summary:
    shoulders = _change(now, base, "shoulder_x", 1)
    if shoulders is None:
        return {}
    found = {"swing": abs(shoulders) / unit}
    ears, roll = _change(now, base, "ear_x", 1), _change(now, base, "ear_tilt", 1)
    if ears is not None and roll is not None and shoulders:
        found["head_swing"] = (ears / shoulders).real
        found["head_roll"] = (roll / shoulders).real
    return found


def _change(now: Summary, base: Summary, name: str, harmonic: int) -> complex | None:
    """Return how a crank-locked motion has changed, its phase included."""
    cos, sin = f"{name}_cos{harmonic}", f"{name}_sin{harmonic}"
    if cos not in now or cos not in base:
        return None
    return complex(now[cos] - base[cos], now[sin] - base[sin])


def _tilt_deg(at: Summary, part: str) -> float:
    """Return how far the line of shoulders or ears is from level."""
    return math.degrees(math.asin(max(-1.0, min(at[f"{part}_tilt"] / at[f"{part}_span"], 1.0))))


def _nose(at: Summary) -> tuple[float, float]:
    return at["nose_x"] - at["ear_x"], at["nose_y"] - at["ear_y"]


def _neck(at: Summary) -> tuple[float, float]:
    return at["ear_x"] - at["shoulder_x"], at["ear_y"] - at["shoulder_y"]


def _trunk_deg(at: Summary) -> float:
    """Return the trunk's lean from the upright; 90 is flat on the bar."""
    return math.degrees(math.atan2(at["shoulder_x"] - at["hip_x"], at["hip_y"] - at["shoulder_y"]))


def _pitch_deg(at: Summary) -> float:
    dx, dy = _nose(at)
    return math.degrees(math.atan2(dy, dx))
