"""The rider as five strokes: head, shoulders, arms, back, knees, each as the coach sees it.

Colour is never alone: good is a closed line, a fault is thicker, unseen is dotted.
"""

from collections.abc import Mapping

from firmware_app.form.catalogue import PART_OF, PARTS, Part
from firmware_app.player.brush import Brush, Point, curve
from firmware_app.player.icons import arc
from firmware_app.player.theme import FAULT, GOOD, UNSEEN, Colour
from firmware_app.wire import RuleState

WIDE, HIGH = 112.0, 214.0
_BONE = 9.0

_STROKES: dict[Part, tuple[tuple[Point, ...], ...]] = {
    "head": (tuple(arc(56, 28, 17, -90, 258)),),
    "shoulders": (tuple(curve((29, 74), (56, 53), (83, 74))),),
    "arms": (((25, 84), (16, 124), (37, 146)), ((87, 84), (96, 124), (75, 146))),
    "back": (((56, 78), (56, 136)),),
    "knees": (((45, 152), (36, 180), (45, 208)), ((67, 152), (76, 180), (67, 208))),
}


def parts_of(states: Mapping[str, RuleState]) -> dict[Part, RuleState]:
    """Return each part's state: a fault if any rule says so, ok if any can see it, else unseen."""
    told: dict[Part, set[RuleState]] = {part: set() for part in PARTS}
    for rule, state in states.items():
        part = PART_OF.get(rule)
        if part is not None:
            told[part].add(state)
    return {part: _worst(said) for part, said in told.items()}


def draw_figure(brush: Brush, x: float, y: float, parts: Mapping[Part, RuleState]) -> None:
    """Draw the figure, 112 by 214 units, with its upper left corner at x, y."""
    for part in sorted(PARTS, key=lambda p: parts.get(p) == "fault"):  # a fault lies on top
        for stroke in _STROKES[part]:
            points = [(x + px, y + py) for px, py in stroke]
            state = parts.get(part, "unseen")
            closed = part == "head"
            if state == "unseen":
                brush.dots(points[:-1] if closed else points, 5.0, UNSEEN, 11.0)
            elif state == "fault":
                brush.line(points, _BONE + 4, FAULT, closed=closed)
            else:
                brush.line(points, _BONE, GOOD, closed=closed)


def draw_cue_sign(  # noqa: PLR0913, PLR0917 - where, and in which two colours
    brush: Brush, rule: str, x: float, y: float, ink: Colour, hot: Colour
) -> None:
    """Draw what a cue is about, 62 by 62 units: a head and shoulders, the part in question hot."""
    part = PART_OF.get(rule)

    def line(points: list[Point], colour: Colour, *, closed: bool = False) -> None:
        moved = [(x + px, y + py) for px, py in points]
        brush.line(moved, 6.0 if colour == hot else 5.0, colour, closed=closed)

    if part is None:
        line(arc(31, 33, 22, -25, 270), hot)
        line([(32, 2), (41, 11), (32, 20)], hot)
        return
    line(arc(31, 14, 9, -90, 258), hot if part == "head" else ink, closed=True)
    line(curve((9, 37), (31, 20), (53, 37)), hot if part == "shoulders" else ink)
    if part == "shoulders":
        line([(31, 40), (31, 58)], ink)
        line([(23, 50), (31, 58), (39, 50)], ink)
    elif part == "arms":
        line([(10, 42), (5, 52), (18, 60)], hot)
        line([(52, 42), (57, 52), (44, 60)], hot)
    elif part == "back":
        line([(31, 36), (31, 58)], hot)
    elif part == "knees":
        line([(22, 42), (17, 51), (22, 60)], hot)
        line([(40, 42), (45, 51), (40, 60)], hot)
    else:
        line([(31, 60), (31, 42)], ink)
        line([(23, 50), (31, 42), (39, 50)], ink)


def _worst(said: set[RuleState]) -> RuleState:
    if "fault" in said:
        return "fault"
    return "ok" if "ok" in said else "unseen"
