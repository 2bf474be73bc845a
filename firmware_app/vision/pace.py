"""How fast poses come and how late they are: figures of the last seconds and since the start."""

from bisect import bisect_left
from collections import defaultdict, deque
from dataclasses import dataclass
from statistics import median

from firmware_app.wire import STAGE_BOUNDS_S

OVER_S = 3.0
"""Figures of the last seconds are of this long a time."""
INTERVALS = 15
"""Frame intervals whose median is the camera's; it slows down in the dark by itself."""
LATE_INTERVALS = 2
"""A pose older than this many frame intervals is of no use to the coach."""


@dataclass(frozen=True)
class Told:
    """One pose that was told."""

    at_s: float
    delay_s: float
    stages_s: dict[str, float]


class Pace:
    """The pace of one camera."""

    def __init__(self) -> None:
        self.skipped = 0
        self._frames = 0
        self.late = 0
        self._last: tuple[int, float] | None = None
        self._intervals_s: deque[float] = deque(maxlen=INTERVALS)
        self._told: deque[Told] = deque()
        self.histogram: dict[str, list[int]] = defaultdict(lambda: [0] * (len(STAGE_BOUNDS_S) + 1))
        """Poses since the start by what each stage took, as CameraState tells them."""
        self.total_s: dict[str, float] = defaultdict(float)
        """What each stage took since the start."""
        self._late_at_s = float("-inf")

    def restart(self) -> None:
        """Begin anew: the camera was opened again and counts from 0."""
        self._last = None
        self._intervals_s.clear()

    def frame(self, number: int, t_s: float) -> None:
        """Take in that a frame came."""
        self._frames += 1
        if self._last is not None:
            last, last_s = self._last
            self._frames += number - last - 1
            self.skipped += number - last - 1
            self._intervals_s.append((t_s - last_s) / (number - last))
        self._last = number, t_s

    def is_late(self, age_s: float, now_s: float) -> bool:
        """Tell whether a pose of that age is too late to be told, and count it."""
        late = bool(self._intervals_s) and age_s > LATE_INTERVALS * self.interval_s
        if late:
            self.late += 1
            self._late_at_s = now_s
        return late

    def told(self, told: Told) -> None:
        """Take in that a pose was told."""
        self._told.append(told)
        for name, took_s in told.stages_s.items():
            self.histogram[name][bisect_left(STAGE_BOUNDS_S, took_s)] += 1
            self.total_s[name] += took_s
        while told.at_s - self._told[0].at_s > OVER_S:
            self._told.popleft()

    def too_slow(self, now_s: float) -> bool:
        """Tell whether frames come but every pose is too late."""
        return now_s - self._late_at_s < OVER_S and not self._recent(now_s)

    def fps(self, now_s: float) -> float:
        """Return poses a second."""
        recent = self._recent(now_s)
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(recent[-1].at_s - recent[0].at_s, 1e-6)

    def p95_s(self, now_s: float) -> float:
        """Return the delay from capture to told that 95 of 100 poses stay below."""
        delays_s = sorted(told.delay_s for told in self._recent(now_s))
        return delays_s[int(0.95 * (len(delays_s) - 1))] if delays_s else 0.0

    def stages_s(self, now_s: float) -> dict[str, float]:
        """Return the mean of each stage."""
        recent = self._recent(now_s)
        names = recent[-1].stages_s if recent else {}
        return {name: sum(told.stages_s[name] for told in recent) / len(recent) for name in names}

    def look_s(self, now_s: float) -> float:
        """Return the mean of the looks at a rider, without the frames that needed none."""
        looks_s = [told.stages_s["landmark"] for told in self._recent(now_s)]
        looks_s = [took_s for took_s in looks_s if took_s > 0]
        return sum(looks_s) / len(looks_s) if looks_s else 0.0

    @property
    def interval_s(self) -> float:
        """The camera's usual time between two frames; 0 before the second."""
        return median(self._intervals_s) if self._intervals_s else 0.0

    @property
    def frames(self) -> int:
        """Frames of the camera so far, waited for or not."""
        return self._frames

    def _recent(self, now_s: float) -> list[Told]:
        return [told for told in self._told if now_s - told.at_s <= OVER_S]
