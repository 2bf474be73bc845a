"""A crank that turns by itself: drives a pin of gpiozero's own mock, read by the real code.

Plays the moments at which a recorded rider's sensor closed, or turns steadily.
"""

import gzip
import itertools
import json
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from gpiozero.pins.mock import MockFactory

from firmware_app.clock import Clock
from firmware_app.errors import BadInput
from firmware_app.real.crank import GpioCrank

CLOSED_S = 0.012
"""How long a magnet holds the contact closed at 120 rpm."""
GPIO = 17


def read_pulses(path: Path) -> tuple[float, ...]:
    """Return crank_pulses_s of a label file (.json or .json.gz), seconds from its start.

    Raise BadInput when there is no such file or no such list in it.
    """
    try:
        raw = path.read_bytes()
        label = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
        pulses = [float(t_s) for t_s in label["crank_pulses_s"]]
    except OSError as error:
        raise BadInput(
            f"{path}: {error.strerror or error}; name a label with crank pulses"
        ) from error
    except (ValueError, TypeError, KeyError, EOFError, zlib.error) as error:
        raise BadInput(
            f"{path}: no list crank_pulses_s in it ({type(error).__name__}: {error});"
            " it must be JSON, gzipped or not"
        ) from error
    return tuple(sorted(pulses))


def steady(rpm: float) -> Iterator[float]:
    """Yield the seconds at which a crank closes that turns at rpm for ever."""
    return (n * 60 / rpm for n in itertools.count(1))


class SimCrank:
    """Closes the contact at given seconds after start_at_s; those already past are skipped."""

    def __init__(self, pulses_s: Iterator[float], start_at_s: float, clock: Clock) -> None:
        self._pulses_s = pulses_s
        self._start_at_s = start_at_s
        self._clock = clock
        self._factory = MockFactory()
        self._pin = self._factory.pin(GPIO)
        self._crank = GpioCrank(GPIO, self._factory)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._turn, name="crank", daemon=True)

    def listen(self, pulse: Callable[[float], None]) -> None:
        """Begin to turn; pulse is called with the monotonic second of each closing."""
        self._crank.listen(pulse)
        self._thread.start()

    def close(self) -> None:
        """Stop turning; may be called twice."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=1)
        self._crank.close()

    def _turn(self) -> None:
        for pulse_s in self._pulses_s:
            wait_s = self._start_at_s + pulse_s - self._clock.monotonic()
            if wait_s < 0:
                continue
            if self._over.wait(wait_s):
                return
            self._pin.drive_low()
            if self._over.wait(CLOSED_S):
                return
            self._pin.drive_high()
