"""What a ride adds up to: thirty-second intervals for the journal, the whole for the last screen.

Time since the last sign of riding is pending: part of the ride if another sign comes, a rest if
none does.
"""

from msgspec import structs

from firmware_app.form.state import FormState
from firmware_app.ride.timeline import Timeline
from firmware_app.ride.totals import LONGEST_TICK_S, Totals
from firmware_app.ride.trace import Trace
from firmware_app.sensors.cadence import Cadence
from firmware_app.wire import Debrief, Interval, RideId


class Account:
    """The books of one ride, kept tick by tick."""

    def __init__(self, t_s: float, cadence: Cadence) -> None:
        self._cadence = cadence
        self.whole = Totals(t_s)
        self._interval = Totals(t_s)
        self._pending = Totals(t_s)
        self._timeline = Timeline(t_s)
        self._trace = Trace(t_s)
        self._faults: frozenset[str] = frozenset()
        self.intervals = 0
        """How many have been closed."""
        self._told_turns = 0.0
        self._told_turning_s = 0.0

    @property
    def riding_s(self) -> float:
        """Riding time so far, what is pending included."""
        return self.whole.riding_s + self._pending.riding_s

    def begin(self, riding_s: float) -> None:
        """Take in the turns that began the ride, before there was anything to judge."""
        self._pending.riding_s += riding_s

    def add(self, t_s: float, dt_s: float, rpm: float | None, form: FormState) -> None:
        """Take in one tick of riding; a gap is a box that slept, not a rider who rode."""
        self._faults = self._pending.add(form, min(dt_s, LONGEST_TICK_S), self._faults)
        self._timeline.add(t_s, form)
        self._trace.add(t_s, rpm, form)

    def keep(self, t_s: float) -> None:
        """Count what was pending: a sign of riding came."""
        self._interval.absorb(self._pending)
        self.whole.absorb(self._pending)
        self._pending = Totals(t_s)

    def drop(self, t_s: float) -> None:
        """Forget what was pending: it was a rest."""
        self._trace.cut(self._pending.from_s)
        self._pending = Totals(t_s)
        self._faults = frozenset()

    def due(self, t_s: float, interval_s: float) -> bool:
        """Tell whether the interval is full."""
        return t_s - self._interval.from_s >= interval_s

    def close(self, ride: RideId, t_s: float) -> Interval | None:
        """Close the interval; None when nobody rode in it."""
        gathered, self._interval = self._interval, Totals(t_s)
        trace, self._trace = self._trace, Trace(t_s)
        turns = self._cadence.turns - self._told_turns
        if gathered.riding_s == 0 and turns == 0:
            return None
        told = gathered.interval(
            ride, self.intervals, t_s, turns, self._cadence.turning_s - self._told_turning_s
        )
        told = structs.replace(told, rpm=tuple(trace.rpm), form=tuple(trace.form))
        self.intervals += 1
        self._told_turns = self._cadence.turns
        self._told_turning_s = self._cadence.turning_s
        return told

    def debrief(self, t_s: float, rider: str, strength: str, next_thing: str) -> Debrief:
        """Return the ride's last screen."""
        whole, turning_s = self.whole, self._cadence.turning_s
        in_position = whole.in_position_s / whole.watched_s if whole.watched_s else None
        mean_rpm = 60 * self._cadence.turns / turning_s if turning_s else None
        return Debrief(
            t_s=t_s,
            rider=rider,
            duration_s=round(whole.riding_s, 1),
            cadence_mean_rpm=None if mean_rpm is None else round(mean_rpm, 1),
            in_position_share=None if in_position is None else round(in_position, 3),
            strength=strength,
            next_thing=next_thing,
            timeline=self._timeline.slices(),
        )
