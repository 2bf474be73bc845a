"""What a language model may ask and do: four functions with JSON schemas, and no others.

    pose_monitor      how the rider sits now, in numbers and states
    exercise_library  what a rule is about
    cue_library       the cue book's own sentences and the words that may be used
    say               hands in the words for a cue; answered with "accepted" or the reason

None of them knows a name, a place or a picture. Whatever is wrong with a call is said in its
answer, so that a model can mend it.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from firmware_app.wire import Lexicon, Live, PoseFeatures

Check = Callable[[str, str], Awaitable[str]]
"""(rule, words) to the reason why they cannot be said; empty: the ride has taken them."""
ABOUT = {
    "shrug": "Shoulders pulled up towards the ears.",
    "head_drop": "Head hanging, eyes on the floor.",
    "head_tilt": "Head held to one side.",
    "shoulder_tilt": "One shoulder held lower than the other.",
    "elbows_locked": "Elbows straight, arms stiff.",
    "elbows_flared": "Elbows pointing outwards.",
    "rounded_back": "Upper back rounded, chest collapsed.",
    "lean_low": "Trunk further down over the bar than the rider's own usual.",
    "knees_in": "A knee falls inwards.",
    "knees_out": "A knee points outwards.",
    "sway": "Upper body swings from side to side with the pedals.",
    "bounce": "Rider bounces on the saddle, twice a turn.",
    "hip_rock": "Hips rock from side to side.",
    "leaning": "Weight hangs on the bar while standing.",
    "standing": "Out of the saddle; a fault only for riders who stay seated.",
    "saddle_low": "Knee stays too bent at the bottom of the turn.",
    "saddle_high": "Knee gets too straight at the bottom of the turn.",
    "cadence_low": "Slower than the class asks.",
    "cadence_high": "Faster than the class asks, or with too little resistance.",
}


class PoseMonitor(Struct, forbid_unknown_fields=True, frozen=True):
    """How the rider sits now: each rule ok, fault or unseen, cadence, and figures if told."""


class ExerciseLibrary(Struct, forbid_unknown_fields=True, frozen=True):
    """What a rule is about, in a sentence."""

    rule: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}$")]


class CueLibrary(Struct, forbid_unknown_fields=True, frozen=True):
    """The cue book's own sentences about a rule and the words that may be used."""

    rule: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}$")]


class Say(Struct, forbid_unknown_fields=True, frozen=True):
    """Hand in the words of a cue: begin with a verb, at most seven words, one thing, no blame."""

    rule: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}$")]
    words: Annotated[str, Meta(min_length=3, max_length=80)]


TOOLS: dict[str, type[Struct]] = {
    "pose_monitor": PoseMonitor,
    "exercise_library": ExerciseLibrary,
    "cue_library": CueLibrary,
    "say": Say,
}


class Answer(NamedTuple):
    """What a call comes back with."""

    text: str
    """JSON for the model."""
    taken: str = ""
    """The words that the ride has taken: there is nothing more to do."""
    refused: bool = False
    """Words were handed in and not taken."""


def schemas() -> list[dict[str, Any]]:
    """Return the functions as an OpenAI-compatible endpoint wants them."""
    return [
        {
            "type": "function",
            "function": {
                "name": name,
                "description": kind.__doc__,
                "parameters": _parameters(kind),
            },
        }
        for name, kind in TOOLS.items()
    ]


class Toolbox:
    """The functions over what the ride has told last."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self.lexicon: Lexicon | None = None
        self.live: Live | None = None
        self.pose: PoseFeatures | None = None

    async def call(self, name: str, arguments: str) -> Answer:
        """Carry out one call; whatever is wrong with it is in the answer."""
        kind = TOOLS.get(name)
        if kind is None:
            return _wrong(f"no function is called {name[:40]}; there are {', '.join(TOOLS)}")
        try:
            asked = msgspec.json.decode(arguments or "{}", type=kind)
        except msgspec.MsgspecError as wrong:
            return _wrong(str(wrong), refused=name == "say")
        return await self._carry_out(asked)

    async def _carry_out(self, asked: Struct) -> Answer:
        match asked:
            case PoseMonitor():
                return _answer(self._now())
            case ExerciseLibrary(rule):
                about = ABOUT.get(rule)
                return _answer({"rule": rule, "about": about}) if about else _unknown(rule)
            case CueLibrary(rule):
                words = self.lexicon.rules.get(rule) if self.lexicon else None
                return _answer(msgspec.to_builtins(words)) if words else _unknown(rule)
            case Say(rule, words):
                why = await self._check(rule, words)
                if why:
                    return _wrong(why, refused=True)
                return Answer('{"accepted": true}', taken=words)
        raise AssertionError(asked)

    def _now(self) -> dict[str, Any]:
        live, pose = self.live, self.pose
        if live is None:
            return {"riding": False}
        now: dict[str, Any] = {
            "riding": live.phase == "riding",
            "cadence_rpm": live.cadence_rpm,
            "states": live.states,
        }
        if pose is not None:
            now["evidence"] = pose.evidence
        return now


def _parameters(kind: type[Struct]) -> dict[str, Any]:
    whole = msgspec.json.schema(kind)
    body: dict[str, Any] = whole["$defs"][kind.__name__]
    return {name: body[name] for name in ("type", "properties", "required", "additionalProperties")}


def _answer(value: Any) -> Answer:
    return Answer(msgspec.json.encode(value).decode())


def _wrong(why: str, *, refused: bool = False) -> Answer:
    return Answer(msgspec.json.encode({"accepted": False, "why": why}).decode(), refused=refused)


def _unknown(rule: str) -> Answer:
    return _wrong(f"no rule is called {rule}; pose_monitor names them")
