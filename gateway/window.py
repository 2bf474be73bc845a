"""Decides which records are sent when, until the studio has confirmed them all.

Pure: told what was sent, what was confirmed and what time it is. Like TCP: a window of records on
their way; when no confirmation comes in time, go back to the first that is not confirmed and try
with that one alone, later and later, until the studio answers.
"""

from collections import deque
from collections.abc import Callable, Iterable

SIZE = 20
"""Records on their way at once; a larger window was slower on loopback (measured), and 20 records a
round trip is a hundred times what a bike tells."""
ANSWER_S = 1.0
"""A studio on the same network confirms in milliseconds."""
LONGEST_S = 5.0
"""The most a gym waits for its records after the studio is back."""


class Window:
    """The records of one epoch on their way to the studio."""

    def __init__(self, spread: Callable[[], float]) -> None:
        """Take spread: random, 0 to 1, so that a gym's boxes do not all try in one second."""
        self._spread = spread
        self._flying: deque[int] = deque()
        self.confirmed = 0
        """The studio has everything up to this seq."""
        self._tries = 0
        self._deadline_s: float | None = None

    @property
    def room(self) -> int:
        """How many more records may be sent now."""
        return (1 if self._tries else SIZE) - len(self._flying)

    @property
    def after(self) -> int:
        """Send the records that follow this seq."""
        return self._flying[-1] if self._flying else self.confirmed

    @property
    def unanswered(self) -> bool:
        """Has the studio let a whole waiting time pass."""
        return self._tries > 0

    def sent(self, seqs: Iterable[int], t_s: float) -> None:
        """Note what was given to the broker, in order."""
        self._flying.extend(seqs)
        if self._flying and self._deadline_s is None:
            self._deadline_s = t_s + self._wait_s()

    def confirm(self, upto: int, t_s: float) -> bool:
        """Take in the studio's watermark; tell whether it is news."""
        if upto <= self.confirmed:
            return False
        self.confirmed = upto
        while self._flying and self._flying[0] <= upto:
            self._flying.popleft()
        self._tries = 0
        self._deadline_s = t_s + self._wait_s() if self._flying else None
        return True

    def go_back_if_late(self, t_s: float) -> bool:
        """Send again from the first unconfirmed record when its time is over; tell whether so."""
        if self._deadline_s is None or t_s < self._deadline_s:
            return False
        self._tries += 1
        self.reconnected()
        return True

    def reconnected(self) -> None:
        """Count nothing as on its way any more."""
        self._flying.clear()
        self._deadline_s = None

    def _wait_s(self) -> float:
        longest_s: float = min(ANSWER_S * 2.0 ** min(self._tries, 10), LONGEST_S)
        return ANSWER_S + self._spread() * (longest_s - ANSWER_S)
