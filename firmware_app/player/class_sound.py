"""The class's sound between network and mixer: bounded, and held back no longer than needed.

    push(frame)   as it is decoded, in bursts, with gaps
    pull(n)       as the speaker wants it, on the mixer's thread

What was lost, and what is late, is filled with what was heard last, fading; what was late is then
played, so the class is held back longer by that much, and comes nearer again at 1 % (holding.py).
"""

import threading

import av
import numpy as np
from numpy.typing import NDArray

from firmware_app.player.holding import SPEED, Holding
from firmware_app.player.stream_clock import OTHER_CLOCK_S

SAMPLE_HZ = 48_000
START_S = 0.25
"""Held before the first sample is played: nobody knows yet how the network is."""
SETTLE_S = 1.5
"""After this it is known, and what was held too long is skipped, once."""
FULL_S = 0.6
"""A burst beyond this is cut back to START_S at once."""
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
        self._last: Samples = np.zeros((0, 2), np.float32)
        self._concealed = 0
        self._bridged = False
        self._running = False
        self._unsettled = 0
        self._end_s: float | None = None
        self._lead_s = 0.0
        self._holding = Holding()
        self._to_48k: av.AudioResampler | None = None
        self._next_pts: int | None = None

    def push(self, frame: av.AudioFrame, sent_s: float | None, now_s: float) -> None:
        """Add a decoded frame of any rate and layout; sent_s is when its start was captured."""
        samples = self._floats(frame)
        lost = self._lost_before(frame)
        block_s = len(samples) / SAMPLE_HZ
        with self._lock:
            if lost and self._holding.longing:
                lost += len(samples)  # a gap is where time is gained unheard
            before = self._held if len(self._held) else self._last
            held = np.concatenate([self._held, *_conceal(before, lost, samples), samples])
            if len(held) > FULL_S * SAMPLE_HZ:
                held = held[-int(START_S * SAMPLE_HZ) :]
                _fade_in(held)
            self._held = held
            end_s = None if sent_s is None else sent_s + block_s
            if self._jumped(end_s, block_s):
                self._holding.clear()
            self._end_s = end_s
            if sent_s is not None:
                # heard block by block: the last sample of a block holds up its first
                self._holding.need(now_s - sent_s + self._lead_s + block_s, now_s)

    def picture(self, sent_s: float | None, now_s: float, spare_s: float = 0.0) -> None:
        """Hold the sound back, in bounds, for a picture captured at sent_s and ready now.

        spare_s is how much later it might have been.
        """
        with self._lock:
            if sent_s is None or self._end_s is None or abs(sent_s - self._end_s) > OTHER_CLOCK_S:
                return
            # on a quiet network the speaker's own delay is more than the picture's
            self._holding.need(now_s - sent_s + spare_s, now_s)

    def pull(self, samples: int, now_s: float = 0.0, lead_s: float = 0.0) -> Samples:
        """Take the next samples, heard from now_s + lead_s on; silence until there is enough."""
        if samples <= 0:
            return np.zeros((0, 2), np.float32)
        with self._lock:
            self._lead_s = lead_s
            if not self._running:
                if len(self._held) < max(START_S * SAMPLE_HZ, samples):
                    return np.zeros((samples, 2), np.float32)
                self._running = self._bridged = True
                self._unsettled = round(SETTLE_S * SAMPLE_HZ)
            self._settle(samples, now_s + lead_s)
            wanted = round(samples * self._speed(now_s + lead_s))
            took, self._held = self._held[:wanted], self._held[wanted:]
            if self._bridged and len(took):
                took = self._resume(took)
            if len(took) < wanted:
                return self._bridge(took, samples)
            self._last, self._concealed = took, 0
        return took if wanted == samples else _stretch(took, samples)

    def playing_sent_s(self) -> float | None:
        """Return when the sample pulled next was captured; None while nothing plays."""
        with self._lock:
            if not self._running or self._end_s is None:
                return None
            return self._end_s - len(self._held) / SAMPLE_HZ

    def clear(self) -> None:
        """Forget everything: another session begins."""
        with self._lock:
            self._held = self._last = np.zeros((0, 2), np.float32)
            self._running = self._bridged = False
            self._concealed = 0
            self._end_s = None
            self._holding.clear()
            self._to_48k = None
            self._next_pts = None

    @property
    def held_s(self) -> float:
        """Seconds now in the buffer."""
        with self._lock:
            return len(self._held) / SAMPLE_HZ

    def _settle(self, samples: int, heard_s: float) -> None:
        """Skip, soon after the beginning, what is held longer than this network needs."""
        if self._unsettled <= 0:
            return
        self._unsettled -= samples
        if self._unsettled > 0 or self._end_s is None:
            return
        hold_s = heard_s - (self._end_s - len(self._held) / SAMPLE_HZ)
        skip = int(self._holding.too_long_s(hold_s) * SAMPLE_HZ)
        skip = min(skip, len(self._held) - samples - FADE)
        if skip > FADE:
            before, self._held = self._held[:FADE].copy(), self._held[skip:].copy()
            _fade_in(self._held)
            _fade_out(before)
            self._held[:FADE] += before

    def _speed(self, heard_s: float) -> float:
        """Return the speed for now; a sender without any clock is held as it began."""
        held_s = len(self._held) / SAMPLE_HZ
        if self._end_s is None:
            return 1.0 + SPEED if held_s > 2 * START_S else 1.0
        return self._holding.speed(heard_s - (self._end_s - held_s))

    def _bridge(self, took: Samples, samples: int) -> Samples:
        """Fill up with what was heard last; after LONGEST_CONCEALED_S wait in silence."""
        if not self._concealed:
            self._last = np.concatenate([self._last, took])
        rest = samples - min(len(took), samples)
        filled = _echo(self._last, self._concealed, rest)
        self._concealed += rest
        self._bridged = True
        if self._concealed >= LONGEST_CONCEALED_S * SAMPLE_HZ:
            self._running = False
        return np.concatenate([took[:samples], filled])

    def _resume(self, took: Samples) -> Samples:
        """Let what came late rise while its bridge falls."""
        took = took.copy()
        _fade_in(took)
        edge = min(FADE, len(took))
        bridge = _echo(self._last, self._concealed, edge)
        _fade_out(bridge)
        took[:edge] += bridge
        self._bridged = False
        return took

    def _jumped(self, end_s: float | None, block_s: float) -> bool:
        """Tell whether the frame's moment is of another clock than the one before."""
        if self._end_s is None or end_s is None:
            return (self._end_s is None) != (end_s is None)
        return abs(end_s - block_s - self._end_s) > OTHER_CLOCK_S

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


def _conceal(before: Samples, lost: int, after: Samples) -> list[Samples]:
    """Fill a gap with what was heard last; it fades out under what comes after."""
    if not lost or not len(before):
        return []
    filled = _echo(before, 0, lost + FADE)
    _fade_in(after)
    _fade_out(filled)
    edge = min(FADE, len(after))
    after[:edge] += filled[lost : lost + edge]
    return [filled[:lost]]


def _echo(before: Samples, start: int, samples: int) -> Samples:
    """Return the last sound to and fro, so that no edge clicks, fading away from its start."""
    if not len(before):
        return np.zeros((samples, 2), np.float32)
    at = np.arange(start, start + samples)
    back = np.abs(at % (2 * len(before)) - len(before) + 0.5).astype(int)
    loud = np.clip(1 - at / (LONGEST_CONCEALED_S * SAMPLE_HZ), 0, 1).astype(np.float32)
    filled: Samples = before[back] * loud[:, None]
    return filled


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
