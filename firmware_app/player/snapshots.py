"""Pictures of the screen at the moments that matter, for the demo and for a technician's report.

Decides what is due from what is shown; a file is written beside and renamed, so nobody reads half.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from firmware_app.errors import BadInput
from firmware_app.player.stage import View
from firmware_app.wire import Hud

AFTER_CUE_S = 0.7
"""The banner has faded in and is being said."""
AGAIN_S = 10.0
"""The ride's picture is made anew this often: the last one is of a rider who is warm."""


class Schedule:
    """Which pictures are due."""

    def __init__(self) -> None:
        self._taken: dict[str, float] = {}
        self._trouble = ""
        self._ready = -1
        self._cue: tuple[int, float] | None = None

    def due(self, view: View, now_s: float, *, playing: bool) -> list[str]:
        """Return the names of the pictures to take now; playing: the class is on the screen."""
        names = []
        hud, said = view.hud, view.banner
        if view.trouble != self._trouble:
            self._trouble = view.trouble
            if view.trouble:
                names.append(view.trouble)
        if said is not None and (self._cue is None or self._cue[0] != said.cue):
            self._cue = (said.cue, now_s)
        if self._cue and said is not None and now_s - self._cue[1] >= AFTER_CUE_S:
            names += self._once(f"cue-{said.cue}", now_s)
        if hud is None:
            return names + (self._once("class", now_s) if view.alone and playing else [])
        return names + self._of_phase(view, hud, now_s, playing=playing)

    def _of_phase(self, view: View, hud: Hud, now_s: float, *, playing: bool) -> list[str]:
        if hud.phase == "waiting":
            ready = 2 * playing + (hud.camera == "ok")
            if ready > self._ready:  # anew with each part that has come up
                self._ready = ready
                return ["waiting"]
        elif hud.phase == "riding" and playing and view.banner is None and hud.states:
            if now_s - self._taken.get("ride", -AGAIN_S) >= AGAIN_S:
                self._taken["ride"] = now_s
                return ["ride"]
        elif hud.phase == "ended" and view.debrief is not None:
            return self._once("end", now_s)
        return []

    def _once(self, name: str, now_s: float) -> list[str]:
        if name in self._taken:
            return []
        self._taken[name] = now_s
        return [name]


class Album:
    """Writes pictures as PNG in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        """Make the folder; raise BadInput when that cannot be done."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"{folder}: {error.strerror or error}; name a folder I may write"
            ) from error
        self._folder = folder
        self._writer = ThreadPoolExecutor(1, "album")

    def keep(self, name: str, picture: NDArray[np.uint8]) -> None:
        """Write screen-<name>.png from BGRX pixels; keeps the array, give it a copy."""
        self._writer.submit(self._write, name, picture)

    def close(self) -> None:
        """Wait until all are written."""
        self._writer.shutdown()

    def _write(self, name: str, picture: NDArray[np.uint8]) -> None:
        path = self._folder / f"screen-{name}.png"
        draft = path.with_suffix(".draft")
        rgb = np.ascontiguousarray(picture[..., 2::-1])
        Image.fromarray(rgb).save(draft, format="PNG", compress_level=4)
        draft.replace(path)
