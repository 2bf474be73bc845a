"""The look: colours and measures every panel draws with.

Measures are in units: a screen is 720 units high whatever its pixels, so a panel is drawn once for
all screens and always sharp.
"""

from typing import NamedTuple

Colour = tuple[int, int, int, int]

INK: Colour = (0xF4, 0xF7, 0xF8, 255)
DIM: Colour = (0xB4, 0xC0, 0xC6, 255)
GOOD: Colour = (0x2B, 0xD9, 0xB9, 255)
WARN: Colour = (0xFF, 0xB5, 0x47, 255)
FAULT: Colour = (0xFF, 0x6F, 0x61, 255)
UNSEEN: Colour = (0x8F, 0x9E, 0xA6, 255)
GROUND: Colour = (0x0B, 0x11, 0x16, 255)
CARD: Colour = (0x12, 0x1B, 0x22, 255)
GLASS: Colour = (9, 14, 18, 190)
"""So firm that dim words can be read over a white picture (WCAG 2.2, 1.4.3)."""
GLASS_FIRM: Colour = (9, 14, 18, 214)
"""For what must be read at a glance: the cue and the buttons."""
LINE: Colour = (255, 255, 255, 30)
TRACK: Colour = (255, 255, 255, 40)

RADIUS = 22.0
MARGIN = 36.0
SMALL = 36.0
"""The smallest text: 5 % of the height, read from the saddle and from three metres."""


class Canvas(NamedTuple):
    """A screen in units."""

    width: float
    height: float
    scale: float
    """Pixels of one unit."""


HIGH = 720.0
LEAST_WIDE = 1180.0
"""Units the panels need side by side; a narrower screen gets smaller units instead."""


def canvas(width_px: int, height_px: int) -> Canvas:
    """Return the units of a screen of that many pixels."""
    scale = min(height_px / HIGH, width_px / LEAST_WIDE)
    return Canvas(width_px / scale, height_px / scale, scale)


def fade(colour: Colour, share: float) -> Colour:
    """Return the colour with that share of its opacity."""
    return (*colour[:3], round(colour[3] * share))
