"""The coach's voice: sentences rendered before they are needed, kept, and found in no time.

What was not foreseen is spoken by the quick engine at once: a plainer voice on time is better than
a fine one that comes after the fault.
"""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray

from firmware_app.errors import BadInput, PartError, PartLost
from firmware_app.speech.clip import CLIP_VERSION, make_clip, read_wav, write_wav
from firmware_app.speech.engines import LOW_PRIORITY, Engine

log = structlog.get_logger()

KEPT_CLIPS = 400
"""Some 100 MB: the catalogue in two languages with the names of a day."""


class Voice:
    """Speaks with the best engine when there was time, with the quick one when there was not."""

    def __init__(self, best: Engine | None, quick: Engine | None, folder: Path) -> None:
        """Engines may be the same or None; folder is the clips' home and is made when needed."""
        self._engines = [engine for engine in (best, quick) if engine is not None]
        self._folder = folder
        self._lost = False
        self._full = False

    @property
    def name(self) -> str:
        """The engine that speaks, or "" when none can."""
        return self._engines[0].name if self._engines and not self._lost else ""

    async def prepare(self, texts: Iterable[str]) -> int:
        """Render at low priority what is not there yet; return how many clips were made."""
        made = 0
        for engine in self._engines:
            missing = [t for t in dict.fromkeys(texts) if t and self._kept(engine, t) is None]
            try:
                async for text, wav in engine.render(missing, nice=LOW_PRIORITY):
                    self._keep(engine, text, make_clip(read_wav(wav)))
                    made += 1
            except (PartError, BadInput) as error:
                log.warning("voice_failed", engine=engine.name, why=str(error))
                continue  # the next engine is plainer, and there
            break
        self._forget_oldest()
        return made

    def ready(self, text: str) -> NDArray[np.float32] | None:
        """Return the sentence, mono 48 kHz, when it is rendered; None when it is not."""
        for engine in self._engines:
            path = self._kept(engine, text)
            if path is not None:
                try:
                    return read_wav(path.read_bytes())
                except (OSError, BadInput):
                    path.unlink(missing_ok=True)  # torn by a power cut
        return None

    async def now(self, text: str) -> NDArray[np.float32]:
        """Return the sentence as soon as it can be had; raise PartLost when nobody can speak."""
        clip = self.ready(text)
        if clip is not None:
            return clip
        why = "no voice is installed"
        for engine in self._engines[::-1]:
            try:
                async for _, wav in engine.render([text], nice=0):
                    clip = make_clip(read_wav(wav))
                    self._keep(engine, text, clip)
                    self._lost = False
                    return clip
            except (PartError, BadInput) as error:
                why = str(error)
        if not self._lost:
            log.warning("voice_lost", why=why)
        self._lost = True
        raise PartLost(why)

    def _path(self, engine: Engine, text: str) -> Path:
        key = f"{CLIP_VERSION}\n{engine.voice}\n{text}".encode()
        return self._folder / f"{hashlib.sha256(key).hexdigest()[:32]}.wav"

    def _kept(self, engine: Engine, text: str) -> Path | None:
        path = self._path(engine, text)
        try:
            os.utime(path)  # used is young
        except OSError:
            return None
        return path

    def _keep(self, engine: Engine, text: str, clip: NDArray[np.float32]) -> None:
        path = self._path(engine, text)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".draft")
            draft.write_bytes(write_wav(clip))
            draft.replace(path)
        except OSError as error:
            if not self._full:
                log.warning("voice_not_kept", folder=str(self._folder), why=str(error))
            self._full = True  # it is spoken all the same, and made again next time

    def _forget_oldest(self) -> None:
        try:
            clips = sorted(self._folder.glob("*.wav"), key=lambda path: path.stat().st_mtime)
        except OSError:
            return
        for path in clips[:-KEPT_CLIPS]:
            path.unlink(missing_ok=True)
