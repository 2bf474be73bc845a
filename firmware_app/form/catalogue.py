"""The rules there are: what each is called and how long it must show before it counts.

Names are those of the labels that riders are tested with. A rule says what is wrong with the
rider ("shrug": the shoulders are up); "standing" is a state of riding and never a fault to mend.
Dwell times are guesses of engineering, tuned on rendered riders; see firmware_app/README.md.
"""

from typing import Literal, NamedTuple


class Rule(NamedTuple):
    """One thing the coach looks for."""

    id: str
    on_s: float
    """How long it must show, nearly without a break, before it is a fault."""
    off_s: float
    """How long it must be gone before it is put right."""
    looks_back_s: float = 2.0
    """How far the evidence looks back: on_s more and the fault is known."""
    said_after_s: float = 0.0
    """How long a fault stands before a word is said: what good riders do too for some seconds is
    shown at once, and said to who goes on."""


RULES = (
    Rule("shrug", 2.5, 1.0),
    Rule("head_drop", 2.5, 1.0),
    Rule("head_tilt", 8.0, 1.0),
    Rule("shoulder_tilt", 8.0, 1.0),
    Rule("elbows_flared", 8.0, 1.0),
    Rule("elbows_locked", 4.0, 1.0, 4.0, 15.0),
    Rule("rounded_back", 2.5, 1.0),
    Rule("lean_low", 2.5, 1.0),
    Rule("knees_in", 2.0, 1.0, 4.0),
    Rule("knees_out", 2.0, 1.0, 4.0),
    Rule("sway", 2.0, 1.0, 4.0),
    Rule("bounce", 2.0, 1.0, 4.0),
    Rule("hip_rock", 2.0, 1.0, 4.0),
    Rule("standing", 1.5, 1.5),
    Rule("leaning", 4.0, 1.0),
    Rule("saddle_low", 6.0, 4.0, 4.0),
    Rule("saddle_high", 6.0, 4.0, 4.0),
    Rule("cadence_low", 8.0, 2.0),
    Rule("cadence_high", 8.0, 2.0),
)
POSTURE = tuple(rule.id for rule in RULES if not rule.id.startswith("cadence"))
"""What needs the camera."""
STATES = frozenset({"standing"})
"""Ways of riding: told in the states, never cued, not out of position."""

Part = Literal["head", "shoulders", "arms", "back", "knees"]
PARTS: tuple[Part, ...] = ("head", "shoulders", "arms", "back", "knees")
PART_OF: dict[str, Part] = {
    "head_drop": "head",
    "head_tilt": "head",
    "shrug": "shoulders",
    "shoulder_tilt": "shoulders",
    "elbows_locked": "arms",
    "elbows_flared": "arms",
    "leaning": "arms",
    "rounded_back": "back",
    "lean_low": "back",
    "sway": "back",
    "bounce": "back",
    "hip_rock": "back",
    "knees_in": "knees",
    "knees_out": "knees",
    "saddle_low": "knees",
    "saddle_high": "knees",
}
"""Where on the body a rule shows; a rule that is not here is not about the body."""
