"""Measures text: how wide it is, where each letter stands, where a line is broken."""

from functools import lru_cache

from firmware_app.player.fonts import AnyFont, Weight, font, foreign

_DIGITS = "0123456789"
TIGHT = -0.03
"""Tracking of figures as a share of their size: equally wide digits stand too far apart."""


@lru_cache(maxsize=512)
def width_of(
    words: str,
    size: float,
    weight: Weight = "Regular",
    tracking: float = 0.0,
    *,
    tabular: bool = False,
) -> float:
    """Return the width of a line of text in units."""
    face = font(weight, round(size * 4), foreign(words))
    gap = 0.0 if whole(words) else tracking + (TIGHT * size if tabular else 0.0)
    return letter_steps(face, words, gap * 4, tabular=tabular)[-1] / 4 - gap


def wrap(words: str, size: float, width: float, weight: Weight = "Regular") -> list[str]:
    """Break a text into as few lines as fit in width units, and those about equally long."""
    lines = _break(words, size, width, weight)
    narrower = width
    while len(lines) > 1 and narrower > width / 2:
        narrower -= size / 2
        tighter = _break(words, size, narrower, weight)
        if len(tighter) > len(lines):
            break
        lines = tighter
    return lines


def _break(words: str, size: float, width: float, weight: Weight) -> list[str]:
    """Break a text into lines no wider than width units; one long word stays whole."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, size, weight) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def whole(words: str) -> bool:
    """Tell whether letters join or run from the right, so that none may be set by itself."""
    return any("\u0590" <= letter <= "\u109f" for letter in words)


def letter_steps(face: AnyFont, words: str, gap: float, *, tabular: bool) -> list[float]:
    """Where each letter begins, and where the last ends; all digits equally wide if tabular."""
    if whole(words) or (not gap and not tabular):
        return [0.0, face.getlength(words)]
    digit = max(face.getlength(d) for d in _DIGITS) if tabular else 0.0
    steps = [0.0]
    for letter in words:
        wide = digit if tabular and letter in _DIGITS else face.getlength(letter)
        steps.append(steps[-1] + wide + gap)
    return steps
