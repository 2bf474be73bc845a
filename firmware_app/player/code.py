"""The code on the waiting screen that a phone reads: who rides, without typing on the bike."""

from dataclasses import dataclass
from functools import lru_cache

import segno
from PIL import Image

from firmware_app.player.brush import Brush
from firmware_app.player.lettering import wrap
from firmware_app.player.theme import INK, SMALL, Colour

PAPER: Colour = (255, 255, 255, 255)
QUIET = 4
"""Modules of white around it, which ISO/IEC 18004 asks for."""
SIDE = 226.0
GAP = 26.0
STEP = SMALL * 1.2


@dataclass(frozen=True)
class Code:
    """A QR code with what it is for beside it."""

    url: str
    words: str
    width: float = 470.0
    height: float = SIDE

    def paint(self, brush: Brush) -> None:
        """Draw it; every module is a whole number of pixels, so that its edges are sharp."""
        left = self.width - SIDE
        lines = wrap(self.words, SMALL, left - GAP, "SemiBold")
        y = (self.height - STEP * (len(lines) - 1)) / 2 + SMALL * 0.35
        for line in lines:
            brush.text(left - GAP, y, line, SMALL, weight="SemiBold", colour=INK, anchor="r")
            y += STEP
        brush.panel(left, 0, SIDE, SIDE, fill=PAPER, edge=PAPER, radius=18)
        modules = _modules(self.url)
        count = modules.size[0]
        room_px = round(SIDE * brush.scale)
        step_px = max(1, room_px // (count + 2 * QUIET))
        code = modules.resize((count * step_px,) * 2, Image.Resampling.NEAREST)
        inset_px = (room_px - count * step_px) // 2
        left_px = 0 if brush.mirrored else round(left * brush.scale)
        brush.image.paste(code, (left_px + inset_px, inset_px))


@lru_cache(maxsize=2)
def _modules(url: str) -> Image.Image:
    """Return one pixel for each module, without the white around it."""
    rows = segno.make(url, error="m", micro=False).matrix
    picture = Image.new("RGBA", (len(rows), len(rows)))
    picture.putdata([(0, 0, 0, 255) if dark else PAPER for row in rows for dark in row])
    return picture
