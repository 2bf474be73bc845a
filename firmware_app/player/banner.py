"""The cue on the screen: what it is about, the sentence, a hint. Or what the gym writes."""

from dataclasses import dataclass

from firmware_app.player.brush import Brush
from firmware_app.player.figure import draw_cue_sign
from firmware_app.player.fonts import Weight
from firmware_app.player.icons import draw_sign
from firmware_app.player.lettering import width_of, wrap
from firmware_app.player.panels import shorten
from firmware_app.player.theme import DIM, FAULT, GLASS_FIRM, GOOD, INK, SMALL, Colour

SIDES = 118.0
"""What stands left and right of the words: sign and margins."""
LEAST = 430.0
STEP = SMALL * 1.2
MOST_LINES = 3
LINES_OF_A_MESSAGE = 9
"""Two hundred letters, in the widest letters."""


@dataclass(frozen=True)
class Banner:
    """One cue; equal cues look the same."""

    rule: str
    kind: str
    text: str
    hint: str
    widest: float = 580.0

    @property
    def width(self) -> float:
        """As wide as its words, between calm bounds."""
        words = max(width_of(line, SMALL, weight) for line, weight, _ in self._lines)
        return min(self.widest, max(LEAST, words + SIDES))

    @property
    def height(self) -> float:
        """As high as its lines, and never too low for its sign."""
        return max(128.0, 48.0 + STEP * len(self._lines))

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        tone = {"praise": GOOD, "correct": FAULT}.get(self.kind, DIM)
        brush.panel(0, 0, self.width, self.height, fill=GLASS_FIRM, edge=tone, edge_width=2.5)
        if self.kind == "message":
            draw_sign(brush, "message", 20, (self.height - 62) / 2, 62, INK)
        else:
            draw_cue_sign(brush, self.rule, 20, (self.height - 62) / 2, INK, tone)
        baseline = (self.height - STEP * (len(self._lines) - 1)) / 2 + SMALL * 0.35
        for line, weight, colour in self._lines:
            brush.text(98, baseline, line, SMALL, weight=weight, colour=colour)
            baseline += STEP

    @property
    def _lines(self) -> list[tuple[str, Weight, Colour]]:
        """Return the sentence, and the hint where there is room for it."""
        room = self.widest - SIDES
        most = LINES_OF_A_MESSAGE if self.kind == "message" else MOST_LINES
        said = wrap(self.text, SMALL, room, "Bold") or [""]
        if len(said) > most:
            said = [*said[: most - 1], shorten(" ".join(said[most - 1 :]), SMALL, room)]
        hint = wrap(self.hint, SMALL, room) if self.hint else []
        if len(said) + len(hint) > most:
            hint = []
        lines: list[tuple[str, Weight, Colour]] = [(line, "Bold", INK) for line in said]
        return lines + [(line, "Regular", DIM) for line in hint]
