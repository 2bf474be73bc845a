"""How this rider sits when all is well, learnt from the first steady seconds of the ride.

The median of many moments, so that a look aside or a sip while learning does not matter. Good
enough to judge by after 60 % of the time, refined until the whole of it, then kept; after that it
follows slowly, and only while nothing is wrong: a tired posture must not become the new normal.
The baselines of earlier rides are taken up again after a few seconds when camera and saddle are
where they were: the middle one of each measure, so that one ride that began with a fault does not
outvote the others. A rider who begins with a fault is judged against their own better days; and one
whose baseline was learnt with a fault gets a better one as soon as they sit better for a while.
"""

import math
from bisect import insort
from collections.abc import Iterable
from statistics import median
from typing import NamedTuple

from firmware_app.form.plausible import plausible
from firmware_app.form.window import Summary
from firmware_app.wire import View

USABLE = 0.6
"""Share of the learning time after which the baseline stands."""
FOLLOW_S = 120.0
"""Time constant with which a standing baseline follows a rider without fault."""
SETTLE_S = 1.0
"""While it is refined, the baseline is taken anew this often."""
KNOWN = 0.34
"""A measure seen in less of the moments than this is not part of the baseline."""

RECALL_S = 5.0
"""So much riding tells whether an earlier ride's baseline still fits."""
SAME_PLACE = 0.12
"""Hips this near to where they were, in shoulder widths (from the side trunk lengths), sit on the
same saddle before the same camera; good riding moves them by 0.05."""
SAME_SIZE = 0.2
"""Logarithm of how much larger or smaller the shoulders are; a lean makes it 0.15."""


class Baseline(NamedTuple):
    """The measures of a rider sitting well; see window.py for their names."""

    summary: Summary


class Learner:
    """Collects moments until the baseline stands, then keeps it."""

    def __init__(self, view: View, need_s: float, known: tuple[Baseline, ...] = ()) -> None:
        self._view: View = view
        self._need_s = need_s
        self._known = known
        self._learnt_s = 0.0
        self._settled_s = float("-inf")
        """How much was learnt when the medians were last taken."""
        self._moments = _Moments()
        self._summary: Summary = {}

    @property
    def learning(self) -> float | None:
        """Share of what is needed to judge; None when the baseline stands."""
        share = self._learnt_s / (self._need_s * USABLE)
        return None if share >= 1 else round(share, 3)

    @property
    def baseline(self) -> Baseline | None:
        """The baseline, once it stands."""
        return None if self.learning is not None else Baseline(self._summary)

    @property
    def settled(self) -> bool:
        """The baseline is learnt whole, and only follows."""
        return self._learnt_s >= self._need_s

    def learn(self, moment: Summary, lasted_s: float, times: float = 1.0) -> None:
        """Take in a moment of riding without fault; a standing baseline follows times as fast."""
        if self.settled:
            self._follow(moment, min(times * lasted_s / FOLLOW_S, 1.0))
            return
        self._learnt_s += lasted_s
        self._moments.add(moment)
        if self._known and self._learnt_s >= RECALL_S:
            self._recall(self._known)
            return
        learnt = self._learnt_s >= self._need_s
        if learnt or (self.learning is None and self._learnt_s >= self._settled_s + SETTLE_S):
            self._settle()
        if learnt:
            self._moments = _Moments()

    def _recall(self, known: tuple[Baseline, ...]) -> None:
        """Take up what earlier rides had in common if the rider sits where they were ridden."""
        self._known = ()
        now = self._moments.middle()
        fitting = [one.summary for one in known if same_seat(now, one.summary)]
        if fitting:
            self._summary = now | _Moments(fitting).middle()
            self._learnt_s = self._need_s
            self._moments = _Moments()

    def _settle(self) -> None:
        self._settled_s = self._learnt_s
        self._summary = plausible(self._view, self._summary | self._moments.middle())

    def _follow(self, moment: Summary, share: float) -> None:
        for name, value in self._summary.items():
            if name in moment:
                self._summary[name] = value + share * (moment[name] - value)


class _Moments:
    """Collects each measure in order of size: the middle is asked for again and again."""

    def __init__(self, moments: Iterable[Summary] = ()) -> None:
        self._count = 0
        self._seen: dict[str, list[float]] = {}
        for moment in moments:
            self.add(moment)

    def add(self, moment: Summary) -> None:
        """Take in one more."""
        self._count += 1
        for name, value in moment.items():
            insort(self._seen.setdefault(name, []), value)

    def middle(self) -> Summary:
        """Return the median of each measure that enough of the moments have."""
        enough = KNOWN * self._count
        return {name: median(seen) for name, seen in self._seen.items() if len(seen) >= enough}


def same_seat(now: Summary, then: Summary) -> bool:
    """Tell whether camera and saddle are where they were; False when the hips are not seen."""
    names = {"hip_x", "hip_y", "shoulder_span"}
    if not (now.keys() >= names and then.keys() >= names):
        return False
    gone = math.hypot(now["hip_x"] - then["hip_x"], now["hip_y"] - then["hip_y"])
    unit = then["shoulder_span"]
    return gone <= SAME_PLACE * unit and abs(math.log(now["shoulder_span"] / unit)) <= SAME_SIZE
