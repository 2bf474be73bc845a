"""What a remote coach wants said: held against what is true, given or refused with a reason.

A person or a program far from the bike may word a correction. It is said only about a fault that
stands at this moment, in the rider's language, in at most seven words, and in words that the cue
book knows for that fault: what may be said is listed, so that no other part of the body, no "raise"
for a "drop", no other name and no claim about health can slip in. It takes a slot of the coach's
own: at most one sentence in thirty seconds, whoever words it.
"""

import re
from typing import NamedTuple

from firmware_app.coach.book import MAX_WORDS, NAME, CueBook, RuleWords
from firmware_app.coach.coach import Coach, Cue
from firmware_app.form.state import FormState
from firmware_app.wire import CueWords

SENTENCE = re.compile(r"[^\W\d_][^\d_{}<>\n\r\t\"/\\@#:;()\[\]?]*")
"""Begins with a letter; no figures, no addresses, no question."""
WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


class RemoteCue(NamedTuple):
    """A correction in a remote coach's words; gateway/schemas/cue.json is how it comes in."""

    rule: str
    """What it is about, by the name in the form states."""
    words: str
    language: str


class Refused(NamedTuple):
    """A remote cue that is not given, and why, for the remote coach to read."""

    why: str


class RemoteCoach:
    """Judges remote cues for one rider."""

    def __init__(self, book: CueBook, language: str, rider: str) -> None:
        self._book = book
        self._language = language
        self._name = _words(rider)

    def give(self, cue: RemoteCue, form: FormState, coach: Coach) -> Cue | Refused:
        """Hand a cue to the coach, who counts it as its own, or refuse it."""
        why = self.refusal(cue, form)
        if why:
            return Refused(why)
        given = coach.offer(cue.rule, cue.words.strip(), form)
        return Refused(given) if isinstance(given, str) else given

    def lexicon(self) -> dict[str, CueWords]:
        """Return what may be said about each rule."""
        return {
            rule: CueWords(
                say=words.say, about=words.about, words=tuple(sorted(self._known(words)))
            )
            for rule, words in self._book.rules.items()
        }

    def unfit(self, cue: RemoteCue) -> str:
        """Return why these words could never be said about this rule; empty: they could."""
        words = self._book.rules.get(cue.rule)
        if words is None:
            return f'no fault is called "{cue.rule}"'
        if cue.language != self._language:
            return f"the rider hears {self._language}, not {cue.language}"
        return self._wording(cue.words.removeprefix(NAME).strip(), words)

    def refusal(self, cue: RemoteCue, form: FormState) -> str:
        """Return why this cue would be wrong now; empty: it would be right."""
        words = self._book.rules.get(cue.rule)
        if words is None:
            return f'no fault is called "{cue.rule}"'
        state = form.states.get(cue.rule, "unseen")
        if state == "unseen":
            return f"{cue.rule} cannot be seen: {form.why.get(cue.rule, 'no reason known')}"
        if state != "fault":
            return f"{cue.rule} does not stand"
        if cue.language != self._language:
            return f"the rider hears {self._language}, not {cue.language}"
        return self._wording(cue.words.strip(), words)

    def _wording(self, sentence: str, rule: RuleWords) -> str:
        if not SENTENCE.fullmatch(sentence):
            return "only a plain sentence without figures, signs or questions is said"
        said = _words(sentence)
        if self._name and said[: len(self._name)] == self._name:
            said = said[len(self._name) :]
        if len(said) > MAX_WORDS:
            return f"{len(said)} words; at most {MAX_WORDS} and the rider's name"
        strange = [word for word in said if word not in self._known(rule)]
        if strange:
            return f'"{strange[0]}" is no word of the cue book about this'
        if not set(said) & set(rule.about):
            return f"names none of {', '.join(rule.about)}"
        return ""

    def _known(self, rule: RuleWords) -> set[str]:
        own = " ".join((*rule.say, rule.hint)).replace(NAME, "")
        return {*_words(own), *rule.about, *rule.also, *self._book.plain}


def _words(text: str) -> list[str]:
    return [word.lower() for word in WORD.findall(text)]
