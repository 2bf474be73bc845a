"""Who sits how in a class now, from what the bikes say once a second.

Pure and forgetful: a rider who has been silent for five seconds is unknown, never ok; after a
minute they have left. Nothing of it is stored, and only counts leave.
"""

from typing import Literal, NamedTuple

from firmware_app.wire import RuleState
from gateway.topics import Aggregate, Form

SILENT_S = 5.0
GONE_S = 60.0
MOST_RIDERS = 5000
"""A bound, not a plan: the largest gyms have a few hundred bikes."""
PART_OF_BODY = {
    "shrug": "shoulders",
    "head_drop": "head",
    "elbows_locked": "arms",
    "rounded_back": "back",
    "lean_low": "back",
    "knees_in": "knees",
    "knees_out": "knees",
    "sway": "swaying",
    "bounce": "bouncing",
    "hip_rock": "hips",
    "saddle_low": "saddle",
    "saddle_high": "saddle",
}
"""What an instructor says for a rule; a rule that is not here is shown by its name."""
NOT_A_POSTURE = frozenset({"standing", "cadence_low", "cadence_high"})
"""States that say nothing about being in position."""


class Counts(NamedTuple):
    """A class at one moment: numbers only."""

    class_id: str
    rules: dict[str, int]
    """Rule to riders out of position by it; a rider may be in several."""
    parts: dict[str, int]
    """The same by part of the body, each rider once a part; most first."""
    out: int
    ok: int
    unknown: int
    few_below: int = 0
    """Fewer riders than this are not told as a number."""

    def say(self, riders: int) -> str:
        """Return a count as people may see it."""
        return "a few" if 0 < riders < self.few_below else f"{riders}"

    @property
    def riders(self) -> int:
        """All of them."""
        return self.out + self.ok + self.unknown

    def aggregate(self) -> Aggregate:
        """Return it as the message that others may listen to."""
        return Aggregate(
            class_id=self.class_id,
            out_of_position={r: n for r, n in self.rules.items() if n >= self.few_below},
            few=tuple(r for r, n in self.rules.items() if n < self.few_below),
            out=self.out,
            ok=self.ok,
            unknown=self.unknown,
            riders=self.riders,
        )


class _Rider(NamedTuple):
    heard_s: float
    said: tuple[str, dict[str, RuleState]]
    """Phase and states; while they stay the same, so does what follows from them."""
    verdict: Literal["out", "ok", "unknown"]
    rules: tuple[str, ...]
    parts: frozenset[str]


class Room:
    """Every class that is on."""

    def __init__(self, few_below: int = 0) -> None:
        self._few_below = few_below
        self._riders: dict[tuple[str, str], _Rider] = {}

    def hear(self, class_id: str, form: Form, t_s: float) -> None:
        """Take in what one bike says; t_s is our time, bikes have their own."""
        key = (class_id, form.rider)
        if form.phase not in ("riding", "paused"):
            self._riders.pop(key, None)
            return
        before = self._riders.get(key)
        if before is not None and before.said == (form.phase, form.states):
            self._riders[key] = before._replace(heard_s=t_s)
        elif before is not None or len(self._riders) < MOST_RIDERS:
            self._riders[key] = _judge(form, t_s)

    def classes(self, t_s: float) -> list[Counts]:
        """Return the counts of every class with riders, by name."""
        self._forget(t_s)
        return [self.count(name, t_s) for name in sorted({name for name, _ in self._riders})]

    def count(self, class_id: str, t_s: float) -> Counts:
        """Return the counts of one class; all zero when nobody rides in it."""
        self._forget(t_s)
        rules: dict[str, int] = {}
        parts: dict[str, int] = {}
        verdicts = {"out": 0, "ok": 0, "unknown": 0}
        for (name, _), rider in self._riders.items():
            if name != class_id:
                continue
            if t_s - rider.heard_s > SILENT_S:
                verdicts["unknown"] += 1
                continue
            verdicts[rider.verdict] += 1
            for rule in rider.rules:
                rules[rule] = rules.get(rule, 0) + 1
            for part in rider.parts:
                parts[part] = parts.get(part, 0) + 1
        return Counts(
            class_id, _most_first(rules), _most_first(parts), **verdicts, few_below=self._few_below
        )

    def _forget(self, t_s: float) -> None:
        for key in [k for k, rider in self._riders.items() if t_s - rider.heard_s > GONE_S]:
            del self._riders[key]


def _judge(form: Form, t_s: float) -> _Rider:
    said = (form.phase, form.states)
    posture = {r: s for r, s in form.states.items() if r not in NOT_A_POSTURE}
    faults = tuple(rule for rule, state in posture.items() if state == "fault")
    if form.phase == "riding" and faults:
        parts = frozenset(PART_OF_BODY.get(rule, rule.replace("_", " ")) for rule in faults)
        return _Rider(t_s, said, "out", faults, parts)
    seen = form.phase == "riding" and "ok" in posture.values()
    return _Rider(t_s, said, "ok" if seen else "unknown", (), frozenset())


def _most_first(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
