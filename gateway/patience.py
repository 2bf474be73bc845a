"""How often somebody may try a secret: a few times each, and all together not for ever.

Pure; the caller brings the time. One source that keeps trying waits ever longer; when the wrong
tries of all sources together are too many, nobody may try for a quarter of an hour.
"""

from collections import OrderedDict
from typing import NamedTuple

FREE_TRIES = 3
"""A person mistypes twice."""
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 900.0
LOCKED_AFTER = 20
"""Six digits hold out for 260 days on average at twenty tries a quarter of an hour."""
NOT_LOCKED = 1 << 62
"""For secrets that nobody can guess: a stranger's tries must not keep others waiting."""
LOCKED_S = 900.0
MOST_SOURCES = 1024
"""Who is remembered; beyond, the one that has been silent longest is forgotten."""


class _Tries(NamedTuple):
    wrong: int
    free_s: float
    """When the next try may come."""


class Patience:
    """Remembers wrong tries."""

    def __init__(self, locked_after: int = LOCKED_AFTER) -> None:
        self._sources: OrderedDict[str, _Tries] = OrderedDict()
        self._locked_after = locked_after
        self._wrong = 0
        self._since_s = 0.0
        self._locked_s = 0.0

    def wait_s(self, source: str, now_s: float) -> float:
        """Return how long this source must wait before it may try; 0: now."""
        tries = self._sources.get(source)
        free_s = max(self._locked_s, tries.free_s if tries else 0.0)
        return max(free_s - now_s, 0.0)

    def wrong(self, source: str, now_s: float) -> bool:
        """Take in a wrong try; tell whether it was the one that locks everybody out."""
        before = self._sources.pop(source, _Tries(0, 0.0))
        wrong = before.wrong + 1
        doubled = min(max(wrong - FREE_TRIES, 0), 16)
        wait_s = min(FIRST_WAIT_S * 2**doubled, LONGEST_WAIT_S) if wrong >= FREE_TRIES else 0.0
        self._sources[source] = _Tries(wrong, now_s + wait_s)
        if len(self._sources) > MOST_SOURCES:
            self._sources.popitem(last=False)
        if now_s - self._since_s > LOCKED_S:
            self._wrong, self._since_s = 0, now_s
        self._wrong += 1
        if self._wrong < self._locked_after:
            return False
        self._wrong, self._locked_s = 0, now_s + LOCKED_S
        return True

    def right(self, source: str) -> None:
        """Take in a right try: this source is known again; what others did still counts."""
        self._sources.pop(source, None)
