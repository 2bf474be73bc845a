"""One spoken sentence as sound: trimmed, levelled, ready to be mixed at once.

Engines leave silence at both ends and speak at any loudness; a clip starts with its first sound and
is as loud as every other clip, so that the cue stands clearly over the class.
"""

import io
import wave

import av
import numpy as np
from numpy.typing import NDArray

from firmware_app.errors import BadInput

CLIP_HZ = 48_000
CLIP_VERSION = 1
"""Counts up when a clip made of the same words sounds different; part of the cache's key."""
LOUDNESS_DB = -17.0
"""RMS of the voiced parts over full scale: 10 dB and more over a class ducked by 14 dB."""
PEAK = 0.89
"""-1 dB: no louder than this, so that the mix needs no limiting of the voice."""
KNEE = 0.5
"""Sound up to here is left as it is; only the loudest syllables are rounded off above."""
FLOOR_DB = -40.0
"""Quieter than this under the loudest moment is silence."""
LEAD_S = 0.08
"""Silence kept in front: the time the class needs to step back, so the first word is heard."""
TAIL_S = 0.12
_WINDOW = 480  # 10 ms


def read_wav(data: bytes) -> NDArray[np.float32]:
    """Decode a WAV of any rate and channel count to mono 48 kHz, -1..1; raise BadInput."""
    try:
        with av.open(io.BytesIO(data), "r", format="wav") as file:
            resampler = av.AudioResampler(format="fltp", layout="mono", rate=CLIP_HZ)
            parts = [
                part.to_ndarray()[0]
                for frame in file.decode(audio=0)
                for part in resampler.resample(frame)
            ]
            parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    except (av.error.FFmpegError, IndexError) as error:
        raise BadInput(f"the voice gave {len(data)} bytes that are not a WAV: {error}") from error
    if not parts:
        return np.zeros(0, np.float32)
    sound: NDArray[np.float32] = np.concatenate(parts).astype(np.float32)
    return sound


def write_wav(sound: NDArray[np.float32]) -> bytes:
    """Encode mono 48 kHz sound as a 16-bit WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(CLIP_HZ)
        out.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


def make_clip(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Trim, level and frame a mono 48 kHz sound; raise BadInput when there is nothing to hear."""
    level = _levels(sound)
    loudest = float(level.max(initial=0.0))
    if loudest < 1e-4:
        raise BadInput("the voice gave only silence")
    heard = np.flatnonzero(level > loudest * 10 ** (FLOOR_DB / 20))
    words = sound[heard[0] * _WINDOW : (heard[-1] + 1) * _WINDOW]
    voiced = level[level > loudest * 10 ** (-25 / 20)]
    gain = 10 ** (LOUDNESS_DB / 20) / float(np.sqrt(np.mean(voiced**2)))
    edge = np.linspace(0, 1, _WINDOW // 2, dtype=np.float32)
    words = _soften(words * np.float32(gain))
    words[: len(edge)] *= edge
    words[-len(edge) :] *= edge[::-1]
    lead, tail = (np.zeros(int(s * CLIP_HZ), np.float32) for s in (LEAD_S, TAIL_S))
    return np.concatenate([lead, words, tail])


def _soften(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round off what is louder than KNEE so that nothing reaches PEAK."""
    room = PEAK - KNEE
    over = np.maximum(np.abs(sound) - KNEE, 0)
    soft: NDArray[np.float32] = np.sign(sound) * (
        np.minimum(np.abs(sound), KNEE) + room * np.tanh(over / room)
    )
    return soft.astype(np.float32)


def _levels(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """RMS of each 10 ms."""
    whole = len(sound) // _WINDOW * _WINDOW
    windows = sound[:whole].reshape(-1, _WINDOW)
    rms: NDArray[np.float32] = np.sqrt(np.mean(windows**2, axis=1))
    return rms
