"""What a remote coach wants said: read, held against what is true, given or refused with a reason.

A person or a program far from the bike may word a correction. It is said only about a fault that
stands at this moment, in the rider's language, in at most seven words, and in words that the cue
book knows for that fault: what may be said is listed, so that no other part of the body, no "raise"
for a "drop", no other name and no claim about health can slip in. It takes a slot of the coach's
own: at most one sentence in thirty seconds, whoever words it.
"""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from firmware_app.coach.book import MAX_WORDS, NAME, CueBook, RuleWords
from firmware_app.coach.coach import Coach, Cue
from firmware_app.errors import WireError
from firmware_app.form.state import FormState

LONGEST_LINE = 1024
"""Bytes; a cue is a short sentence."""
SENTENCE = re.compile(r"[^\W\d_][^\d_{}<>\n\r\t\"/\\@#:;()\[\]?]*")
"""Begins with a letter; no figures, no addresses, no question."""
WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


class RemoteCue(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A correction in a remote coach's words."""

    rule: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}$")]
    """What it is about, by the name in the form states."""
    words: Annotated[str, Meta(min_length=3, max_length=80)]
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$")]


class Refused(Struct, frozen=True):
    """A remote cue that is not given, and why, for the remote coach to read."""

    why: str


def schema() -> dict[str, object]:
    """Return the JSON schema that a remote cue must match."""
    return msgspec.json.schema(RemoteCue)


def read(line: bytes) -> RemoteCue:
    """Read one cue; raise WireError with the place when it does not match the schema."""
    if len(line) > LONGEST_LINE:
        raise WireError(f"a remote cue of {len(line)} bytes; at most {LONGEST_LINE}")
    try:
        return msgspec.json.decode(line, type=RemoteCue)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise WireError(f"not a remote cue: {wrong}") from wrong


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
