"""The cue on the screen: what it is about, the sentence, a hint."""

from dataclasses import dataclass

from firmware_app.player.brush import Brush
from firmware_app.player.figure import draw_cue_sign
from firmware_app.player.lettering import width_of, wrap
from firmware_app.player.theme import DIM, FAULT, GLASS_FIRM, GOOD, INK


@dataclass(frozen=True)
class Banner:
    """The cue: what it is about, the sentence, and a hint."""

    rule: str
    kind: str
    text: str
    hint: str
    widest: float = 580.0
    height: float = 124.0

    @property
    def width(self) -> float:
        """As wide as its words, between calm bounds."""
        words = max(*(width_of(line, self._size, "Bold") for line in self._lines), self._hint_wide)
        return min(self.widest, max(430.0, words + 62 + 22 + 64))

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        tone = {"praise": GOOD, "correct": FAULT}.get(self.kind, DIM)
        brush.panel(0, 0, self.width, self.height, fill=GLASS_FIRM, edge=tone, edge_width=2.5)
        draw_cue_sign(brush, self.rule, 30, (self.height - 62) / 2, INK, tone)
        lines = [(line, self._size, INK) for line in self._lines]
        if self.hint and len(lines) == 1:
            lines.append((self.hint, 21.0, DIM))
        baseline = {1: 73.0, 2: 58.0}[len(lines)]
        if len(self._lines) == 2:
            baseline = 54.0
        for words, size, colour in lines:
            brush.text(
                114, baseline, words, size, weight="Bold" if colour == INK else "Regular",
                colour=colour,
            )  # fmt: skip
            baseline += 35.0 if colour == INK else 30.0

    @property
    def _size(self) -> float:
        room = self.widest - 148
        fits = [s for s in (34.0, 31.0, 28.0) if width_of(self.text, s, "Bold") <= room]
        return fits[0] if fits else 28.0

    @property
    def _lines(self) -> list[str]:
        lines = wrap(self.text, self._size, self.widest - 148, "Bold")
        return lines if len(lines) <= 2 else [lines[0], " ".join(lines[1:])]

    @property
    def _hint_wide(self) -> float:
        return width_of(self.hint, 21) if len(self._lines) == 1 else 0.0
