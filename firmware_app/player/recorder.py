"""Records what the screen showed and the speaker played, on one clock, as Matroska.

The screen's own picture: class, figures, words. The camera's picture is not in this process.
Encoding has a thread of its own; when it cannot keep up, pictures are left out, never delayed.
"""

import queue
import threading
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import structlog
from numpy.typing import NDArray

from firmware_app.errors import BadInput
from firmware_app.player.mixer import SOUND_HZ, Block
from firmware_app.player.tape import Timeline

log = structlog.get_logger()

ENCODERS: tuple[tuple[str, dict[str, str]], ...] = (
    ("libx264", {"preset": "ultrafast", "crf": "23", "tune": "zerolatency"}),
    ("libopenh264", {}),
    ("mpeg4", {"qscale": "4"}),
)
"""The first one that this build of FFmpeg has."""
WAITING_PICTURES = 24
"""Nearly a second of a busy machine, 90 MB at 720p."""
_MS = Fraction(1, 1000)

Picture = NDArray[np.uint8]
"""(height, width, 4) as BGRX."""


class Recorder:
    """Takes pictures and sound with their monotonic times; close() makes the file whole."""

    def __init__(self, path: Path, width_px: int, height_px: int, start_s: float) -> None:
        """Open the file; raise BadInput when it cannot be written or encoded.

        start_s is written into it too (tag START_MONOTONIC_S), so that what was shown can be set
        against what was sent.
        """
        name, options = _encoder()
        try:
            self._file = av.open(str(path), "w", format="matroska")
        except (OSError, av.error.FFmpegError) as error:
            raise BadInput(f"{path}: {error}; name a file I may write") from error
        self._file.metadata["START_MONOTONIC_S"] = f"{start_s:.6f}"
        self._video: av.VideoStream = cast(
            av.VideoStream, self._file.add_stream(name, rate=30, options=dict(options))
        )
        self._video.width, self._video.height = width_px // 2 * 2, height_px // 2 * 2
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = _MS
        self._audio: av.AudioStream = self._file.add_stream(
            "pcm_s16le", rate=SOUND_HZ, layout="stereo"
        )
        self._line = Timeline(start_s)
        self._start_s = start_s
        self._shown_ms = -1
        self._last: Picture | None = None
        self._pictures = threading.Semaphore(WAITING_PICTURES)
        self._work: queue.SimpleQueue[tuple[float, Picture | Block] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        self.left_out = 0
        """Pictures the encoder had no time for."""

    def show(self, at_s: float, picture: Picture) -> None:
        """Record what the screen shows from at_s on; keeps the array, give it a copy."""
        if self._pictures.acquire(blocking=False):
            self._work.put((at_s, picture))
        else:
            self.left_out += 1

    def hear(self, at_s: float, block: Block) -> None:
        """Record what the speaker plays from at_s on."""
        self._work.put((at_s, block))

    def close(self, at_s: float) -> None:
        """Show the last picture until at_s and finish the file."""
        self._work.put(None)
        self._thread.join()
        if self._last is not None:
            self._encode(at_s, self._last)
        self._file.mux(self._video.encode(None))
        self._file.mux(self._audio.encode(None))
        self._file.close()
        if self.left_out:
            log.warning("recording_left_out", pictures=self.left_out)

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            at_s, what = item
            if what.dtype == np.uint8:
                self._last = what.astype(np.uint8, copy=False)
                self._encode(at_s, self._last)
                self._pictures.release()
            else:
                self._write(at_s, what.astype(np.float32, copy=False))

    def _encode(self, at_s: float, picture: Picture) -> None:
        pts = max(round((at_s - self._start_s) * 1000), self._shown_ms + 1)
        self._shown_ms = pts
        high, wide = (side // 2 * 2 for side in picture.shape[:2])
        even = picture[:high, :wide]
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="bgra")
        frame.pts, frame.time_base = pts, _MS
        self._file.mux(self._video.encode(frame.reformat(format="yuv420p")))

    def _write(self, at_s: float, block: Block) -> None:
        first = self._line.samples
        sound = self._line.place(at_s, block)
        if not len(sound):
            return
        pcm = (np.clip(sound, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = SOUND_HZ, first
        frame.time_base = Fraction(1, SOUND_HZ)
        self._file.mux(self._audio.encode(frame))


def _encoder() -> tuple[str, dict[str, str]]:
    for name, options in ENCODERS:
        if name in av.codecs_available:
            return name, options
    raise BadInput("this build of PyAV has no video encoder; install PyAV from its own wheel")
