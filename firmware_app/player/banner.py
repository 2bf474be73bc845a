"""The cue on the screen: what it is about, the sentence, a hint."""

from dataclasses import dataclass

from firmware_app.player.brush import Brush
from firmware_app.player.figure import draw_cue_sign
from firmware_app.player.lettering import width_of, wrap
from firmware_app.player.theme import DIM, FAULT, GLASS_FIRM, GOOD, INK

SIDES = 148.0
"""What stands left and right of the words: sign and margins."""
LEAST = 430.0
SIZES = ((34.0, 1), (31.0, 1), (28.0, 2), (23.0, 3))
"""Type sizes and the lines they may take, the first that fits; the last is cut short."""
HINT = 21.0


@dataclass(frozen=True)
class Banner:
    """One cue; equal cues look the same."""

    rule: str
    kind: str
    text: str
    hint: str
    widest: float = 580.0
    height: float = 124.0

    @property
    def width(self) -> float:
        """As wide as its words, between calm bounds."""
        size, lines = self._set
        words = max(width_of(line, size, "Bold") for line in lines)
        if len(lines) == 1:
            words = max(words, width_of(self.hint, HINT))
        return min(self.widest, max(LEAST, words + SIDES))

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        tone = {"praise": GOOD, "correct": FAULT}.get(self.kind, DIM)
        brush.panel(0, 0, self.width, self.height, fill=GLASS_FIRM, edge=tone, edge_width=2.5)
        draw_cue_sign(brush, self.rule, 30, (self.height - 62) / 2, INK, tone)
        size, lines = self._set
        hinted = bool(self.hint) and len(lines) == 1
        step = size * 1.24
        block = step * (len(lines) - 1) + (34.0 if hinted else 0.0)
        baseline = (self.height - block) / 2 + size * 0.35
        for line in lines:
            brush.text(114, baseline, line, size, weight="Bold", colour=INK)
            baseline += step
        if hinted:
            brush.text(114, baseline - step + 34, self.hint, HINT, colour=DIM)

    @property
    def _set(self) -> tuple[float, list[str]]:
        room = self.widest - SIDES
        for size, most in SIZES:
            lines = wrap(self.text, size, room, "Bold") or [""]
            if len(lines) <= most and all(width_of(line, size, "Bold") <= room for line in lines):
                return size, lines
        size, most = SIZES[-1]
        lines = wrap(self.text, size, room - 24, "Bold")
        if len(lines) > most:
            lines = [*lines[: most - 1], lines[most - 1].rstrip(".,") + " …"]
        return size, lines
