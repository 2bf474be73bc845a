"""The things we touch, each as narrow as the box needs it.

real/ and sim/ hold implementations of the same Protocols; only parts.py chooses between them.
The screen and the speaker are SDL's, whose drivers are that seam already (player/).
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Exposure(NamedTuple):
    """How a camera made a picture, as its driver tells it."""

    camera: str
    """Name and serial number."""
    time_s: float
    gain: float
    """In the camera's own steps."""


class Frame(NamedTuple):
    """One picture of the camera. Has no encoder: it cannot be put in a message."""

    bgr: NDArray[np.uint8]
    """Height by width by 3; valid until the next picture is taken."""
    t_s: float
    """Monotonic second at which it was taken."""
    number: int
    """Counts from 0 at the camera's start; a gap is a picture nobody waited for."""
    decode_s: float = 0.0
    """What making a picture of the camera's or the file's bytes took."""
    capture_s: float = 0.0
    """From that moment until its bytes were here: the sensor, the cable, the driver."""
    exposure: Exposure | None = None
    """Asked about once a second; None between, and where it is not told."""


class Camera(Protocol):
    """Where pictures come from."""

    def newest(self) -> Frame | None:
        """Wait for a picture newer than the last one given; None when a recording is over.

        Raise PartLost when the camera is gone, PartSlow when none comes in time.
        """
        ...

    def close(self) -> None:
        """Give the device back; may be called twice."""
        ...


class Crank(Protocol):
    """Counts pulses of the crank sensor."""

    def listen(self, pulse: Callable[[float], None]) -> None:
        """Call pulse with the monotonic second of each closing, from any thread."""
        ...

    def close(self) -> None:
        """Give the pin back; may be called twice."""
        ...
