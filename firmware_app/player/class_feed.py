"""The class as the screen and the mixer want it: the newest picture and the next samples of sound.

Connects by WHEP, watches that pictures keep coming, and starts anew when they do not.
"""

import av
import numpy as np
from numpy.typing import NDArray

from firmware_app.clock import Clock


class ClassFeed:
    """One class, from its WHEP address to decoded pictures and sound."""

    def __init__(self, url: str, token: str, clock: Clock, *, ca_file: str = "") -> None:
        self._url = url
        self._token = token
        self._clock = clock
        self._ca_file = ca_file
        self._state: tuple[str, str] = ("off", "")
        self.pictures = 0
        """Decoded since the start."""

    async def run(self) -> None:
        """Connect, play, watch and reconnect for ever; cancel it to leave the class."""

    def newest(self) -> av.VideoFrame | None:
        """Return the newest decoded picture (yuv420p, any size), or None before the first."""
        return None

    def pull(self, samples: int) -> NDArray[np.float32]:
        """Take the next samples, (samples, 2) at 48 kHz in -1..1; silence where there is none."""
        return np.zeros((samples, 2), np.float32)

    @property
    def state(self) -> tuple[str, str]:
        """How it goes: a wire.PlayerState.class_state, and why in a few words."""
        return self._state
