"""Draws smooth shapes and text onto a transparent picture, in units.

Shapes are drawn four times as large and made small again: Pillow's own edges are steps.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from PIL import Image, ImageDraw

from firmware_app.player.fonts import Weight, font, foreign
from firmware_app.player.lettering import TIGHT, letter_steps, whole
from firmware_app.player.theme import GLASS, LINE, RADIUS, Colour

Point = tuple[float, float]
FINE = 4


class Brush:
    """One picture under work."""

    def __init__(
        self, width: float, height: float, scale: float, *, mirrored: bool = False
    ) -> None:
        """Width and height in units; scale is pixels a unit.

        Mirrored is for scripts that run from the right: what is drawn from the left comes from the
        right, while letters and figures stay as they are.
        """
        self.scale = scale
        self.width = width
        self.mirrored = mirrored
        self.image = Image.new("RGBA", (round(width * scale), round(height * scale)))

    def text(  # noqa: PLR0913 - what a line of text has
        self,
        x: float,
        baseline: float,
        words: str,
        size: float,
        *,
        weight: Weight = "Regular",
        colour: Colour,
        anchor: str = "l",
        tracking: float = 0.0,
        tabular: bool = False,
    ) -> None:
        """Write a line; anchor is l, m or r of x; tracking adds units between letters."""
        if self.mirrored:
            x, anchor = self.width - x, {"l": "r", "m": "m", "r": "l"}[anchor]
        face = font(weight, max(1, round(size * self.scale)), foreign(words))
        together = whole(words)
        gap = 0.0 if together else (tracking + (TIGHT * size if tabular else 0.0)) * self.scale
        steps = letter_steps(face, words, gap, tabular=tabular)
        wide, high = steps[-1] - gap, size * self.scale
        x_px = x * self.scale - {"l": 0.0, "m": 0.5, "r": 1.0}[anchor] * wide
        corner = (int(x_px - high / 2), int(baseline * self.scale - high * 1.3))
        mask = Image.new("L", (int(wide + high * 1.2) + 1, int(high * 1.8) + 1))
        pen = ImageDraw.Draw(mask)
        left, line = x_px - corner[0], baseline * self.scale - corner[1]
        if together or (not gap and not tabular):
            pen.text((left, line), words, 255, font=face, anchor="ls")
        else:
            for letter, step, after in zip(words, steps, steps[1:], strict=False):
                inset = (after - step - gap - face.getlength(letter)) / 2 if tabular else 0.0
                pen.text((left + step + inset, line), letter, 255, font=face, anchor="ls")
        self._stamp(mask, corner, colour)

    def panel(  # noqa: PLR0913 - what a panel has
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: Colour = GLASS,
        edge: Colour = LINE,
        edge_width: float = 1.0,
        radius: float = RADIUS,
    ) -> None:
        """Draw a rounded panel with a line around it."""
        box = self._box(x, y, width, height)
        self._rounded(box, radius, fill)
        if edge[3]:
            w = edge_width
            inside = (box[0] + w, box[1] + w, box[2] - w, box[3] - w)
            outer, corner = self._mask_rounded(box, radius)
            inner, at = self._mask_rounded(inside, radius - w)
            ring = outer.copy()
            ring.paste(0, (at[0] - corner[0], at[1] - corner[1]), inner)
            self._stamp(ring, corner, edge)

    def bar(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Draw a bar with round ends."""
        self._rounded(self._box(x, y, width, height), min(width, height) / 2, colour)

    def line(
        self, points: Sequence[Point], width: float, colour: Colour, *, closed: bool = False
    ) -> None:
        """Draw a line with round ends and joints."""
        path = self._points([*points, points[0]] if closed else points)
        mask, corner = self._fine(path, width)
        pen, s = ImageDraw.Draw(mask), self.scale * FINE
        at = [((x - corner[0]) * s, (y - corner[1]) * s) for x, y in path]
        half = width * s / 2
        pen.line(at, 255, round(width * s))
        for x, y in at:
            pen.ellipse((x - half, y - half, x + half, y + half), 255)
        self._small(mask, corner, colour)

    def dots(self, points: Sequence[Point], width: float, colour: Colour, gap: float) -> None:
        """Draw a line as dots of that width, about gap units from one to the next."""
        path = self._points(points)
        mask, corner = self._fine(path, width)
        pen, s = ImageDraw.Draw(mask), self.scale * FINE
        half = width / 2
        for x, y in spread(path, gap):
            box = (x - half, y - half, x + half, y + half)
            pen.ellipse([(v - corner[i % 2]) * s for i, v in enumerate(box)], 255)
        self._small(mask, corner, colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draw a filled circle."""
        self.dots([(x, y)], radius * 2, colour, 1.0)

    def erase(self, points: Sequence[Point], width: float) -> None:
        """Clear a line of that width, so that what is drawn over it stands apart."""
        path = self._points(points)
        mask, corner = self._fine(path, width)
        pen, s = ImageDraw.Draw(mask), self.scale * FINE
        pen.line(
            [((x - corner[0]) * s, (y - corner[1]) * s) for x, y in path], 255, round(width * s)
        )
        small = mask.reduce(FINE)
        at = (round(corner[0] * self.scale), round(corner[1] * self.scale))
        self.image.paste((0, 0, 0, 0), at, small)

    def _box(
        self, x: float, y: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        left = self.width - x - width if self.mirrored else x
        return (left, y, left + width, y + height)

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(self.width - x, y) for x, y in points] if self.mirrored else list(points)

    def _rounded(self, box: tuple[float, float, float, float], radius: float, fill: Colour) -> None:
        self._stamp(*self._mask_rounded(box, radius), fill)

    def _mask_rounded(
        self, box: tuple[float, float, float, float], radius: float
    ) -> tuple[Image.Image, tuple[int, int]]:
        left, top, right, bottom = (round(v * self.scale) for v in box)
        size = (max(1, right - left), max(1, bottom - top))
        return _round_mask(*size, max(0.0, radius) * self.scale), (left, top)

    def _fine(self, points: Sequence[Point], width: float) -> tuple[Image.Image, Point]:
        """Return an empty mask around the points and the corner it belongs to, in units."""
        room = width / 2 + 2 / self.scale
        left = int((min(p[0] for p in points) - room) * self.scale) / self.scale
        top = int((min(p[1] for p in points) - room) * self.scale) / self.scale
        wide = max(p[0] for p in points) + room - left
        high = max(p[1] for p in points) + room - top
        size = (int(wide * self.scale + 1) * FINE, int(high * self.scale + 1) * FINE)
        return Image.new("L", size), (left, top)

    def _small(self, mask: Image.Image, corner: Point, colour: Colour) -> None:
        at = (round(corner[0] * self.scale), round(corner[1] * self.scale))
        self._stamp(mask.reduce(FINE), at, colour)

    def _stamp(self, mask: Image.Image, at: tuple[int, int], colour: Colour) -> None:
        if colour[3] < 255:
            mask = mask.point([round(v * colour[3] / 255) for v in range(256)])
        ink = Image.new("RGBA", mask.size, (*colour[:3], 0))
        ink.putalpha(mask)
        self.image.alpha_composite(
            ink, (max(0, at[0]), max(0, at[1])), (max(0, -at[0]), max(0, -at[1]))
        )


def spread(points: Sequence[Point], gap: float) -> list[Point]:
    """Return points along a line, evenly spread, about gap apart, both ends included."""
    legs = [((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5 for (ax, ay), (bx, by) in pairwise(points)]
    length = sum(legs)
    if length == 0:
        return [points[0]]
    count = max(1, round(length / gap))
    out = []
    for i in range(count + 1):
        rest, k = length * i / count, 0
        while k < len(legs) - 1 and rest > legs[k]:
            rest -= legs[k]
            k += 1
        share = rest / legs[k] if legs[k] else 0.0
        (ax, ay), (bx, by) = points[k], points[k + 1]
        out.append((ax + (bx - ax) * share, ay + (by - ay) * share))
    return out


def curve(start: Point, pull: Point, end: Point, steps: int = 16) -> list[Point]:
    """Return points of a quadratic curve."""
    out = []
    for i in range(steps + 1):
        t = i / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        out.append(
            (
                a * start[0] + b * pull[0] + c * end[0],
                a * start[1] + b * pull[1] + c * end[1],
            )
        )
    return out


@lru_cache(maxsize=64)
def _round_mask(width_px: int, height_px: int, radius_px: float) -> Image.Image:
    mask = Image.new("L", (width_px, height_px), 255)
    r = min(round(radius_px), width_px // 2, height_px // 2)
    if r < 1:
        return mask
    corner = Image.new("L", (r * FINE, r * FINE))
    ImageDraw.Draw(corner).ellipse((0, 0, 2 * r * FINE - 1, 2 * r * FINE - 1), 255)
    corner = corner.reduce(FINE)
    for quarter, at in (
        (Image.Transpose.ROTATE_270, (width_px - r, 0)),
        (Image.Transpose.ROTATE_180, (width_px - r, height_px - r)),
        (Image.Transpose.ROTATE_90, (0, height_px - r)),
    ):
        mask.paste(corner.transpose(quarter), at)
    mask.paste(corner, (0, 0))
    return mask
