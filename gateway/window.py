"""Decides which records are sent when, until the studio has confirmed them all.

Pure: told what was sent, what was confirmed and what time it is. Like TCP: a window of records on
their way; when no confirmation comes in time, go back to the first that is not confirmed and try
with that one alone, later and later, until the studio answers.

One record may be the reason: too long for this broker, or something in it that it hangs up at.
After a few tries the record after it is sent ahead, alone. Once the studio has answered that one,
the first is tried again: when that fails time after time, the first is poison; it is named, and its
owner puts it aside.
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
PROOFS = 4
"""Rounds in which the studio answered the next one and not the first; in one it may be killed."""
LONGEST_S = 5.0
"""The most a gym waits for its records after the studio is back."""


class Window:
    """The records of one epoch on their way to the studio."""

    def __init__(self, spread: Callable[[], float], confirmed: int = 0) -> None:
        """Take spread: random, 0 to 1, so that a gym's boxes do not all try in one second."""
        self._spread = spread
        self._flying: deque[int] = deque()
        self.confirmed = confirmed
        """The studio has everything up to this seq."""
        self._tries = 0
        self._deadline_s: float | None = None
        self._scouting = False
        """The record after the first goes ahead: does the studio answer anything."""
        self._answered = False
        self._proofs = 0

    @property
    def room(self) -> int:
        """How many more records may be sent now."""
        return (SIZE if self._tries == 0 else 1) - len(self._flying)

    @property
    def poison(self) -> int | None:
        """The record that nothing gets past, by its seq."""
        return self.confirmed + 1 if self._proofs >= PROOFS else None

    @property
    def after(self) -> int:
        """Send the records that follow this seq."""
        return self._flying[-1] if self._flying else self.confirmed + self._scouting

    @property
    def unanswered(self) -> bool:
        """Has the studio let a whole waiting time pass."""
        return self._tries > 0

    def sent(self, seqs: Iterable[int], t_s: float) -> None:
        """Note what was given to the broker, in order; nothing: no record follows."""
        self._flying.extend(seqs)
        if not self._flying:
            self._scouting = False
        elif self._deadline_s is None:
            self._deadline_s = t_s + self._wait_s()

    def confirm(self, upto: int, t_s: float) -> bool:
        """Take in the studio's watermark; tell whether it is news."""
        if upto <= self.confirmed:
            if self._scouting and self._flying:
                self._scouting, self._answered = False, True
                self._land()
            return False
        self.confirmed = upto
        while self._flying and self._flying[0] <= upto:
            self._flying.popleft()
        self._tries = self._proofs = 0
        self._scouting = self._answered = False
        self._deadline_s = t_s + self._wait_s() if self._flying else None
        return True

    def go_back_if_late(self, t_s: float) -> bool:
        """Send again from the first unconfirmed record when its time is over; tell whether so."""
        if self._deadline_s is None or t_s < self._deadline_s:
            return False
        self._try_again()
        return True

    def hurry(self) -> None:
        """Wait for no answer any longer: somebody says that the studio is there."""
        if self._tries:
            self._land()

    def reconnected(self) -> None:
        """Count nothing as on its way any more; a connection that was cut under it was a try."""
        if self._flying:
            self._try_again()

    def _try_again(self) -> None:
        self._tries += 1
        if self._scouting:
            self._scouting, self._proofs = False, 0
        elif self._tries >= PATIENCE:
            self._proofs = self._proofs + 1 if self._answered else 0
            self._scouting = True
        self._answered = False
        self._land()

    def _land(self) -> None:
        self._flying.clear()
        self._deadline_s = None

    def _wait_s(self) -> float:
        longest_s: float = min(ANSWER_S * 2.0 ** min(self._tries, 10), LONGEST_S)
        return ANSWER_S + self._spread() * (longest_s - ANSWER_S)
