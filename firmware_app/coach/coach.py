"""Whether to speak, and what: one short sentence at the right moment, or none.

The promises to the rider, kept here: at most one spoken sentence every thirty seconds, praise
included; the same fault at most every ninety, the third time after twice as long, then on the
screen only; a saddle once in a ride; nothing that no longer holds; nothing before the rider's own
posture is known; nothing during a drink, a wipe, a look aside or a sprint, nor around the ends of
an interval. Who has ridden often hears less of it and reads the rest.
"""

from typing import Literal, NamedTuple

from firmware_app.coach.book import CueBook, with_cm, with_name
from firmware_app.form.catalogue import RULES, STATES
from firmware_app.form.reasons import PASSING, SADDLE
from firmware_app.form.state import FormState
from firmware_app.settings import Coaching
from firmware_app.wire import Profile

NOBODY = Profile()
"""Of whom nothing is known."""
PRAISE_AFTER_S = 5.0
"""A correction counts once it has held this long."""
PRAISE_WITHIN_S = 30.0
"""Later than this after the cue, a rider no longer knows what the praise is for."""
PRAISE_EVERY_S = 60.0
SPOKEN_TIMES = 3
"""After so many spoken cues about one fault, the screen is enough."""
URGENT = 2
"""Faults of this priority and above are never faded."""
FADE = ((3, 3), (8, 2))
"""After so many earlier rides, so many of three corrections are spoken; after the last, one.
Faded feedback is kept better than constant (Marco-Ahullo 2024: two thirds), though not undisputed
(Fujii 2016)."""
SAID_AFTER_S = {rule.id: rule.said_after_s for rule in RULES}


class Cue(NamedTuple):
    """One sentence of the coach, to be said or shown."""

    number: int
    """Counts the cues of this ride, from 1."""
    rule: str
    kind: Literal["correct", "praise"]
    text: str
    hint: str
    voice: bool
    """False: shown only."""
    until_s: float
    """Not spoken when it cannot start by this second."""


class _Told(NamedTuple):
    """The last cue about a rule."""

    times: int
    t_s: float


class Coach:
    """Remembers what was said; knows time only from the states it is given."""

    def __init__(
        self,
        book: CueBook,
        rules: Coaching,
        rider: str,
        rides: int = 0,
        profile: Profile = NOBODY,
    ) -> None:
        """Coach one ride; rides: how many the rider has had before."""
        self._book = book
        self._rider = rider
        self._rules = rules
        self._mute = not profile.voice
        self._style = profile.style or rules.style
        self.wished = ""
        """The style that the rider wished for in this ride; empty: none."""
        self._states = frozenset[str]() if profile.seated_only else STATES
        """Ways of riding that are no faults of this rider's."""
        self._fresh_s = rules.fresh_s
        self._of_three = 3 if self._style == "more" else _of_three(rides)
        self._fadeable = 0
        """Corrections so far that may be faded."""
        self._number = 0
        self._told: dict[str, _Told] = {}
        self._last_s = float("-inf")
        """When the last sentence took its slot."""
        self._praised_s = float("-inf")
        self._since: dict[str, float] = {}
        """Rule to the second since which its fault stands."""
        self._mended: dict[str, float | None] = {}
        """Cued rule to the second since which it is put right; None while it is not."""
        self._open: dict[int, tuple[str, _Told | None, float]] = {}
        """Cue without an outcome to its rule and what held before it."""
        self._not_before_s = float("-inf")
        self._reworded: dict[str, str] = {}
        self._saddle_cm: float | None = None

    @property
    def _quiet_s(self) -> float:
        return self._rules.quiet_s * (2.0 if self._style == "quiet" else 1.0)

    @property
    def _same_fault_s(self) -> float:
        return self._rules.same_fault_s * (2.0 if self._style == "quiet" else 1.0)

    def wish(self, wish: Literal["quieter", "more"]) -> None:
        """Change the style for the rest of the ride; never to more than the promise allows."""
        styles: tuple[Literal["silent", "quiet", "normal"], ...] = ("silent", "quiet", "normal")
        now = 2 if self._style == "more" else styles.index(self._style)
        self._style = self.wished = styles[
            max(now - 1, 0) if wish == "quieter" else min(now + 1, 2)
        ]

    def reword(self, rule: str, text: str) -> str:
        """Say this first about a rule, in this ride; return it as it will be spoken."""
        self._reworded[rule] = text
        return with_name(text, self._rider)

    def _words(self, rule: str) -> tuple[str, ...]:
        own = self._book.rules[rule].say
        return (self._reworded[rule], *own) if rule in self._reworded else own

    def texts(self) -> tuple[str, ...]:
        """Return all that may be said in this ride, to be rendered before it is needed."""
        words = [words for rule, words in self._book.rules.items() if rule not in self._states]
        say = [with_name(text, self._rider) for one in words for text in one.say]
        return tuple(dict.fromkeys(say + [with_name(one.praise, self._rider) for one in words]))

    def consider(self, form: FormState, quiet: str = "") -> Cue | None:
        """Return what to say now, or None; called five times a second.

        quiet: why the class leaves no room for it just now; empty: it does.
        """
        faults = {rule for rule, state in form.states.items() if state == "fault"}
        faults -= self._states | form.fading
        self._since = {rule: self._since.get(rule, form.t_s) for rule in faults}
        self._follow(form)
        self._saddle_cm = form.saddle_cm
        if form.learning is not None or form.t_s < self._not_before_s or quiet or _busy(form):
            return None
        return self._correct(form.t_s) or self._praise(form.t_s)

    def offer(self, rule: str, text: str, form: FormState) -> Cue | str:
        """Give a correction in somebody else's words; return the cue, or why it is not given.

        It takes its slot and counts as told, as if the words were our own.
        """
        stands = form.states.get(rule) == "fault" and rule not in self._states
        stood_s = form.t_s - self._since.get(rule, form.t_s)
        against = (
            (not stands, "this fault does not stand"),
            (rule in form.fading, "the rider is putting it right"),
            (stood_s < SAID_AFTER_S.get(rule, 0.0), "this fault may pass by itself yet"),
            (form.learning is not None, "the rider's posture is not known yet"),
            (_busy(form), "the rider drinks, wipes or looks aside"),
            (
                form.t_s < max(self._not_before_s, self._last_s + self._quiet_s),
                "something was said just now",
            ),
            (not self._may_tell(rule, form.t_s), "this fault was told a short while ago"),
        )
        why = next((reason for applies, reason in against if applies), "")
        return why or self._tell(rule, text, form.t_s)

    def outcome(self, cue: int, outcome: str, t_s: float) -> None:
        """Take in what became of a cue: "spoken", "shown", or "dropped", which frees its slot."""
        rule, told, last_s = self._open.pop(cue, ("", None, 0.0))
        if not rule or outcome != "dropped":
            return
        self._last_s = last_s
        self._not_before_s = t_s + self._fresh_s
        self._mended.pop(rule, None)
        self._told.pop(rule, None)
        if told:
            self._told[rule] = told

    def _correct(self, t_s: float) -> Cue | None:
        free_s = self._last_s + self._quiet_s
        wait_s = self._rules.remote_first_s
        due = [
            rule
            for rule, since_s in self._since.items()
            if self._may_tell(rule, t_s - wait_s)
            and t_s >= max(since_s + SAID_AFTER_S[rule], free_s) + wait_s
        ]
        if not due:
            return None
        rule = min(due, key=lambda one: (self._book.rules[one].priority, self._since[one], one))
        words, told = self._words(rule), self._told.get(rule)
        return self._tell(rule, words[(told.times if told else 0) % len(words)], t_s)

    def _tell(self, rule: str, text: str, t_s: float) -> Cue:
        told = self._told.get(rule)
        times = told.times if told else 0
        cue = self._cue(rule, "correct", text, t_s, times < SPOKEN_TIMES and self._aloud(rule))
        self._told[rule] = _Told(times + 1, t_s)
        self._mended[rule] = None
        return cue

    def _aloud(self, rule: str) -> bool:
        """Tell whether this correction is among those that are spoken, and count it."""
        if self._book.rules[rule].priority <= URGENT:
            return True
        self._fadeable += 1
        return (self._fadeable - 1) % 3 < self._of_three

    def _may_tell(self, rule: str, t_s: float) -> bool:
        told = self._told.get(rule)
        if told is None:
            return True
        if rule in SADDLE:
            return False
        wait = self._same_fault_s * (2.0 if told.times >= SPOKEN_TIMES - 1 else 1.0)
        return t_s >= told.t_s + wait

    def _follow(self, form: FormState) -> None:
        """Keep, for every fault that was cued, since when it is put right."""
        for rule, since in list(self._mended.items()):
            if form.t_s > self._told[rule].t_s + PRAISE_WITHIN_S + PRAISE_AFTER_S:
                del self._mended[rule]
            elif form.states[rule] != "ok":
                self._mended[rule] = None
            elif since is None:
                self._mended[rule] = form.t_s

    def _praise(self, t_s: float) -> Cue | None:
        held_s = {rule: t_s - since for rule, since in self._mended.items() if since is not None}
        rule = max(held_s, key=lambda one: held_s[one], default=None)
        if rule is None or held_s[rule] < PRAISE_AFTER_S:
            return None
        del self._mended[rule]
        if t_s < self._praised_s + PRAISE_EVERY_S:
            return None
        self._praised_s = t_s
        speak = t_s >= self._last_s + self._quiet_s
        return self._cue(rule, "praise", self._book.rules[rule].praise, t_s, speak)

    def _cue(
        self, rule: str, kind: Literal["correct", "praise"], text: str, t_s: float, speak: bool
    ) -> Cue:
        self._number += 1
        voice = speak and self._style != "silent" and not self._mute
        self._open[self._number] = (rule, self._told.get(rule), self._last_s)
        if voice or kind == "correct":
            self._last_s = t_s
        hint = with_cm(self._book.rules[rule].hint, self._saddle_cm) if kind == "correct" else ""
        said = with_name(text, self._rider)
        return Cue(self._number, rule, kind, said, hint, voice, t_s + self._fresh_s)


def _of_three(rides: int) -> int:
    return next((spoken for most, spoken in FADE if rides < most), 1)


def _busy(form: FormState) -> bool:
    """Tell whether the rider has a hand off the bar or the head turned."""
    return not PASSING.isdisjoint(form.why.values())
