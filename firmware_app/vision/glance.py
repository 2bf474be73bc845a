"""Whether anything moved since the last look: while nothing does, the last answer still holds.

A look costs milliseconds, a glance hundredths of one. An empty bike needs no search, and a rider
who rests no model: points that stand still are smoothed so much that a new measure moves them by a
hundredth of what it says. A rider who pedals always moves, and is hardly ever glanced at.
"""

from typing import cast

import cv2

from firmware_app.vision.region import Picture, Region

FEW = (160, 120)
"""Pixels taken out of the window."""
BLOCKS = (40, 30)
"""Into which these are averaged: 16 at a time, which takes three quarters of the noise away."""
MOVED = 6
"""Grey levels by which a block must change. The edge of a sleeve that moves by a hundredth of the
picture makes 10 and more; a camera's noise in a lit room 2, in a dark one, where nothing is saved,
8."""
HOLDS_S = 0.2
"""An answer holds no longer, whatever the glance says: what changes by less is caught up with."""
PAUSE_S = 0.5
"""When something moves, it will go on; no glance for this long. Nor at a rider who was just found,
for a look or two later the points are better."""


class Glance:
    """Compares a part of each picture with what it was when it was looked at."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Let the next picture be looked at."""
        self._known: Picture | None = None
        self._window = (slice(None), slice(None))
        self._looked_s = self._next_s = float("-inf")

    def pause(self, t_s: float) -> None:
        """Let all be looked at for a while: something moves, or the points are not yet at rest."""
        self._known, self._next_s = None, t_s + PAUSE_S

    def still(self, picture: Picture, t_s: float, region: Region | None) -> bool:
        """Tell whether the answer of the last look stands; if not, the picture is to be looked at.

        The region is where the rider is, or None while nobody is followed and the whole picture
        counts.
        """
        if t_s < self._next_s:
            return False
        if self._known is not None:
            now = _blocks(picture[self._window])
            if cv2.norm(now, self._known, cv2.NORM_INF) >= MOVED:
                self._known = None
                if region:
                    self.pause(t_s)
                return False
            if t_s - self._looked_s < HOLDS_S:
                return True
        self._window = _around(region, picture)
        self._known = _blocks(picture[self._window])
        self._looked_s = t_s
        return False


def _around(region: Region | None, picture: Picture) -> tuple[slice, slice]:
    """Return the part of the picture in which the rider is."""
    height, width = picture.shape[:2]
    if region is None:
        return slice(0, height), slice(0, width)
    half_px = region.size_px / 2
    left, right = (min(max(int(region.x_px + d), 0), width - 1) for d in (-half_px, half_px))
    top, bottom = (min(max(int(region.y_px + d), 0), height - 1) for d in (-half_px, half_px))
    return slice(top, bottom + 1), slice(left, right + 1)


def _blocks(part: Picture) -> Picture:
    few = cv2.resize(part, FEW, interpolation=cv2.INTER_NEAREST)
    # OpenCV knows its array's type only when it runs
    return cast(Picture, cv2.resize(few, BLOCKS, interpolation=cv2.INTER_AREA))
