"""The panels of a ride, each a value: equal panels look the same, so a panel is drawn once.

Sizes are in units; see theme.py.
"""

from dataclasses import dataclass
from typing import Protocol

from firmware_app.form.catalogue import PARTS, Part
from firmware_app.player.brush import Brush
from firmware_app.player.figure import draw_figure
from firmware_app.player.fonts import Weight
from firmware_app.player.icons import Mark, Sign, draw_sign
from firmware_app.player.lettering import width_of, wrap
from firmware_app.player.theme import (
    DIM,
    GLASS,
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


PADDING = 18.0


@dataclass(frozen=True)
class Heading:
    """The class's title and a line under it, upper left."""

    title: str
    line: str
    widest: float = 460.0
    height: float = 104.0

    @property
    def width(self) -> float:
        """As wide as its words."""
        title, line = self._lines
        return max(width_of(title, SMALL + 4, "Bold"), width_of(line, SMALL)) + 2 * PADDING

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        title, line = self._lines
        brush.panel(0, 0, self.width, self.height, fill=GLASS)
        brush.text(PADDING, 44, title, SMALL + 4, weight="Bold", colour=INK)
        brush.text(PADDING, 88, line, SMALL, colour=DIM)

    @property
    def _lines(self) -> tuple[str, str]:
        return (
            shorten(self.title, SMALL + 4, self.widest - 2 * PADDING, "Bold"),
            shorten(self.line, SMALL, self.widest - 2 * PADDING),
        )


@dataclass(frozen=True)
class Elapsed:
    """Riding time, upper right, and what is left of the class where that is known."""

    seconds: int
    left: str = ""

    @property
    def width(self) -> float:
        """As wide as its words."""
        time = width_of(clock_time(self.seconds), 54, "Bold", tabular=True)
        return max(time, width_of(self.left, SMALL, tabular=True)) + 2 * PADDING

    @property
    def height(self) -> float:
        """One line or two."""
        return 104.0 if self.left else 66.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        words, right = clock_time(self.seconds), self.width - PADDING
        brush.panel(0, 0, self.width, self.height, fill=GLASS)
        brush.text(right, 52, words, 54, weight="Bold", colour=INK, anchor="r", tabular=True)
        if self.left:
            brush.text(right, 92, self.left, SMALL, colour=INK, anchor="r", tabular=True)


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
    width: float = 352.0
    height: float = 200.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height)
        brush.text(26, 44, self.label, SMALL, colour=DIM)
        if self.trouble or self.rpm is None:
            draw_sign(brush, "crank", 24, 84, 76, UNSEEN, "struck", WARN)
            for i, line in enumerate(wrap(self.trouble, SMALL, 220, "SemiBold")[:2]):
                brush.text(116, 118 + 42 * i, line, SMALL, weight="SemiBold", colour=WARN)
            return
        number = str(self.rpm)
        brush.text(20, 150, number, 116, weight="Bold", colour=INK, tabular=True)
        right = self.width - 24
        brush.text(right, 150, self.unit, SMALL, colour=DIM, anchor="r")
        if self.target is not None:
            inside = self.target[0] <= self.rpm <= self.target[1]
            brush.text(
                right, 104, self.target_words, SMALL, weight="SemiBold",
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
        brush.bar(left, 172, wide, 12, TRACK)
        brush.bar(at(low), 172, at(high) - at(low), 12, fade(GOOD, 0.95 if inside else 0.5))
        x = min(max(at(rpm), left + 4), left + wide - 4)
        brush.bar(x - 4, 166, 8, 24, INK if inside else WARN)


@dataclass(frozen=True)
class Vitals:
    """Heart rate and power, from the sensors that are there."""

    rows: tuple[tuple[Sign, str, str], ...]
    """Sign, number, unit."""
    width: float = 250.0

    @property
    def height(self) -> float:
        """As many rows as there are."""
        return 20.0 + 56.0 * len(self.rows)

    def paint(self, brush: Brush) -> None:
        """Draw them."""
        brush.panel(0, 0, self.width, self.height)
        for i, (sign, number, unit) in enumerate(self.rows):
            y = 10 + 56.0 * i
            draw_sign(brush, sign, 20, y + 11, 36, INK)
            right = self.width - 92
            brush.text(
                right, y + 45, number, 46, weight="Bold", colour=INK, anchor="r", tabular=True
            )
            brush.text(right + 8, y + 45, unit, SMALL, colour=DIM)


LINES = 3
"""What the coach's panel has room for below the figure."""


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
    width: float = 250.0
    height: float = 418.0
    """With room for LINES, so that the figure stands still whatever is said."""

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height)
        middle = self.width / 2
        brush.text(middle, 44, self.label, SMALL, colour=DIM, anchor="m")
        draw_figure(brush, middle - 56, 60, dict(zip(PARTS, self.parts, strict=True)))
        strong: Weight = "Regular" if self.tone == UNSEEN else "SemiBold"
        room = self.width - 12
        lines = [(line, strong, self.tone) for line in wrap(self.line, SMALL, room, strong)[:2]]
        if self.learning is None:
            why = wrap(self.why, SMALL, room)
            if len(lines) + len(why) <= LINES:  # whole or not at all
                lines += [(line, "Regular", UNSEEN) for line in why]
        for i, (line, weight, colour) in enumerate(lines):
            y = 316.0 + 42 * i
            brush.text(middle, y, line, SMALL, weight=weight, colour=colour, anchor="m")
        if self.learning is not None:
            brush.bar(26, 380, self.width - 52, 8, TRACK)
            if self.learning:
                brush.bar(26, 380, max(8.0, (self.width - 52) * self.learning / 100), 8, GOOD)


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
    widest: float = 1100.0
    height: float = 60.0

    @property
    def width(self) -> float:
        """As wide as the words."""
        return width_of(self._shown, SMALL, "SemiBold") + 56

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height, fill=GLASS_FIRM, radius=30)
        brush.text(28, 43, self._shown, SMALL, weight="SemiBold", colour=self.colour)

    @property
    def _shown(self) -> str:
        return shorten(self.words, SMALL, self.widest - 56, "SemiBold")


def shorten(words: str, size: float, width: float, weight: Weight = "Regular") -> str:
    """Leave words out at the end of a line until it fits, rather than make it too small to read."""
    if width_of(words, size, weight) <= width:
        return words
    while " " in words and width_of(words + " …", size, weight) > width:
        words = words.rsplit(" ", 1)[0]
    return words.rstrip(" ·,") + " …"


def clock_time(seconds: int) -> str:
    """Return 24:18, or 1:24:18 from an hour on."""
    minutes, second = divmod(max(0, seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"


def order_parts(states: dict[Part, RuleState]) -> tuple[RuleState, ...]:
    """Return the parts' states in the order Form wants them."""
    return tuple(states[part] for part in PARTS)
