"""All that the speaker played as a WAV whose samples are where their time is.

Sample n was heard n / 48000 s after the start: a gap in the sound is silence on the tape.
"""

import wave
from pathlib import Path

import numpy as np

from firmware_app.errors import BadInput
from firmware_app.player.mixer import BLOCK, SOUND_HZ, Block

SLACK = 2 * BLOCK
"""Samples a block may be off before the tape is put right: 40 ms, what lips forgive."""


class Timeline:
    """Puts blocks of sound where they belong, counted from one moment."""

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self.samples = 0

    def place(self, at_s: float, block: Block) -> Block:
        """Return what comes next on the line: the block, after the silence that was missing."""
        early = round((at_s - self._start_s) * SOUND_HZ) - self.samples
        if early > SLACK:
            block = np.concatenate([np.zeros((early, 2), np.float32), block])
        elif early < -SLACK:
            block = block[: max(0, len(block) + early)]
        self.samples += len(block)
        return block


class Tape:
    """Writes 48 kHz stereo 16-bit WAV; whole at every second, so a kill leaves a readable file."""

    def __init__(self, path: Path, start_s: float) -> None:
        try:
            self._disk = Path(path).open("wb")  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror or error}; name a file I may write") from error
        self._file = wave.open(self._disk)  # noqa: SIM115 - closed by close()
        self._file.setnchannels(2)
        self._file.setsampwidth(2)
        self._file.setframerate(SOUND_HZ)
        self._line = Timeline(start_s)
        self._fresh: list[bytes] = []

    def write(self, at_s: float, block: Block) -> None:
        """Append what is heard from the monotonic second at_s on."""
        self._fresh.append(as_pcm(self._line.place(at_s, block)))
        if len(self._fresh) * BLOCK >= SOUND_HZ:
            self._flush()

    def close(self) -> None:
        """Finish the file; may be called twice."""
        self._flush()
        self._file.close()
        self._disk.close()

    def _flush(self) -> None:
        if self._fresh:
            self._file.writeframes(b"".join(self._fresh))
            self._fresh.clear()


def as_pcm(block: Block) -> bytes:
    """Return the block as interleaved 16-bit samples."""
    return (np.clip(block, -1, 1) * 32767).astype("<i2").tobytes()
