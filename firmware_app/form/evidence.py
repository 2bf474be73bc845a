"""How strongly each fault shows: 1 is where a fault begins to count.

Shrug, head drop, rounded back and lean are told apart jointly, by likeness.py. The rest are single
figures with limits of their own, all from labelled riders: "on the rendered set", never "on
people".
"""

from collections.abc import Callable

from firmware_app.form.dwell import OFF
from firmware_app.form.likeness import likeness, remarkable
from firmware_app.form.saddle import SUITS_DEG
from firmware_app.form.window import Summary
from firmware_app.wire import View

BENT = ("head_drop", "rounded_back", "lean_low")
"""These move the shoulders in the picture more than a shrug does, and each other's points."""
ON: dict[View, dict[str, float]] = {
    "front": {"shrug": 0.25, "head_drop": 0.3, "rounded_back": 0.3, "lean_low": 0.3},
    "oblique": {"shrug": 0.3, "head_drop": 0.3, "rounded_back": 0.3, "lean_low": 0.35},
    "side": {"shrug": 0.35, "head_drop": 0.3, "rounded_back": 0.3, "lean_low": 0.3},
}
"""How much of a full fault begins to count ..."""
AHEAD = 1.5
"""... when it is so much likelier than anything else (natural logarithm)."""
SWING = 0.02
"""Shoulders sideways in time with the crank, in shoulder widths: 0.8 cm; half a sway is 0.026 and
more, good riding stays below 0.006."""
TIPS: dict[View, tuple[tuple[float, float], tuple[float, float]]] = {
    "front": ((1.87, 0.3), (0.245, 0.12)),
    "oblique": ((1.45, 0.15), (0.14, 0.25)),
    "side": ((1.0, 1.0), (0.0, 1.0)),
}
"""Who sways tips about the hips: the head goes twice as far as the shoulders and rolls with them. A
pelvis that rocks carries the trunk along, and the head stays upright. Head sideways and its tilt,
in parts of the shoulders' way: the middle between the two, and how far one of them is from it.
Obliquely the head's way tells more than its tilt, which BlazePose sees less well from there: five
rendered riders, from either side."""
TELLS = 0.25
"""So far from the middle, both taken together, it is the one or the other; nearer nobody knows."""
BOUNCE: dict[View, float] = {"front": 0.015, "oblique": 0.015, "side": 0.01}
"""Shoulders up and down twice a turn; good riding stays below 0.006, from the side, where a trunk
is the measure, below 0.003."""
KNEES = ("knee_left", "knee_right", "knee_near")
KNEE: dict[View, float] = {"front": 0.075, "oblique": 0.09, "side": 1.0}
"""A knee off its own track, in shoulder widths: about 3 cm; good riding stays below 0.03, and a
trunk that rises or locked elbows move the point, not the knee, by up to 0.065, obliquely with a
pelvis that rocks by 0.085 (a knee held in: 0.105 and more) ..."""
BOTH = 1.3
"""... but not both of them: less counts when the two go together."""
RISE: dict[View, float] = {"front": 0.15, "oblique": 0.18, "side": 0.12}
"""Head and shoulders (from the side: hips) above the seated rider's."""
ELBOW_DEG = (32.0, 19.5)
"""Flexion of the near elbow: where evidence begins, and where it is 1: a locked elbow reads 14 to
19, and so, for some seconds, does one in use ..."""
STRAIGHTER = -0.08
"""... if it also is 8 degrees straighter than the rider's own: who rides with 23 cannot show ten,
and good riding that is 7 straighter stays so for ten seconds ..."""
ELBOW_PLAY_DEG: dict[View, tuple[float, float]] = {"side": (16.0, 9.0), "oblique": (10.0, 6.0)}
"""... and does not play: an arm in use opens and closes as the trunk moves, however straight it is
for the moment; a locked one reads the same within 6, half a locked one within 9. Obliquely it is
the mean of both elbows, and how bent they look depends on where the camera stands ...
"""
PUSHED_UP = -0.02
"""... but an arm that is stretched pushes the shoulders up, by this much of their width."""
TILT = 0.09
"""Head or shoulders 9 degrees off the rider's own level; good riding stays below 5."""
ELBOWS_OUT = ("left_elbow_out", "right_elbow_out")
FLARE = 0.3
"""An elbow this much further out than the rider's own, in shoulder widths: about 11 cm."""
OVER_HANDS = 0.15
"""Shoulders ahead of the hands, in trunk lengths, with ..."""
LEAN_ELBOW_DEG = (25.0, 15.0)
"""... arms this straight: the weight hangs on the bar."""
SADDLE_LOW_DEG = (SUITS_DEG[1], 48.0)
SADDLE_HIGH_DEG = (SUITS_DEG[0], 18.5)
"""Knee flexion at the bottom of the turn, from the side: where evidence begins, and where it is 1;
see saddle.py."""


def evidence(view: View, now: Summary, deviation: Summary) -> Summary:
    """Return rule to evidence; a rule that this view or this moment does not show is left out."""
    found = _postures(view, deviation)
    for rule, look in _SINGLE.items():
        value = look(view, now, deviation)
        if value is not None:
            found[rule] = value
    return found


def _postures(view: View, deviation: Summary) -> Summary:
    """Return the evidence of postures: how far the likeliest goes, less while others are near."""
    return {
        rule: min(like.strength / ON[view][rule], OFF + (1 - OFF) * like.ahead / AHEAD)
        for rule, like in likeness(view, deviation).items()
        if rule in ON[view]
    }


def stretched(view: View, deviation: Summary) -> bool:
    """Tell whether the arms are so much straighter that it matters how much they play."""
    return view != "front" and deviation.get("elbow", 0.0) / STRAIGHTER >= OFF


def relief(view: View, deviation: Summary) -> float:
    """Return how far a posture is on the good side of the baseline; 1: as far as a fault begins.

    A baseline that somebody sits so much better than was learnt with a fault.
    """
    if not remarkable(view, deviation):
        return 0.0
    seen_from_now = {name: -value for name, value in deviation.items()}
    return max(_postures(view, seen_from_now).values(), default=0.0)


def _sway(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    return _swinging(view, deviation, 1)


def _hip_rock(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    return _swinging(view, deviation, -1) if view == "front" else None


def _swinging(view: View, deviation: Summary, sign: int) -> float | None:
    """Return how far the shoulders swing if it is by sway (1) or by a rocking pelvis (-1).

    None while they swing and it cannot be told which of the two it is.
    """
    if "swing" not in deviation:
        return None
    shown = deviation["swing"] / SWING
    tips = sign * _tips(view, deviation)
    if tips >= TELLS or shown < OFF:
        return shown
    return 0.0 if tips <= -TELLS else None


def _tips(view: View, deviation: Summary) -> float:
    """Return how much a swinging trunk tips, 0 between a sway and a rocking pelvis."""
    if "head_swing" not in deviation:
        return 0.0  # nobody knows
    head = (deviation["head_swing"], deviation["head_roll"])
    return sum((seen - middle) / off for seen, (middle, off) in zip(head, TIPS[view], strict=True))


def _bounce(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    return deviation["bounce"] / BOUNCE[view] if "bounce" in deviation else None


def _knees_in(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    return _knee(view, [-deviation[name] for name in KNEES if name in deviation])


def _knees_out(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    return _knee(view, [deviation[name] for name in KNEES if name in deviation])


def _knee(view: View, gone: list[float]) -> float | None:
    """Return how far off their tracks the knees are: one by itself, or less of it by both."""
    if not gone:
        return None
    if len(gone) == 2:
        gone = [*gone, BOTH * sum(gone) / 2]
    return max(gone) / KNEE[view]


def _standing(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    return deviation["rise"] / RISE[view] if "rise" in deviation else None


def _elbows_locked(view: View, now: Summary, deviation: Summary) -> float | None:
    if view == "front" or "elbow" not in deviation:
        return None
    straighter = max(deviation["elbow"] / STRAIGHTER, 0.0)
    if straighter < OFF:
        return straighter
    if "elbow_play_deg" not in now:
        return None
    return min(
        straighter,
        _between(now["elbow_play_deg"], ELBOW_PLAY_DEG[view]),
        _between(now["left_deg"], ELBOW_DEG)
        if view == "side"
        else max(deviation["shoulder_y"] / PUSHED_UP, 0.0),
    )


def _head_tilt(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    if view != "front" or "head_tilt" not in deviation:
        return None
    return abs(deviation["head_tilt"]) / TILT


def _shoulder_tilt(view: View, now: Summary, deviation: Summary) -> float | None:
    del now
    if view != "front" or "shoulder_tilt" not in deviation:
        return None
    return abs(deviation["shoulder_tilt"]) / TILT


def _elbows_flared(view: View, now: Summary, deviation: Summary) -> float | None:
    del view, now
    out = [deviation[name] for name in ELBOWS_OUT if name in deviation]
    return max(out) / FLARE if out else None


def _leaning(view: View, now: Summary, deviation: Summary) -> float | None:
    if view != "side" or "over_hands" not in deviation or "left_deg" not in now:
        return None
    return min(deviation["over_hands"] / OVER_HANDS, _between(now["left_deg"], LEAN_ELBOW_DEG))


def _saddle_low(view: View, now: Summary, deviation: Summary) -> float | None:
    del deviation
    return _saddle(view, now, SADDLE_LOW_DEG)


def _saddle_high(view: View, now: Summary, deviation: Summary) -> float | None:
    del deviation
    return _saddle(view, now, SADDLE_HIGH_DEG)


def _saddle(view: View, now: Summary, limits_deg: tuple[float, float]) -> float | None:
    if view != "side" or "knee_bdc_deg" not in now:
        return None
    return _between(now["knee_bdc_deg"], limits_deg)


def _between(value: float, limits: tuple[float, float]) -> float:
    """Return 0 at the first limit and before, 1 at the second, and more beyond."""
    begins, full = limits
    return max((value - begins) / (full - begins), 0.0)


_SINGLE: dict[str, Callable[[View, Summary, Summary], float | None]] = {
    "elbows_locked": _elbows_locked,
    "head_tilt": _head_tilt,
    "shoulder_tilt": _shoulder_tilt,
    "elbows_flared": _elbows_flared,
    "leaning": _leaning,
    "knees_in": _knees_in,
    "knees_out": _knees_out,
    "sway": _sway,
    "bounce": _bounce,
    "hip_rock": _hip_rock,
    "standing": _standing,
    "saddle_low": _saddle_low,
    "saddle_high": _saddle_high,
}
