"""Decides which records are sent when, until the studio has confirmed them all.

Pure: told what was sent, what was confirmed and what time it is. Like TCP: a window of records on
their way; when no confirmation comes in time, go back to the first that is not confirmed and try
with that one alone, later and later, until the studio answers.

One record may be the reason: too long for this broker, or something in it that it hangs up at.
After a few tries the record after it goes ahead of it. When the studio answers that one and not the
first, again and again, the first is poison: it is named, and its owner puts it aside.
"""

from collections import deque
from collections.abc import Callable, Iterable

SIZE = 20
"""Records on their way at once; a larger window was slower on loopback (measured), and 20 records a
round trip is a hundred times what a bike tells."""
ANSWER_S = 1.0
"""A studio on the same network confirms in milliseconds."""
PATIENCE = 3
"""Tries with one record alone before the next one goes ahead of it."""
PROOFS = 3
"""Rounds in which the studio answered the next one alone; in one it may have been killed."""
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
        self._answered = False
        self._proofs = 0

    @property
    def room(self) -> int:
        """How many more records may be sent now."""
        most = SIZE if self._tries == 0 else 2 if self.probing else 1
        return most - len(self._flying)

    @property
    def probing(self) -> bool:
        """Send the later of two records first: does the studio answer it."""
        return self._tries >= PATIENCE

    @property
    def poison(self) -> int | None:
        """The record that nothing gets past, by its seq."""
        return self.confirmed + 1 if self._proofs >= PROOFS else None

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
            self._answered = self.probing and len(self._flying) == 2
            return False
        self.confirmed = upto
        while self._flying and self._flying[0] <= upto:
            self._flying.popleft()
        self._tries = self._proofs = 0
        self._answered = False
        self._deadline_s = t_s + self._wait_s() if self._flying else None
        return True

    def go_back_if_late(self, t_s: float) -> bool:
        """Send again from the first unconfirmed record when its time is over; tell whether so."""
        if self._deadline_s is None or t_s < self._deadline_s:
            return False
        self._try_again()
        return True

    def reconnected(self) -> None:
        """Count nothing as on its way any more; a connection that was cut under it was a try."""
        if self._flying:
            self._try_again()

    def _try_again(self) -> None:
        if self.probing:
            self._proofs = self._proofs + 1 if self._answered else 0
        self._tries += 1
        self._answered = False
        self._flying.clear()
        self._deadline_s = None

    def _wait_s(self) -> float:
        longest_s: float = min(ANSWER_S * 2.0 ** min(self._tries, 10), LONGEST_S)
        return ANSWER_S + self._spread() * (longest_s - ANSWER_S)
