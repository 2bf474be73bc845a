"""The coach's words in one language, read from config/cues/<language>.toml."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from firmware_app.errors import BadSetting
from firmware_app.form.catalogue import RULES
from firmware_app.form.reasons import SADDLE

Sentence = Annotated[str, Meta(min_length=1, max_length=80)]
Word = Annotated[str, Meta(pattern=r"^[^\W\d_]+$", max_length=20)]
MAX_WORDS = 7
"""Longer cues are not taken in while pedalling; the name comes on top."""
CM = "{cm}"
LEAST_CM = 0.5
"""Of a saddle that is hardly off, and of one whose way is not known."""
NAME = "{name}, "
"""Where the rider's name goes; without a name the sentence begins after it."""


class RuleWords(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the coach has to say about one rule."""

    priority: Annotated[int, Meta(ge=1, le=5)]
    """1 is said before 5."""
    say: Annotated[tuple[Sentence, ...], Meta(min_length=1, max_length=3)]
    """The correction; another wording each time it is needed again."""
    about: Annotated[tuple[Word, ...], Meta(min_length=1)]
    """What a remote coach must name one of, for its words to be about this."""
    also: tuple[Word, ...] = ()
    """What a remote coach may use beside the words that stand here already."""
    hint: Sentence
    """The banner's second line, never spoken; {cm} is how far the saddle should be moved."""
    praise: Sentence
    strength: Sentence
    """At the end of the ride, when this went well."""
    next: Sentence
    """At the end of the ride, when this is the one thing to work on."""


class RideWords(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is said at the end of the ride whatever the rules."""

    clean: Sentence
    """Next thing after a ride without a fault."""
    unseen: Sentence
    """Strength when nobody could be watched."""
    short: Sentence
    """Next thing after a ride too short to know how the rider sits."""
    unseen_next: Sentence
    """Next thing when nobody could be watched."""


class CueBook(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All the words of one language."""

    ride: RideWords
    plain: Annotated[tuple[Word, ...], Meta(min_length=1)]
    """What a remote coach may use about anything: words that turn no sentence round."""
    rules: dict[str, RuleWords]


def with_name(sentence: str, rider: str) -> str:
    """Put the rider's name in, or leave its place out: "Drop your shoulders"."""
    said = sentence.replace("{name}", rider) if rider else sentence.replace(NAME, "")
    return said[:1].upper() + said[1:]


def with_cm(hint: str, move_cm: float | None) -> str:
    """Put in how far the saddle should be moved: "Try 1.5 cm higher, then look again"."""
    return hint.replace(CM, f"{abs(move_cm or LEAST_CM) or LEAST_CM:g} cm")


def read_cues(path: Path) -> CueBook:
    """Read a cue book; raise BadSetting with the place, what was seen and the remedy."""
    try:
        book = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), CueBook)
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadSetting(f"{path}: cannot be read ({wrong}); put the cue book there") from wrong
    except tomllib.TOMLDecodeError as wrong:
        raise BadSetting(f"{path}: {wrong}. Is a quote or a bracket missing there?") from wrong
    except msgspec.ValidationError as wrong:
        raise BadSetting(f"{path}: {wrong}; config/cues/en.toml shows how it is done") from wrong
    _check(path, book)
    return book


def cue_file(language: str) -> Path:
    """Return the packaged cue book of a language; raise BadSetting when there is none."""
    folder = Path(__file__).parents[2] / "config" / "cues"
    path = folder / f"{language}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.toml"))) or "none"
        raise BadSetting(
            f'coach.language is "{language}", but {path} is not there; languages here: {known}'
        )
    return path


def _check(path: Path, book: CueBook) -> None:
    rules = {rule.id for rule in RULES}
    if missing := rules - book.rules.keys():
        raise BadSetting(f"{path}: [rules.{min(missing)}] is missing; add its words")
    if unknown := book.rules.keys() - rules:
        known = ", ".join(sorted(rules))
        raise BadSetting(f"{path}: no rule is called [rules.{min(unknown)}]; there are {known}")
    for rule, words in book.rules.items():
        bare = words.hint.replace(CM, "") if rule in SADDLE else words.hint
        if "{" in bare or "}" in bare:
            raise BadSetting(
                f'{path}: [rules.{rule}] hint "{words.hint}": only "{CM}" may stand in braces, and'
                " only about the saddle"
            )
        for say in words.say:
            bare = say.replace(NAME, "")
            if "{" in bare or "}" in bare:
                raise BadSetting(
                    f'{path}: [rules.{rule}] say "{say}": only "{NAME}" at its place may stand in'
                    " braces"
                )
            if len(bare.split()) > MAX_WORDS:
                raise BadSetting(
                    f'{path}: [rules.{rule}] say "{say}" has more than {MAX_WORDS} words;'
                    " a rider out of breath needs it shorter"
                )
