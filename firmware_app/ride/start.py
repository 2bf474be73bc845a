"""When does a ride begin? When somebody turns the crank a few times without a rest."""

from collections import deque

REST_S = 3.0
"""Three seconds without a pulse: whatever turned before was not the begin of this ride."""


class Start:
    """Watches the pulses while nobody rides."""

    def __init__(self, turns: int, pulses_per_turn: int = 1) -> None:
        self._pulses_s: deque[float] = deque(maxlen=turns * pulses_per_turn + 1)

    def pulse(self, t_s: float) -> tuple[float, ...]:
        """Take in one closing; return the pulses a ride begins with, or nothing yet."""
        if self._pulses_s and t_s - self._pulses_s[-1] > REST_S:
            self._pulses_s.clear()
        self._pulses_s.append(t_s)
        if len(self._pulses_s) == self._pulses_s.maxlen:
            return tuple(self._pulses_s)
        return ()
