"""The aiming screen: what the camera sees as lines, never as a picture, and what is to be done.

Shown as a mirror would, so that who moves to the left moves to the left here.
"""

from dataclasses import dataclass
from itertools import pairwise

from firmware_app.player.brush import Brush, Point
from firmware_app.player.icons import Sign, arc, draw_sign
from firmware_app.player.lettering import width_of, wrap
from firmware_app.player.panels import shorten
from firmware_app.player.theme import (
    CARD,
    DIM,
    GOOD,
    INK,
    LINE,
    SMALL,
    UNSEEN,
    WARN,
    Colour,
    fade,
)

BONES: tuple[tuple[int, ...], ...] = (
    (11, 12),
    (11, 13, 15),
    (12, 14, 16),
    (11, 23),
    (12, 24),
    (23, 24),
    (23, 25, 27),
    (24, 26, 28),
)
"""Which of BlazePose's points belong together."""
JOINTS = (11, 12, 13, 14, 23, 24, 25, 26)
NOSE, EARS = 0, (7, 8)
SIGNS: dict[str, tuple[Sign, Colour]] = {
    "ok": ("tick", GOOD),
    "mend": ("mend", WARN),
    "wait": ("wait", INK),
    "free": ("dash", UNSEEN),
}
"""A state's sign and colour: either tells it alone."""


@dataclass(frozen=True)
class Skeleton:
    """The rider in the camera's picture, as lines."""

    points: tuple[tuple[float, float, bool], ...]
    """Shares of the picture's width and height, and whether the point is in the picture."""
    nobody: str
    """What to say when nobody is seen."""
    width: float = 560.0
    height: float = 430.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.panel(0, 0, self.width, self.height, fill=CARD)
        if not self.points:
            lines = wrap(self.nobody, SMALL, self.width - 80)
            y = self.height / 2 - 20 * len(lines) + 20
            for line in lines:
                brush.text(self.width / 2, y, line, SMALL, colour=DIM, anchor="m")
                y += 46
            return
        at = [self._at(x, y, brush) for x, y, _ in self.points]
        for bone in BONES:
            for a, b in pairwise(bone):
                if self.points[a][2] and self.points[b][2]:
                    brush.line([at[a], at[b]], 9, GOOD)
                else:
                    self._dotted(brush, at[a], at[b])
        head = abs(at[EARS[0]][0] - at[EARS[1]][0]) * 0.6
        head = min(max(head, self.height / 24), self.height / 7)
        if self.points[NOSE][2]:
            x, y = at[NOSE]
            brush.line(arc(x, y, head, 0, 360)[:-1], 9, GOOD, closed=True)
        for joint in JOINTS:
            if self.points[joint][2]:
                brush.disc(*at[joint], 7, INK)

    def _at(self, x: float, y: float, brush: Brush) -> Point:
        across = x if brush.mirrored else 1 - x
        return across * self.width, y * self.height

    def _dotted(self, brush: Brush, a: Point, b: Point) -> None:
        """Draw what of a line lies in the picture, as dots."""
        dots = [(a[0] + (b[0] - a[0]) * i / 12, a[1] + (b[1] - a[1]) * i / 12) for i in range(13)]
        for x, y in dots:
            if 8 < x < self.width - 8 and 8 < y < self.height - 8:
                brush.disc(x, y, 4, UNSEEN)


@dataclass(frozen=True)
class CheckRow:
    """One thing that must be right: a sign, its name, what was found."""

    state: str
    name: str
    said: str
    width: float
    height: float = 70.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        sign, colour = SIGNS[self.state]
        draw_sign(brush, sign, 2, 14, 40, colour)
        brush.text(62, 49, self.name, SMALL, weight="SemiBold", colour=INK)
        room = self.width - 62 - width_of(self.name, SMALL, "SemiBold") - 24
        said = shorten(self.said, SMALL, room)
        tone = colour if self.state == "mend" else DIM
        brush.text(self.width - 4, 49, said, SMALL, colour=tone, anchor="r")
        brush.bar(0, self.height - 2, self.width, 2, fade(LINE, 1.0))


@dataclass(frozen=True)
class AimTitle:
    """What this screen is, and what to do before it."""

    title: str
    line: str
    width: float
    height: float = 150.0

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        brush.text(0, 48, self.title, 48, weight="Bold", colour=INK)
        y = 98.0
        for line in wrap(self.line, SMALL, self.width)[:2]:
            brush.text(0, y, line, SMALL, colour=DIM)
            y += 44
