"""What is heard: the class, turned down while the coach speaks, and never louder than full scale.

Pure arithmetic on blocks of 20 ms; who plays them and when is the speaker's business.
"""

import numpy as np
from numpy.typing import NDArray

SOUND_HZ = 48_000
BLOCK = 960
"""Samples of one block: 20 ms, short against every ramp below."""
BLOCK_S = BLOCK / SOUND_HZ
ATTACK_S = 0.08
"""The class steps back this fast: before the first word, without a click."""
RELEASE_S = 0.35
"""And comes back this slowly, as a person would turn it."""
CEILING = 0.97
"""Loudest sample let out; -0.26 dB leaves room for the converter's overshoot."""
RECOVER_S = 0.35

Block = NDArray[np.float32]
"""(960, 2), -1..1."""


class Mixer:
    """Mixes class and cue; holds one block back to see a peak before it is heard."""

    def __init__(self, duck_db: float, volume: float) -> None:
        """Start with the class in front; volume is 0..1 of full scale."""
        self.volume = volume
        self._duck_db = duck_db
        self._down_db = 0.0
        self._gain = volume
        self._held = np.zeros((BLOCK, 2), np.float32)
        self._edge = self._held_needs = 1.0

    def mix(self, class_sound: Block, cue: Block | None) -> Block:
        """Return the block before this one, limited; cue is (960,) or None when nobody speaks."""
        rest_db = self._duck_db if cue is not None else 0.0
        step_db = self._duck_db * BLOCK_S / (ATTACK_S if cue is not None else RELEASE_S)
        down_db = self._down_db + float(np.clip(rest_db - self._down_db, -step_db, step_db))
        first, last = 10 ** (-self._down_db / 20), 10 ** (-down_db / 20)
        self._down_db = down_db
        before, self._gain = self._gain, self.volume
        if cue is None:
            block = class_sound * self._ramp(first * before, last * self.volume)
        else:
            block = (class_sound * self._ramp(first, last) + cue[:, None]) * self._ramp(
                before, self.volume
            )
        return self._limit(block.astype(np.float32, copy=False))

    def _limit(self, block: Block) -> Block:
        """Let the held block out under a gain that is low enough at both of its ends."""
        held, self._held = self._held, block
        needed = _needed(block)
        edge = min(self._held_needs, needed, self._edge + BLOCK_S / RECOVER_S)
        self._held_needs = needed
        out: Block = held * self._ramp(self._edge, edge)
        self._edge = edge
        return out

    @staticmethod
    def _ramp(first: float, last: float) -> Block | np.float32:
        if first == last:
            return np.float32(first)
        return np.linspace(first, last, BLOCK, dtype=np.float32)[:, None]


def _needed(block: Block) -> float:
    """Gain that brings the block's loudest sample under the ceiling."""
    return min(1.0, CEILING / max(float(np.abs(block).max()), 1e-9))
