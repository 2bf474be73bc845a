"""The signs on the screen, drawn on a grid of 24: parts of the bike and what a cue is about.

A sign tells its state by its form too: whole when all is well, a badge when something is under way,
struck through when it is not there.
"""

from collections.abc import Callable
from math import cos, radians, sin
from typing import Literal

from firmware_app.player.brush import Brush, Point, curve
from firmware_app.player.theme import Colour

Sign = Literal[
    "camera",
    "class",
    "sync",
    "speaker",
    "crank",
    "eye",
    "pause",
    "pedal",
    "wait",
    "heart",
    "power",
    "aim",
    "tick",
    "mend",
    "dash",
    "message",
]
Mark = Literal["", "struck", "badge"]
GRID = 24.0
STROKE = 2.0


class Pen:
    """Draws lines on the grid of one sign."""

    def __init__(self, brush: Brush, x: float, y: float, size: float, colour: Colour) -> None:
        self._brush, self._x, self._y, self._unit = brush, x, y, size / GRID
        self._colour = colour
        self.one_way = False
        """Drawn the same way round also where the script runs from the right."""

    def at(self, points: list[Point]) -> list[Point]:
        """Put points of the grid on the picture."""
        if self.one_way and self._brush.mirrored:
            points = [(GRID - x, y) for x, y in points]
        return [(self._x + x * self._unit, self._y + y * self._unit) for x, y in points]

    def line(
        self,
        *points: Point,
        closed: bool = False,
        colour: Colour | None = None,
        width: float = STROKE,
    ) -> None:
        """Draw a line through points of the grid."""
        self._brush.line(
            self.at(list(points)), width * self._unit, colour or self._colour, closed=closed
        )

    def disc(self, x: float, y: float, radius: float, colour: Colour | None = None) -> None:
        """Draw a filled circle."""
        ((cx, cy),) = self.at([(x, y)])
        self._brush.disc(cx, cy, radius * self._unit, colour or self._colour)

    def ring(self, x: float, y: float, radius: float, colour: Colour | None = None) -> None:
        """Draw a circle."""
        self.line(*arc(x, y, radius, 0, 360)[:-1], closed=True, colour=colour)

    def clear(self, *points: Point, width: float) -> None:
        """Rub out a line."""
        self._brush.erase(self.at(list(points)), width * self._unit)


def arc(x: float, y: float, radius: float, start_deg: float, end_deg: float) -> list[Point]:
    """Return points of an arc; 0 is to the right, 90 down."""
    steps = max(8, round(abs(end_deg - start_deg) / 12))
    turns = [radians(start_deg + (end_deg - start_deg) * i / steps) for i in range(steps + 1)]
    return [(x + radius * cos(a), y + radius * sin(a)) for a in turns]


def _camera(pen: Pen) -> None:
    pen.line((3.5, 7), (14.5, 7), (14.5, 17), (3.5, 17), closed=True)
    pen.line((14.5, 11), (20, 8), (20, 16), (14.5, 13))


def _class(pen: Pen) -> None:
    pen.line(*curve((3.5, 10.3), (12, 2.5), (20.5, 10.3)))
    pen.line(*curve((7, 14), (12, 9.2), (17, 14)))
    pen.disc(12, 18, 1.7)


def _sync(pen: Pen) -> None:
    pen.line(
        (7, 18),
        *arc(7.4, 14, 4, 100, 265),
        *arc(12.6, 10.8, 5.3, 190, 345),
        *arc(17.6, 14.6, 3.4, 280, 450),
        closed=True,
    )


def _speaker(pen: Pen) -> None:
    pen.line((4, 9.5), (7.5, 9.5), (12, 5.5), (12, 18.5), (7.5, 14.5), (4, 14.5), closed=True)
    pen.line(*arc(12.5, 12, 4, -45, 45))
    pen.line(*arc(12.5, 12, 7.5, -45, 45))


def _crank(pen: Pen) -> None:
    pen.ring(10, 12, 5.5)
    pen.line((10, 12), (17, 17.5))
    pen.line((14.5, 18.5), (20, 17))


def _eye(pen: Pen) -> None:
    pen.line(*curve((3, 12), (12, 3), (21, 12)), *curve((21, 12), (12, 21), (3, 12)))
    pen.ring(12, 12, 2.6)


def _pause(pen: Pen) -> None:
    pen.line((8.5, 6), (8.5, 18), width=3)
    pen.line((15.5, 6), (15.5, 18), width=3)


def _pedal(pen: Pen) -> None:
    pen.line(*arc(12, 12.5, 8, -25, 270))
    pen.line((12.4, 1), (16, 4.5), (12.4, 8))


def _wait(pen: Pen) -> None:
    pen.ring(12, 12, 8.5)
    pen.line((12, 7.2), (12, 12), (15.5, 14))


def _heart(pen: Pen) -> None:
    left = curve((12, 20), (1.5, 12.5), (4, 7.5)) + curve((4, 7.5), (8, 2.5), (12, 8))
    pen.line(*left, *[(24 - x, y) for x, y in reversed(left)], closed=True)


def _power(pen: Pen) -> None:
    pen.line((13.5, 3), (6, 13.5), (11, 13.5), (10, 21), (18, 10), (13, 10), closed=True)


def _aim(pen: Pen) -> None:
    pen.ring(12, 12, 6.5)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        pen.line((12 + 4 * dx, 12 + 4 * dy), (12 + 9.5 * dx, 12 + 9.5 * dy))


def _tick(pen: Pen) -> None:
    pen.line((4.5, 12.5), (10, 18), (19.5, 6.5), width=3)


def _mend(pen: Pen) -> None:
    pen.line((12, 4), (21, 19.5), (3, 19.5), closed=True)
    pen.line((12, 10), (12, 13.5))
    pen.disc(12, 16.6, 1.2)


def _dash(pen: Pen) -> None:
    pen.line((6, 12), (18, 12), width=3)


def _message(pen: Pen) -> None:
    pen.line((4, 5), (20, 5), (20, 16), (12, 16), (7.5, 20), (7.5, 16), (4, 16), closed=True)
    pen.line((8, 9), (16, 9))
    pen.line((8, 12.3), (13, 12.3))


_SIGNS: dict[Sign, Callable[[Pen], None]] = {
    "camera": _camera,
    "class": _class,
    "sync": _sync,
    "speaker": _speaker,
    "crank": _crank,
    "eye": _eye,
    "pause": _pause,
    "pedal": _pedal,
    "wait": _wait,
    "heart": _heart,
    "power": _power,
    "aim": _aim,
    "tick": _tick,
    "mend": _mend,
    "dash": _dash,
    "message": _message,
}


_ONE_WAY = frozenset({"tick", "wait", "power"})
"""A tick, a clock and a flash look wrong the other way round."""


def draw_sign(  # noqa: PLR0913, PLR0917 - where, how large, and in which two colours
    brush: Brush,
    sign: Sign,
    x: float,
    y: float,
    size: float,
    colour: Colour,
    mark: Mark = "",
    mark_colour: Colour | None = None,
) -> None:
    """Draw a sign with its upper left corner at x, y."""
    pen = Pen(brush, x, y, size, colour)
    pen.one_way = sign in _ONE_WAY
    _SIGNS[sign](pen)
    accent = mark_colour or colour
    if mark == "struck":
        pen.clear((3.5, 3.5), (20.5, 20.5), width=5)
        pen.line((4, 4), (20, 20), colour=accent, width=2.2)
    elif mark == "badge":
        pen.clear((18.5, 18), (18.6, 18), width=11)
        pen.disc(18.5, 18, 3.6, accent)
