"""Hears whether the instructor is talking: the coach speaks in the gaps.

Speech comes and goes: its level in the band of the voice rises well above what lies under it and
falls back at every pause. Music that goes on at one level is no reason to wait. Pure arithmetic on
blocks of 20 ms.
"""

from collections import deque

import numpy as np

from firmware_app.player.mixer import SOUND_HZ, Block

BAND_HZ = (300.0, 3400.0)
"""Where a voice carries its words (ITU-T G.712's telephone band)."""
SMOOTH = 16
"""Blocks in one level, 320 ms: neither the stops within a word nor single beats count."""
MEMORY = 300
"""Blocks looked back at, 6 s: a sentence and the pauses around it."""
LOWEST = 0.2
"""The level under the voice: reached a fifth of the time."""
OVER_DB = 10.0
"""An instructor stands at least this far above the music turned down under the voice."""
SILENT_DB = -55.0


class Talking:
    """Follows the class's sound."""

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=SMOOTH)
        self._levels_db: deque[float] = deque(maxlen=MEMORY)

    def hear(self, block: Block) -> None:
        """Take the next 20 ms of the class."""
        low, high = (int(hz * len(block) / SOUND_HZ) for hz in BAND_HZ)
        band = np.fft.rfft(block[:, 0] + block[:, 1])[low:high]
        self._powers.append(float(np.vdot(band, band).real) / (2 * len(block)) ** 2)
        power = sum(self._powers) / len(self._powers)
        self._levels_db.append(max(10 * float(np.log10(power + 1e-12)), SILENT_DB))

    def now(self) -> bool:
        """Tell whether somebody talks just now."""
        if len(self._levels_db) < MEMORY // 2:
            return False  # nobody knows yet what lies under the voice
        floor_db = sorted(self._levels_db)[int(len(self._levels_db) * LOWEST)]
        return self._levels_db[-1] > floor_db + OVER_DB
