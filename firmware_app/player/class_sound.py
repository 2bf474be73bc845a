"""The class's sound between network and mixer: bounded, and near its target again after bursts.

    push(frame)   as it is decoded, in bursts, with gaps
    pull(n)       as the speaker wants it, on the mixer's thread

Kept near TARGET_S full by playing up to 1 % faster or slower, which nobody hears; cut only when
far too full, silent only when empty.
"""

import threading

import av
import numpy as np
from numpy.typing import NDArray

SAMPLE_HZ = 48_000
TARGET_S = 0.12
"""Covers the 60 ms a late packet is waited for, and the mixer's block."""
FULL_S = 0.3
"""A burst beyond this is cut back to the target at once."""
STEADY_S = 0.03
"""Nearer to the target than this the speed is left alone."""
SPEED = 0.01
LONGEST_CONCEALED_S = 0.1
"""A longer gap is a pause of the sender's, not a loss."""
AS_OPUS = ("s16", "stereo", SAMPLE_HZ)
"""What aiortc's Opus decoder gives, which needs no resampler."""
FADE = 240
"""5 ms, at every edge between sound and silence."""

Samples = NDArray[np.float32]


class ClassSound:
    """A buffer of (N, 2) float samples at 48 kHz."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Samples = np.zeros((0, 2), np.float32)
        self._running = False
        self._end_sent_s: float | None = None
        self._to_48k: av.AudioResampler | None = None
        self._next_pts: int | None = None

    def push(self, frame: av.AudioFrame, sent_s: float | None) -> None:
        """Add a decoded frame of any rate and layout; sent_s is the sender's time of its start."""
        samples = self._floats(frame)
        lost = self._lost_before(frame)
        with self._lock:
            held = np.concatenate([self._held, *_conceal(self._held, lost, samples), samples])
            if len(held) > FULL_S * SAMPLE_HZ:
                held = held[-int(TARGET_S * SAMPLE_HZ) :]
                _fade_in(held)
            self._held = held
            self._end_sent_s = None if sent_s is None else sent_s + len(samples) / SAMPLE_HZ

    def pull(self, samples: int) -> Samples:
        """Take the next samples; silence until the buffer has filled to its target."""
        out = np.zeros((samples, 2), np.float32)
        if samples <= 0:
            return out
        with self._lock:
            if not self._running:
                if len(self._held) < max(TARGET_S * SAMPLE_HZ, samples):
                    return out
                self._running = True
                self._held = self._held.copy()
                _fade_in(self._held)
            wanted = round(samples * self._speed(samples))
            took, self._held = self._held[:wanted], self._held[wanted:]
            if len(took) < wanted:
                self._running = False
                out[: len(took)] = took[:samples]
                _fade_out(out[: len(took)])
                return out
        return took if wanted == samples else _stretch(took, samples)

    def playing_sent_s(self) -> float | None:
        """Return the sender's time of the sample pulled next; None while nothing plays."""
        with self._lock:
            if not self._running or self._end_sent_s is None:
                return None
            return self._end_sent_s - len(self._held) / SAMPLE_HZ

    def clear(self) -> None:
        """Forget everything: another session begins."""
        with self._lock:
            self._held = np.zeros((0, 2), np.float32)
            self._running = False
            self._end_sent_s = None
            self._to_48k = None
            self._next_pts = None

    @property
    def held_s(self) -> float:
        """Seconds now in the buffer."""
        with self._lock:
            return len(self._held) / SAMPLE_HZ

    def _speed(self, samples: int) -> float:
        off_s = len(self._held) / SAMPLE_HZ - TARGET_S
        if abs(off_s) <= max(STEADY_S, samples / SAMPLE_HZ):
            return 1.0
        return 1.0 + SPEED if off_s > 0 else 1.0 - SPEED

    def _lost_before(self, frame: av.AudioFrame) -> int:
        """Return how many samples (48 kHz) are missing before this frame, by its RTP timestamp."""
        if frame.pts is None:
            return 0
        expected, self._next_pts = self._next_pts, frame.pts + frame.samples
        lost = 0 if expected is None else (frame.pts - expected) & 0xFFFFFFFF
        lost = lost * SAMPLE_HZ // max(frame.sample_rate, 1)
        return lost if lost <= LONGEST_CONCEALED_S * SAMPLE_HZ else 0

    def _floats(self, frame: av.AudioFrame) -> Samples:
        if (frame.format.name, frame.layout.name, frame.sample_rate) == AS_OPUS:
            pairs: Samples = frame.to_ndarray().reshape(-1, 2).astype(np.float32)
            pairs /= 32768
            return pairs
        if self._to_48k is None:
            self._to_48k = av.AudioResampler(format="flt", layout="stereo", rate=SAMPLE_HZ)
        blocks = [out.to_ndarray().reshape(-1, 2) for out in self._to_48k.resample(frame)]
        return np.concatenate([np.zeros((0, 2), np.float32), *blocks])


def _conceal(held: Samples, lost: int, after: Samples) -> list[Samples]:
    """Fill a gap with what was heard last, backwards (so that no edge clicks), fading away."""
    if not lost or not len(held):
        return []
    _fade_in(after)
    filled = np.zeros((lost, 2), np.float32)
    last = held[::-1][:lost]
    filled[: len(last)] = last * np.linspace(1, 0, len(last), dtype=np.float32)[:, None]
    return [filled]


def _stretch(sound: Samples, samples: int) -> Samples:
    """Play the same sound in that many samples, by straight lines between its own."""
    at = np.linspace(0, len(sound) - 1, samples)
    whole = np.arange(len(sound))
    sides = [np.interp(at, whole, sound[:, side]) for side in (0, 1)]
    return np.stack(sides, axis=1).astype(np.float32)


def _fade_in(sound: Samples) -> None:
    edge = sound[:FADE]
    edge *= np.linspace(0, 1, len(edge), dtype=np.float32)[:, None]


def _fade_out(sound: Samples) -> None:
    edge = sound[-FADE:]
    edge *= np.linspace(1, 0, len(edge), dtype=np.float32)[:, None]
