"""The panels of a ride, each a value: equal panels look the same, so a panel is drawn once.

Sizes are in units; see theme.py.
"""

from dataclasses import dataclass
from typing import Protocol

from firmware_app.player.brush import Brush
from firmware_app.player.figure import PARTS, Part, draw_figure
from firmware_app.player.fonts import Weight
from firmware_app.player.icons import Mark, Sign, draw_sign
from firmware_app.player.lettering import width_of
from firmware_app.player.theme import (
    DIM,
    GLASS_FIRM,
    GOOD,
    INK,
    LINE,
    SMALL,
    TRACK,
    UNSEEN,
    WARN,
    Colour,
    fade,
)
from firmware_app.wire import RuleState

LABEL = 17.0
TRACKING = 1.0


class Panel(Protocol):
    """A piece of the screen; hashable, so that the screen can keep its picture."""

    @property
    def width(self) -> float:
        """In units."""
        ...

    @property
    def height(self) -> float:
        """In units."""
        ...

    def paint(self, brush: Brush) -> None:
        """Draw it on an empty picture of that size."""
        ...


@dataclass(frozen=True)
class Heading:
    """The class's title and a line under it, upper left."""

    title: str
    line: str
    widest: float = 400.0
    height: float = 70.0

    @property
    def width(self) -> float:
        """As wide as its words."""
        (title, size), (line, small) = self._lines
        return max(width_of(title, size, "Bold"), width_of(line, small)) + 2

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        (title, size), (line, small) = self._lines
        brush.text(0, 30, title, size, weight="Bold", colour=INK)
        brush.text(0, 62, line, small, colour=DIM)

    @property
    def _lines(self) -> tuple[tuple[str, float], tuple[str, float]]:
        title = _fitted(self.title, 30, self.widest, "Bold", least=24)
        return title, _fitted(self.line, 21, self.widest, "Regular", least=18)


@dataclass(frozen=True)
class Elapsed:
    """Riding time, upper right."""

    seconds: int
    width: float = 240.0
    height: float = 60.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        words = clock_time(self.seconds)
        brush.text(self.width, 42, words, 46, weight="Bold", colour=INK, anchor="r", tabular=True)


@dataclass(frozen=True)
class Cadence:
    """Turns a minute, the largest thing on the screen, and where they are in the class's band."""

    rpm: int | None
    target: tuple[float, float] | None
    label: str
    unit: str
    target_words: str = ""
    trouble: str = ""
    """Why there is no cadence; empty when there is one."""
    width: float = 300.0
    height: float = 186.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height)
        draw_label(brush, 26, 38, self.label)
        if self.trouble or self.rpm is None:
            draw_sign(brush, "crank", 24, 62, 76, UNSEEN, "struck", WARN)
            brush.text(116, 108, self.trouble, 20, weight="SemiBold", colour=WARN)
            return
        number = str(self.rpm)
        brush.text(20, 134, number, 108, weight="Bold", colour=INK, tabular=True)
        wide = width_of(number, 108, "Bold", tabular=True)
        brush.text(32 + wide, 134, self.unit, 25, colour=DIM)
        if self.target is not None:
            inside = self.target[0] <= self.rpm <= self.target[1]
            brush.text(
                self.width - 26, 38, self.target_words, LABEL + 2, weight="SemiBold",
                colour=GOOD if inside else WARN, anchor="r",
            )  # fmt: skip
            self._band(brush, self.rpm, self.target)

    def _band(self, brush: Brush, rpm: int, target: tuple[float, float]) -> None:
        """Draw a bar with the band in its middle and 25 rpm or more on both sides."""
        low, high = target
        room = max(25.0, (high - low) / 2 + 10)
        start, span = low - room, high - low + 2 * room
        left, wide = 26.0, self.width - 52

        def at(value: float) -> float:
            return left + wide * min(1.0, max(0.0, (value - start) / span))

        inside = low <= rpm <= high
        brush.bar(left, 154, wide, 12, TRACK)
        brush.bar(at(low), 154, at(high) - at(low), 12, fade(GOOD, 0.95 if inside else 0.5))
        x = min(max(at(rpm), left + 4), left + wide - 4)
        brush.bar(x - 4, 148, 8, 24, INK if inside else WARN)


@dataclass(frozen=True)
class Form:
    """The body as the coach sees it, and one line about it."""

    parts: tuple[RuleState, ...]
    """In the order of figure.PARTS."""
    label: str
    line: str
    tone: Colour
    why: str = ""
    """Why a part is unseen; stands below the line."""
    learning: int | None = None
    """Hundredths of the rider's baseline that are learnt; None when it stands."""
    width: float = 176.0
    height: float = 340.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height)
        draw_label(brush, self.width / 2, 36, self.label, anchor="m")
        draw_figure(brush, (self.width - 112) / 2, 50, dict(zip(PARTS, self.parts, strict=True)))
        line, size = _fitted(self.line, SMALL + 3, self.width - 20, "SemiBold")
        strong: Weight = "Regular" if self.tone == UNSEEN else "SemiBold"
        middle = self.width / 2
        brush.text(middle, 296, line, size, weight=strong, colour=self.tone, anchor="m")
        if self.learning is not None:
            brush.bar(26, 312, self.width - 52, 6, TRACK)
            if self.learning:
                brush.bar(26, 312, max(6.0, (self.width - 52) * self.learning / 100), 6, GOOD)
        elif self.why:
            line, size = _fitted(self.why, SMALL + 1, self.width - 16, "Regular")
            brush.text(middle, 321, line, size, colour=UNSEEN, anchor="m")


@dataclass(frozen=True)
class Signs:
    """The bike's parts in a row: whole and quiet when all is well."""

    signs: tuple[tuple[Sign, Mark], ...]
    height: float = 54.0

    @property
    def width(self) -> float:
        """As many signs as there are."""
        return 52.0 * len(self.signs) + 18.0

    def paint(self, brush: Brush) -> None:
        """Draw them."""
        brush.panel(0, 0, self.width, self.height, radius=27, edge=fade(LINE, 0.6))
        for i, (sign, mark) in enumerate(self.signs):
            colour = {"": GOOD, "struck": DIM, "badge": DIM}[mark]
            draw_sign(brush, sign, 18 + 52.0 * i, 10, 34, colour, mark, WARN)


@dataclass(frozen=True)
class Pill:
    """A few words on glass: what is missing."""

    words: str
    colour: Colour = WARN
    height: float = 40.0

    @property
    def width(self) -> float:
        """As wide as the words."""
        return width_of(self.words, 20, "SemiBold") + 44

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height, fill=GLASS_FIRM, radius=20)
        brush.text(
            self.width / 2, 27, self.words, 20, weight="SemiBold", colour=self.colour, anchor="m"
        )


def draw_label(brush: Brush, x: float, baseline: float, words: str, anchor: str = "l") -> None:
    """Write a panel's label: small capitals, wide apart."""
    brush.text(
        x, baseline, words.upper(), LABEL, weight="SemiBold", colour=DIM, anchor=anchor,
        tracking=TRACKING,
    )  # fmt: skip


def _fitted(
    words: str, size: float, width: float, weight: Weight, least: float = SMALL
) -> tuple[str, float]:
    """Make a line smaller until it fits, then shorter; never smaller than can be read."""
    while size > least and width_of(words, size, weight) > width:
        size -= 1
    while width_of(words, size, weight) > width and " " in words:
        words = words.rsplit(" ", 1)[0]
    return words, size


def clock_time(seconds: int) -> str:
    """Return 24:18, or 1:24:18 from an hour on."""
    minutes, second = divmod(max(0, seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def order_parts(states: dict[Part, RuleState]) -> tuple[RuleState, ...]:
    """Return the parts' states in the order Form wants them."""
    return tuple(states[part] for part in PARTS)
