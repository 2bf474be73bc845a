"""The camera as a light meter: lux from how bright a picture is and how it was exposed.

A picture alone cannot tell: the camera's automatic exposure makes a dim room as bright as a lit
one. With exposure time and gain as the driver tells them, and one reading of a lux meter beside the
rider's seat (`bikebox calibrate`), light is proportional to linear brightness over time and gain.
How grey levels follow the light, and what a step of gain is worth, differs from camera to camera
and is measured too. What was not measured is not told: there is no lux then.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from firmware_app.errors import BadInput
from firmware_app.hardware import Exposure
from firmware_app.vision.region import Picture

Shares = NDArray[np.float64]
"""[256] of the picture's pixels at each grey level."""
_LEVELS = np.arange(256) / 255
BRIGHTEST, BURNT = 250, 0.05
"""Grey level from which a pixel says nothing, and the share of them that is too much."""
LEAST_LEVEL = 8 / 255
"""A picture darker than this on average is the sensor's own noise."""
GAMMAS = np.arange(1.0, 3.01, 0.02)
"""Looked through; a camera's is 1.8 to 2.6."""
LEAST_TIMES, LEAST_RANGE = 3, 3.0
"""Exposure times, and the longest over the shortest, without which gamma cannot be told."""
MOST_SPREAD = 0.1
"""Of the readings of one light, as a share; more, and the light or somebody moved."""


class Shot(NamedTuple):
    """One picture of the light that the lux meter shows."""

    exposure: Exposure
    shares: Shares


class LuxMeter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one camera at one place makes of the light."""

    camera: str
    """Name and serial number: another camera is not calibrated."""
    lux_seconds: float
    """Lux that make a picture of linear brightness 1 in one second at the first gain."""
    gamma: float
    """Light is a grey level, as a share of white, to this power."""
    gains: tuple[tuple[float, float], ...]
    """Settings of the gain in rising order, and by how much each makes the picture brighter."""

    def lux(self, picture: Picture, exposure: Exposure) -> float | None:
        """Return the light, or None where this camera was not calibrated to see it."""
        shares = grey_shares(picture)
        (first, _), (last, _) = self.gains[0], self.gains[-1]
        if exposure.camera != self.camera or not first <= exposure.gain <= last:
            return None
        if not _readable(shares):
            return None
        settings, factors = np.transpose(self.gains)
        gain = math.exp(np.interp(exposure.gain, settings, np.log(factors)))
        return self.lux_seconds * _brightness(shares, self.gamma) / (exposure.time_s * gain)


def grey_shares(picture: Picture) -> Shares:
    """Return how the picture's luma is spread, of every fourth pixel each way."""
    luma = cv2.cvtColor(np.ascontiguousarray(picture[::4, ::4]), cv2.COLOR_BGR2GRAY)
    return np.bincount(luma.ravel(), minlength=256) / luma.size


def fit(shots: Sequence[Shot], lux: float) -> LuxMeter:
    """Return the meter that reads this many lux in all these pictures of one unchanged light.

    Raise BadInput when they do not tell enough, or do not agree.
    """
    usable = [shot for shot in shots if _readable(shot.shares)]
    by_gain: dict[float, list[Shot]] = {}
    for shot in usable:
        by_gain.setdefault(shot.exposure.gain, []).append(shot)
    base = max(by_gain.values(), key=len, default=[])
    times_s = [shot.exposure.time_s for shot in base]
    if len(set(times_s)) < LEAST_TIMES or max(times_s) < LEAST_RANGE * min(times_s):
        raise BadInput(
            f"of {len(shots)} pictures {len(usable)} are neither burnt nor black, with exposure"
            f" times {sorted(set(times_s))} s: too few; aim the camera at the seat in even light"
        )
    spread, gamma = min((_spread(base, float(gamma)), float(gamma)) for gamma in GAMMAS)
    if spread > MOST_SPREAD:
        raise BadInput(
            f"pictures of the same light differ by {spread:.0%}; was somebody moving, or the light"
            " not steady? Try again with nobody before the camera"
        )
    worth = {gain: _mean_worth(some, gamma) for gain, some in sorted(by_gain.items())}
    first = next(iter(worth.values()))
    return LuxMeter(
        camera=base[0].exposure.camera,
        lux_seconds=lux / first,
        gamma=round(gamma, 2),
        gains=tuple((gain, much / first) for gain, much in worth.items()),
    )


def read_meter(path: Path) -> LuxMeter:
    """Read what `bikebox calibrate` wrote; raise BadInput when it is not that."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LuxMeter)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(
            f"{path} is no calibration of a camera ({error}); write it anew with: bikebox"
            ' calibrate, or set [vision] lux_file = ""'
        ) from error


def _readable(shares: Shares) -> bool:
    return bool(shares[BRIGHTEST:].sum() <= BURNT and shares @ _LEVELS >= LEAST_LEVEL)


def _brightness(shares: Shares, gamma: float) -> float:
    return float(shares @ _LEVELS**gamma)


def _worths(shots: Sequence[Shot], gamma: float) -> NDArray[np.float64]:
    """Return the linear brightness that a second of exposure makes, by each of the shots."""
    return np.array([_brightness(shot.shares, gamma) / shot.exposure.time_s for shot in shots])


def _mean_worth(shots: Sequence[Shot], gamma: float) -> float:
    return float(np.exp(np.log(_worths(shots, gamma)).mean()))


def _spread(shots: Sequence[Shot], gamma: float) -> float:
    return float(np.log(_worths(shots, gamma)).std())
