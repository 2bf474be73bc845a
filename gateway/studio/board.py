"""The instructor's board as HTML: the room in one sentence, read from the other end of it.

Counts, and the names of riders who agreed to it on their bike: no other name, no bike, no picture.
Pure.
"""

from collections.abc import Sequence
from html import escape

from gateway.studio.room import Counts

MOST_NAMES = 12
"""More names than this nobody reads across a room."""
MOST_PARTS = 10
NOBODY = Counts("", {}, {}, 0, 0, 0)


def sentence(counts: Counts) -> str:
    """Say the class in one sentence: "3 riders out of position: 2 shoulders, 1 head"."""
    if counts.riders == 0:
        return "Nobody is riding"
    if counts.out == 0:
        if counts.ok == 0:
            return "Nobody can be judged just now"
        return "Everybody is in position" if counts.unknown == 0 else "Nobody is out of position"
    many = counts.say(counts.out)
    riders = "1 rider" if many == "1" else f"{many} riders"
    parts = ", ".join(f"{counts.say(number)} {part}" for part, number in _parts(counts))
    return f"{riders[0].upper()}{riders[1:]} out of position: {parts}"


def board(gym: str, classes: Sequence[Counts], trouble: str, only: str = "") -> str:
    """Return the board's body; trouble: why nothing new can come, or empty; only: one class."""
    warning = f'<div class="card wrong"><b>{escape(trouble)}</b></div>' if trouble else ""
    shown = [counts for counts in classes if only in ("", counts.class_id)]
    if shown:
        several = len(classes) > 1
        return warning + "".join(
            _class(counts, _title(gym, counts.class_id, several=several, only=bool(only)))
            for counts in shown
        )
    words = "Nothing is known just now" if trouble else sentence(NOBODY)
    return (
        f'{warning}<section class="board"><p class="sub">{escape(gym)}</p>'
        f"<h1>{escape(words)}</h1></section>"
    )


def _title(gym: str, class_id: str, *, several: bool, only: bool) -> str:
    """Name the gym and the class; of several, each leads to a board of its own, and back."""
    name = f"class {escape(class_id)}" if class_id else ""
    if several and not only:
        name = f'<a href="/?class={escape(class_id)}">{name}</a>'
    back = '<a href="/">all classes</a>' if only else ""
    return " · ".join(filter(None, (escape(gym), name, back)))


def _class(counts: Counts, title: str) -> str:
    if counts.out == 0:
        return (
            f'<section class="board"><p class="sub">{title}</p>'
            f"<h1>{escape(sentence(counts))}</h1>{_counts(counts)}</section>"
        )
    head, _, _ = sentence(counts).partition(":")
    parts = "".join(
        f'<div class="part"><b>{counts.say(number)}</b> {escape(part)}</div>'
        for part, number in _parts(counts)
    )
    return (
        f'<section class="board" aria-label="{escape(sentence(counts))}">'
        f'<p class="sub">{title}</p><h1>{escape(head)}</h1>'
        f'<div class="parts">{parts}</div>{_named(counts)}{_counts(counts)}</section>'
    )


def _parts(counts: Counts) -> list[tuple[str, int]]:
    return list(counts.parts.items())[:MOST_PARTS]


def _named(counts: Counts) -> str:
    if not counts.named:
        return ""
    names = "".join(
        f"<li><bdi>{escape(name)}</bdi> {escape(', '.join(parts[:MOST_PARTS]))}</li>"
        for name, parts in counts.named[:MOST_NAMES]
    )
    more = len(counts.named) - MOST_NAMES
    return f'<ul class="named">{names}{f"<li>and {more} more</li>" if more > 0 else ""}</ul>'


def _counts(counts: Counts) -> str:
    shares = (
        ("out", "fault", "Out of position", counts.out),
        ("ok", "good", "In position", counts.ok),
        ("unknown", "unseen", "Not judged", counts.unknown),
    )
    bar, x = "", 0
    for kind, _, _, n in shares:
        width = counts.few_below if counts.few(n) else n
        bar += f'<rect class="{kind}" x="{x}" y="0" width="{width}" height="1"/>'
        x += width
    cards = "".join(
        f'<div class="card"><div class="num {colour}">{counts.say(n)}</div>'
        f'<div class="lab">{words}</div></div>'
        for _, colour, words, n in shares
    )
    return (
        f'<svg class="bar" viewBox="0 0 {x} 1" preserveAspectRatio="none" role="none">'
        f'{bar}</svg><div class="counts">{cards}</div>'
    )
