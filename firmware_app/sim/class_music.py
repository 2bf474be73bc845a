"""The demo class's music: a beat at the instructor's cadence, a bass and quiet chords, all ours.

Sixty-eight beats are seventeen bars of four: four times round four chords, and one bar home.
"""

import numpy as np
from numpy.typing import NDArray

SAMPLE_HZ = 48_000
RPM = 85
"""One beat a turn of the instructor's crank."""
BEATS = 68
_BEAT = SAMPLE_HZ * 60 / RPM
_CHORDS = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))
"""A minor, F, C, G as MIDI notes."""
_BARS = _CHORDS * 4 + (_CHORDS[3],)
_PEAK = 0.5

Mono = NDArray[np.float32]


def music() -> NDArray[np.float32]:
    """Return one loop, (48 s * 48 kHz, 2) in -0.5..0.5; its end leads into its beginning."""
    track = np.zeros((round(BEATS * _BEAT), 2), np.float32)
    kick, hat = _kick(), _hat()
    for beat in range(BEATS):
        at = beat * _BEAT
        chord = _BARS[beat // 4]
        _lay(track, at, kick, 0.9, 0.0)
        _lay(track, at + _BEAT / 2, hat, 0.20, 0.2 if beat % 2 else -0.2)
        for eighth in (0.0, 0.5):
            _lay(track, at + eighth * _BEAT, _note(chord[0] - 24, _BEAT / 2, 9.0), 0.38, 0.0)
        if beat % 4 == 0:
            for note, side in zip(chord, (-0.5, 0.0, 0.5), strict=True):
                _lay(track, at, _note(note, _BEAT * 4, 0.9), 0.11, side)
    return track * np.float32(_PEAK / np.abs(track).max())


def _lay(track: NDArray[np.float32], at: float, sound: Mono, level: float, side: float) -> None:
    """Add a mono sound at a sample, round the loop's end; side is -1 (left) to 1 (right)."""
    where = (round(at) + np.arange(len(sound))) % len(track)
    track[where, 0] += sound * np.float32(level * min(1.0, 1 - side))
    track[where, 1] += sound * np.float32(level * min(1.0, 1 + side))


def _kick() -> Mono:
    t_s = np.arange(int(0.25 * SAMPLE_HZ)) / SAMPLE_HZ
    turns = 50 * t_s + 90 * 0.03 * (1 - np.exp(-t_s / 0.03))
    return np.asarray(np.sin(2 * np.pi * turns) * np.exp(-t_s / 0.07), np.float32)


def _hat() -> Mono:
    noise = np.random.default_rng(85).standard_normal(int(0.06 * SAMPLE_HZ))
    t_s = np.arange(len(noise)) / SAMPLE_HZ
    bright = np.diff(noise, prepend=0.0) * 0.5
    return np.asarray(bright * np.exp(-t_s / 0.012), np.float32)


def _note(midi: int, samples: float, fall_hz: float) -> Mono:
    t_s = np.arange(int(samples)) / SAMPLE_HZ
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    tone = sum(np.sin(2 * np.pi * hz * k * t_s) / k**2 for k in (1, 2, 3))
    attack = np.minimum(t_s / 0.01, 1.0)
    release = np.minimum((t_s[-1] - t_s) / 0.02, 1.0)
    return np.asarray(tone * attack * release * np.exp(-t_s * fall_hz), np.float32)
