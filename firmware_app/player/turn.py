"""Whose turn it is to be heard: one cue at a time, fresh or not at all.

The network's thread offers a cue, the speaker's thread takes it block by block. Exactly one outcome
is told for every cue that was offered.
"""

import threading
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from firmware_app.wire import CueOutcome, Say

GAP_WITHIN_S = 6.0
"""A gap in the instructor's voice that comes within this is waited for."""
LAST_S = 0.1
"""No gap came: this long before a cue is too late it is said all the same."""

Outcome = Literal["spoken", "shown", "dropped"]


class Turn:
    """Holds the cue that is being heard and the one that waits."""

    def __init__(self, tell: Callable[[CueOutcome], None]) -> None:
        """Tell is called with each cue's outcome, from whichever thread learns it."""
        self._tell = tell
        self._lock = threading.Lock()
        self._waiting: tuple[Say, NDArray[np.float32]] | None = None
        self._heard: NDArray[np.float32] | None = None
        self._at = 0
        self._offered_s = 0.0

    def offer(self, say: Say, clip: NDArray[np.float32], now_s: float) -> None:
        """Let a cue be the next to be heard; one that waited and has not begun is dropped."""
        with self._lock:
            replaced, self._waiting = self._waiting, (say, clip)
            self._offered_s = now_s
        if replaced is not None:
            self._end(replaced[0], "dropped", "a newer cue came first", now_s)

    def take(
        self, samples: int, at_s: float, talking: Callable[[], bool] = lambda: False
    ) -> NDArray[np.float32] | None:
        """Return the next samples of the cue, heard from at_s on; None when nobody speaks.

        While the instructor is talking a cue waits for a gap, as long as it may be said at all.
        """
        with self._lock:
            begun = late = None
            waits = False
            if self._waiting is not None:
                last_s = min(self._waiting[0].until_s - LAST_S, self._offered_s + GAP_WITHIN_S)
                waits = at_s < last_s and talking()
            if self._heard is None and self._waiting is not None and not waits:
                (say, clip), self._waiting = self._waiting, None
                if at_s > say.until_s:
                    late = say
                else:
                    begun, self._heard, self._at = say, clip, 0
            block = self._next(samples)
        if begun is not None:
            self._end(begun, "spoken", "", at_s)
        if late is not None:
            self._end(late, "shown", f"{at_s - late.until_s:.1f} s too late to be said", at_s)
        return block

    def silence(self, why: str, at_s: float) -> None:
        """Nothing can be heard: end the cue that is being heard, only show the one that waits."""
        with self._lock:
            (waiting, self._waiting), self._heard = (self._waiting, None), None
        if waiting is not None:
            self._end(waiting[0], "shown", why, at_s)

    def _next(self, samples: int) -> NDArray[np.float32] | None:
        if self._heard is None:
            return None
        part = self._heard[self._at : self._at + samples]
        self._at += samples
        if self._at >= len(self._heard):
            self._heard = None
        if len(part) == samples:
            return part
        whole = np.zeros(samples, np.float32)
        whole[: len(part)] = part
        return whole

    def _end(self, say: Say, outcome: Outcome, why: str, at_s: float) -> None:
        self._tell(CueOutcome(t_s=at_s, cue=say.cue, outcome=outcome, why=why))
