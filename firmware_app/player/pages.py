"""The screens before, between and after: welcome, notices, the debrief."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from firmware_app.player.brush import Brush
from firmware_app.player.icons import Mark, Sign, draw_sign
from firmware_app.player.lettering import width_of, wrap
from firmware_app.player.panels import clock_time, shorten
from firmware_app.player.theme import (
    CARD,
    DIM,
    FAULT,
    GLASS_FIRM,
    GOOD,
    GROUND,
    INK,
    SMALL,
    UNSEEN,
    WARN,
    Colour,
    fade,
)


@dataclass(frozen=True)
class Ground:
    """What is behind everything when there is no class: dark, with a little light in the middle."""

    width: float
    height: float

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        wide, high = brush.image.size
        x = np.linspace(-1, 1, wide, dtype=np.float32)
        y = np.linspace(-0.75, 1.25, high, dtype=np.float32)[:, None]
        light = np.clip(1 - np.sqrt(x**2 + y**2) / 1.25, 0, 1) ** 1.5
        light += np.random.default_rng(1).random((high, wide), np.float32) / 32  # no visible steps
        shares = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
        bands = [
            shares.point([round(dark + v * gain / 255) for v in range(256)])
            for dark, gain in zip(GROUND[:3], (20, 32, 38), strict=True)
        ]
        brush.image.paste(Image.merge("RGBA", [*bands, Image.new("L", shares.size, 255)]))


SHADE_EVEN = 0.6


@dataclass(frozen=True)
class Shade:
    """Darkens the side of the class's picture where words stand: to be read on a white wall too."""

    width: float
    height: float
    strongest: float
    """Opacity, 0..1; even for SHADE_EVEN of the width, then fading."""

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        wide, high = brush.image.size
        ramp = np.clip(np.linspace(1, 0, wide) / (1 - SHADE_EVEN), 0, 1)
        alpha = np.round(ramp**2 * (3 - 2 * ramp) * self.strongest * 255).astype(np.uint8)
        across = alpha[::-1] if brush.mirrored else alpha
        mask = Image.fromarray(np.repeat(across[None, :], high, 0))
        dark = Image.new("RGBA", mask.size, (5, 9, 12, 0))
        dark.putalpha(mask)
        brush.image.paste(dark)


@dataclass(frozen=True)
class Welcome:
    """The waiting room: whose gym, which class, what to do."""

    gym: str
    greeting: str
    title: str
    begin: str
    hint: str
    width: float = 700.0
    height: float = 480.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        above = " · ".join(filter(None, (self.gym, self.greeting)))
        brush.text(4, 40, shorten(above, SMALL, self.width - 8), SMALL, colour=DIM)
        y, size = 122.0, 72.0 if len(wrap(self.title, 72, 620, "Bold")) < 3 else 54.0
        for line in wrap(self.title, size, 620, "Bold")[:3]:
            brush.text(0, y, line, size, weight="Bold", colour=INK)
            y += size * 1.1
        y += 2 - size * 0.3
        brush.panel(
            0, y, width_of(self.begin, 40, "SemiBold") + 132, 96,
            fill=GLASS_FIRM, edge=fade(GOOD, 0.6), edge_width=2, radius=48,
        )  # fmt: skip
        draw_sign(brush, "pedal", 32, y + 25, 46, GOOD)
        brush.text(94, y + 62, self.begin, 40, weight="SemiBold", colour=GOOD)
        y += 150
        for line in wrap(self.hint, SMALL, self.width - 8):
            brush.text(4, y, line, SMALL, colour=DIM)
            y += 46


@dataclass(frozen=True)
class Countdown:
    """How long until the class begins."""

    label: str
    time: str
    width: float = 470.0
    height: float = 250.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height, fill=GLASS_FIRM)
        draw_sign(brush, "wait", 34, 30, 44, DIM)
        brush.text(92, 64, shorten(self.label, SMALL, self.width - 110), SMALL, colour=DIM)
        size = 120.0 if len(self.time) <= 5 else 92.0
        middle = self.width / 2
        brush.text(
            middle, 196, self.time, size, weight="Bold", colour=INK, anchor="m", tabular=True
        )


@dataclass(frozen=True)
class Notice:
    """A card in the middle: what is going on, and what to do."""

    sign: Sign
    title: str
    line: str
    tone: Colour = DIM
    struck: bool = False
    widest: float = 680.0

    @property
    def width(self) -> float:
        """As wide as its words."""
        words = [width_of(line, SMALL + 4, "Bold") for line in self._titles]
        words += [width_of(line, SMALL) for line in self._lines]
        return min(self.widest, max(words) + 164)

    @property
    def height(self) -> float:
        """As high as its lines."""
        return 52.0 + 46.0 * (len(self._titles) + len(self._lines))

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height, fill=GLASS_FIRM)
        mark: Mark = "struck" if self.struck else ""
        draw_sign(brush, self.sign, 34, self.height / 2 - 30, 60, self.tone, mark, WARN)
        y = 62.0
        for line in self._titles:
            brush.text(124, y, line, SMALL + 4, weight="Bold", colour=INK)
            y += 46
        for line in self._lines:
            brush.text(124, y, line, SMALL, colour=DIM)
            y += 46

    @property
    def _titles(self) -> list[str]:
        return wrap(self.title, SMALL + 4, self.widest - 164, "Bold")

    @property
    def _lines(self) -> list[str]:
        return wrap(self.line, SMALL, self.widest - 164) if self.line else []


@dataclass(frozen=True)
class Summary:
    """The debrief: figures, the ride as one line, a strength and one next thing."""

    title: str
    line: str
    figures: tuple[tuple[str, str, str], ...]
    """Label, number, unit."""
    timeline: tuple[str, ...]
    duration_s: int
    timeline_label: str
    legend: tuple[tuple[str, str], ...]
    """State and its words."""
    strength: tuple[str, str]
    next_thing: tuple[str, str]
    width: float
    height: float

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        left, wide = 60.0, self.width - 120
        brush.text(left, 80, self.title, 52, weight="Bold", colour=INK)
        brush.text(left, 128, shorten(self.line, SMALL, wide), SMALL, colour=DIM)
        gap = 20.0
        each = (wide - gap * (len(self.figures) - 1)) / max(1, len(self.figures))
        for i, figure in enumerate(self.figures):
            self._figure(brush, left + i * (each + gap), 152, each, figure)
        self._timeline(brush, left, 312, wide)
        half = (wide - gap) / 2
        for x, (label, words), tone in (
            (left, self.strength, GOOD),
            (left + half + gap, self.next_thing, WARN),
        ):
            self._advice(brush, x, 516, half, label, words, tone)

    @staticmethod
    def _figure(
        brush: Brush, x: float, y: float, width: float, figure: tuple[str, str, str]
    ) -> None:
        label, number, unit = figure
        brush.panel(x, y, width, 144, fill=CARD)
        brush.text(x + 26, y + 48, label, SMALL, colour=DIM)
        brush.text(x + 24, y + 118, number, 62, weight="Bold", colour=INK, tabular=True)
        after = x + 34 + width_of(number, 62, "Bold", tabular=True)
        brush.text(after, y + 118, unit, SMALL, colour=DIM)

    def _timeline(self, brush: Brush, x: float, y: float, width: float) -> None:
        brush.panel(x, y, width, 188, fill=CARD)
        right = x + width - 26
        for state, words in reversed(self.legend):
            brush.text(right, y + 48, words, SMALL, colour=DIM, anchor="r")
            right -= width_of(words, SMALL) + 38
            self._slice(brush, state, right + 4, y + 36, 24, low=12, high=24)
            right -= 30
        label = shorten(self.timeline_label, SMALL, right - x - 40)
        brush.text(x + 26, y + 48, label, SMALL, colour=DIM)
        inner = width - 52
        step = inner / max(1, len(self.timeline))
        start = 0
        for end in range(1, len(self.timeline) + 1):  # neighbours of one state are one piece
            if end == len(self.timeline) or self.timeline[end] != self.timeline[start]:
                at, wide = x + 26 + start * step, (end - start) * step
                self._slice(
                    brush, self.timeline[start], at + 1.5, y + 96, wide - 3, low=20, high=44
                )
                start = end
        for share, anchor in ((0.0, "l"), (0.5, "m"), (1.0, "r")):
            words = clock_time(round(self.duration_s * share))
            brush.text(x + 26 + inner * share, y + 166, words, SMALL, colour=DIM, anchor=anchor)

    @staticmethod
    def _slice(  # noqa: PLR0913 - a place, a size and a state
        brush: Brush, state: str, x: float, y: float, width: float, *, low: float, high: float
    ) -> None:
        """Good is slim and closed, a fault stands out of the line, unseen is dotted."""
        width = max(width, 4.0)
        if state == "ok":
            brush.panel(x, y - low / 2, width, low, fill=fade(GOOD, 0.85), edge=(0,) * 4, radius=5)
        elif state == "fault":
            brush.panel(x, y - high / 2, width, high, fill=FAULT, edge=(0,) * 4, radius=5)
        elif state == "unseen":
            brush.dots([(x + 3, y), (x + width - 3, y)], 5, UNSEEN, 11)

    @staticmethod
    def _advice(  # noqa: PLR0913, PLR0917 - a place and its words
        brush: Brush, x: float, y: float, width: float, label: str, words: str, tone: Colour
    ) -> None:
        brush.panel(x, y, width, 170, fill=fade(tone, 0.11), edge=fade(tone, 0.42), edge_width=1.5)
        sign: Sign = "tick" if tone == GOOD else "pedal"
        draw_sign(brush, sign, x + 26, y + 20, 34, tone)
        brush.text(x + 72, y + 50, label, SMALL, colour=tone)
        lines = wrap(words, SMALL, width - 52, "SemiBold")
        if len(lines) > 2:
            lines = [lines[0], shorten(" ".join(lines[1:]), SMALL, width - 52, "SemiBold")]
        baseline = y + 100
        for line in lines:
            brush.text(x + 26, baseline, line, SMALL, weight="SemiBold", colour=INK)
            baseline += 46
