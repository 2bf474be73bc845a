"""Finds the letters: Inter, Noto for scripts that Inter has not, Pillow's own when all fails."""

import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Literal

from PIL import ImageFont

Weight = Literal["Regular", "SemiBold", "Bold"]
AnyFont = ImageFont.FreeTypeFont | ImageFont.ImageFont

PLACES = (
    "/usr/share/fonts/opentype/inter/Inter-{}.otf",
    "/usr/share/fonts/truetype/inter/Inter-{}.ttf",
    "/usr/share/fonts/inter/Inter-{}.otf",
)
"""Debian's fonts-inter, by weight; fontconfig is asked when none is there."""
_WGHT = {"Regular": 400, "SemiBold": 600, "Bold": 700}
_LATIN_ENDS = 0x250
_SIGNS = range(0x2000, 0x2200)


@lru_cache(maxsize=256)
def font(weight: Weight, size_px: int, sample: str = "") -> AnyFont:
    """Return a font of that size; sample is a letter beyond Latin that it must be able to draw."""
    path = _place(weight, sample)
    if path is None:
        return ImageFont.load_default(size_px)
    found = ImageFont.truetype(path, size_px)
    try:
        found.set_variation_by_axes([_WGHT[weight]])
    except (OSError, ValueError):  # one weight a file, as most fonts are
        return found
    return found


def foreign(words: str) -> str:
    """Return the first letter that Inter cannot draw, or ""."""
    return next((c for c in words if ord(c) >= _LATIN_ENDS and ord(c) not in _SIGNS), "")


@lru_cache(maxsize=64)
def _place(weight: Weight, sample: str) -> str | None:
    if not sample:
        for place in PLACES:
            if Path(place.format(weight)).exists():
                return place.format(weight)
    wanted = f":charset={ord(sample):x}" if sample else "Inter"
    return _ask_fontconfig(f"{wanted}:weight={'80' if weight == 'Regular' else '200'}")


def _ask_fontconfig(pattern: str) -> str | None:
    try:
        said = subprocess.run(  # noqa: S603 - a fixed program; the pattern is ours
            ["fc-match", "-f", "%{file}", pattern],  # noqa: S607 - from the PATH of the service
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said if said.endswith((".ttf", ".otf", ".ttc")) else None
