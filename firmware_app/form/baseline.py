"""How this rider sits when all is well, learnt from the first steady seconds of the ride.

The median of many moments, so that a look aside or a sip while learning does not matter. Good
enough to judge by after 60 % of the time, refined until the whole of it, then kept; after that it
follows slowly, and only while nothing is wrong: a tired posture must not become the new normal.
"""

import statistics
from typing import NamedTuple

from firmware_app.form.window import Summary

USABLE = 0.6
"""Share of the learning time after which the baseline stands."""
FOLLOW_S = 120.0
"""Time constant with which a standing baseline follows a rider without fault."""
KNOWN = 0.34
"""A measure seen in less of the moments than this is not part of the baseline."""


class Baseline(NamedTuple):
    """The measures of a rider sitting well; see window.py for their names."""

    summary: Summary


class Learner:
    """Collects moments until the baseline stands, then keeps it."""

    def __init__(self, need_s: float, known: Baseline | None = None) -> None:
        self._need_s = need_s
        self._learnt_s = need_s if known else 0.0
        self._moments: list[Summary] = []
        self._summary: Summary = dict(known.summary) if known else {}

    @property
    def learning(self) -> float | None:
        """Share of what is needed to judge; None when the baseline stands."""
        share = self._learnt_s / (self._need_s * USABLE)
        return None if share >= 1 else round(share, 3)

    @property
    def baseline(self) -> Baseline | None:
        """The baseline, once it stands."""
        return None if self.learning is not None else Baseline(self._summary)

    def learn(self, moment: Summary, lasted_s: float) -> None:
        """Take in a moment of riding without fault."""
        if self._learnt_s >= self._need_s:
            self._follow(moment, lasted_s / FOLLOW_S)
            return
        self._learnt_s += lasted_s
        self._moments.append(moment)
        if self.learning is None:
            self._settle()
        if self._learnt_s >= self._need_s:
            self._moments.clear()

    def _settle(self) -> None:
        names = {name for moment in self._moments for name in moment}
        for name in names:
            seen = [moment[name] for moment in self._moments if name in moment]
            if len(seen) >= KNOWN * len(self._moments):
                self._summary[name] = statistics.median(seen)

    def _follow(self, moment: Summary, share: float) -> None:
        for name, value in self._summary.items():
            if name in moment:
                self._summary[name] = value + share * (moment[name] - value)
