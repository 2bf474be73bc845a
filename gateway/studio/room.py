"""Who sits how in a class now, from what the bikes say once a second.

Pure and forgetful: a rider who has been silent for five seconds is unknown, never ok; after a
minute they have left. Nothing of it is stored. Only counts leave, and to the instructor's board the
names of riders who agreed to it on their bike.
"""

from collections import Counter
from itertools import islice
from typing import Literal, NamedTuple
from unicodedata import category

from firmware_app.wire import RuleState
from gateway.topics import Aggregate, Form

SILENT_S = 5.0
GONE_S = 60.0
LOOK_S = 0.05
"""How often it is looked who has fallen silent."""
MOST_RIDERS, MOST_CLASSES, MOST_RULES = 5000, 100, 64
"""Bounds, not plans: the largest gyms have a few hundred bikes, and a coach a few dozen rules."""
MOST_MARKS = 2
"""As many as Vietnamese needs; with more a name runs over its neighbours."""
PART_OF_BODY = {
    "shrug": "shoulders",
    "head_drop": "head",
    "head_tilt": "head",
    "shoulder_tilt": "shoulders",
    "elbows_locked": "arms",
    "elbows_flared": "arms",
    "leaning": "arms",
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
    """A class at one moment: numbers, and names of riders who agreed to be named."""

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
    named: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Riders out of position who agreed to be named, and by which parts; by name."""

    def few(self, riders: int) -> bool:
        """Tell whether these are too few to be told as a number."""
        return 0 < riders < self.few_below

    def say(self, riders: int) -> str:
        """Return a count as people may see it."""
        return "a few" if self.few(riders) else f"{riders}"

    @property
    def riders(self) -> int:
        """All of them."""
        return self.out + self.ok + self.unknown

    def aggregate(self) -> Aggregate:
        """Return it as the message that others may listen to: numbers only, and no small ones."""
        shares = {"out": self.out, "ok": self.ok, "unknown": self.unknown}
        told = {share: 0 if self.few(n) else n for share, n in shares.items()}
        rules = dict(islice(self.rules.items(), MOST_RULES))
        return Aggregate(
            class_id=self.class_id,
            out_of_position={r: n for r, n in rules.items() if not self.few(n)},
            few=tuple(what for what, n in (rules | shares).items() if self.few(n)),
            out=told["out"],
            ok=told["ok"],
            unknown=told["unknown"],
            riders=sum(told.values()),
        )


class _Verdict(NamedTuple):
    """What follows from what a bike said of its rider."""

    share: Literal["out", "ok", "unknown"]
    rules: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    name: str = ""


SILENT = _Verdict("unknown")


class _Rider:
    """One rider, and how they count now."""

    def __init__(self, form: Form, t_s: float) -> None:
        self.heard_s = t_s
        self.said = _said(form)
        self.verdict = self.counted = _judge(form)
        """As the bike says, and as it is counted: unknown once the bike is silent."""


class _Sum:
    """One class, added up as it changes."""

    def __init__(self) -> None:
        self.rules: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.shares: Counter[str] = Counter()
        self.named: Counter[tuple[str, tuple[str, ...]]] = Counter()

    def add(self, verdict: _Verdict, riders: int) -> None:
        """Count a rider in, or out again."""
        self.shares[verdict.share] += riders
        for rule in verdict.rules:
            self.rules[rule] += riders
        for part in verdict.parts:
            self.parts[part] += riders
        if verdict.name and verdict.share == "out":
            self.named[verdict.name, verdict.parts] += riders


class Room:
    """Every class that is on."""

    def __init__(self, few_below: int = 0) -> None:
        self._few_below = few_below
        self._riders: dict[tuple[str, str], _Rider] = {}
        self._sums: dict[str, _Sum] = {}
        self._looked_s = float("-inf")
        self.changes = 0
        """Grows whenever a count may have changed."""

    def hear(self, class_id: str, form: Form, t_s: float) -> bool:
        """Take in what one bike says; t_s is our time, bikes have their own. False: no room."""
        key = (class_id, form.rider)
        before = self._riders.get(key)
        if form.phase not in ("riding", "paused"):
            self._forget(key)
        elif before is not None and before.said == _said(form):
            self.still(*key, t_s)
        elif before is None and not self._has_room(class_id):
            return False
        else:
            self._forget(key)
            rider = self._riders[key] = _Rider(form, t_s)
            self._sums.setdefault(class_id, _Sum()).add(rider.counted, 1)
            self.changes += 1
        return True

    def _has_room(self, class_id: str) -> bool:
        known = class_id in self._sums or len(self._sums) < MOST_CLASSES
        return known and len(self._riders) < MOST_RIDERS

    def still(self, class_id: str, rider: str, t_s: float) -> bool:
        """Take in that a rider sits as before; False: nobody of that name is known here."""
        before = self._riders.get((class_id, rider))
        if before is None:
            return False
        before.heard_s = t_s
        if before.counted is not before.verdict:
            self._count(class_id, before, before.verdict)
        return True

    def classes(self, t_s: float) -> list[Counts]:
        """Return the counts of every class with riders, by name."""
        if t_s - self._looked_s >= LOOK_S:
            self._looked_s = t_s
            self._look_who_is_silent(t_s)
        return [self._counts(name, self._sums[name]) for name in sorted(self._sums)]

    def _look_who_is_silent(self, t_s: float) -> None:
        for key, rider in list(self._riders.items()):
            silent_s = t_s - rider.heard_s
            if silent_s > GONE_S:
                self._forget(key)
            elif silent_s > SILENT_S and rider.counted is not SILENT:
                self._count(key[0], rider, SILENT)

    def _count(self, class_id: str, rider: _Rider, verdict: _Verdict) -> None:
        self._sums[class_id].add(rider.counted, -1)
        self._sums[class_id].add(verdict, 1)
        rider.counted = verdict
        self.changes += 1

    def _forget(self, key: tuple[str, str]) -> None:
        rider = self._riders.pop(key, None)
        if rider is None:
            return
        whole = self._sums[key[0]]
        whole.add(rider.counted, -1)
        if not +whole.shares:
            del self._sums[key[0]]
        self.changes += 1

    def count(self, class_id: str, t_s: float) -> Counts:
        """Return the counts of one class; all zero when nobody rides in it."""
        found = [counts for counts in self.classes(t_s) if counts.class_id == class_id]
        return found[0] if found else self._counts(class_id, _Sum())

    def _counts(self, class_id: str, whole: _Sum) -> Counts:
        return Counts(
            class_id,
            _most_first(whole.rules),
            _most_first(whole.parts),
            out=whole.shares["out"],
            ok=whole.shares["ok"],
            unknown=whole.shares["unknown"],
            few_below=self._few_below,
            named=tuple(sorted((+whole.named).elements())),
        )


def _said(form: Form) -> tuple[str, str, dict[str, RuleState]]:
    """Return what a verdict follows from."""
    return (form.phase, form.name, form.states)


def _judge(form: Form) -> _Verdict:
    name = _plain(form.name)
    posture = {r: s for r, s in form.states.items() if r not in NOT_A_POSTURE}
    faults = tuple(rule for rule, state in posture.items() if state == "fault")
    if form.phase == "riding" and faults:
        parts = {PART_OF_BODY.get(rule, rule.replace("_", " ")) for rule in faults}
        return _Verdict("out", faults, tuple(sorted(parts)), name)
    seen = form.phase == "riding" and "ok" in posture.values()
    return _Verdict("ok" if seen else "unknown")


def _plain(name: str) -> str:
    """Return a name as a line of letters, each with two marks above or below it at most."""
    letters, marks = "", 0
    for letter in name:
        marks = marks + 1 if category(letter) in ("Mn", "Me") else 0
        letters += letter if letter.isprintable() and marks <= MOST_MARKS else ""
    return letters.strip()


def _most_first(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted((+counts).items(), key=lambda item: (-item[1], item[0])))
