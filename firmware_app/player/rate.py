"""How often a second something happens: class pictures, drawn screens."""

from collections import deque


class Rate:
    """How often something happened in the last second."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=240)

    def count(self, now_s: float) -> None:
        """Note that it happened."""
        self._times.append(now_s)

    def at(self, now_s: float) -> float:
        """Return the times in the last second."""
        return float(sum(1 for t in tuple(self._times) if now_s - t <= 1.0))
