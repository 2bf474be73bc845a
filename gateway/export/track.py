"""One ride second by second, at its true time, from what the ride told in its intervals."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from firmware_app.errors import BadInput
from firmware_app.summary import Summary, summarise
from firmware_app.wire import Interval, RideStarted, ToGateway

OVER_S = 30
"""The share of time in position is taken over this long, as a coach would look back."""


class Second(NamedTuple):
    """One second of riding."""

    at: datetime
    rpm: int | None
    """None: the sensor was silent."""
    in_position: float | None
    """Share of the watched seconds of the last thirty; None when none could be watched."""


class Track(NamedTuple):
    """One ride."""

    summary: Summary
    start: datetime
    end: datetime
    seconds: tuple[Second, ...]
    """Of riding, in order; a rest is a gap."""
    turns: float


def track_of(messages: Iterable[ToGateway]) -> Track:
    """Put a ride together; raise BadInput when its start or every second of it is missing.

    Seconds from before bikes told them are their interval's mean.
    """
    told = list(messages)
    summary = summarise(told)
    starts = [message for message in told if isinstance(message, RideStarted)]
    if summary is None or not starts:
        raise BadInput("this ride's start was never told; nothing can be made of it")
    first = min(starts, key=lambda start: start.t_s)
    start = datetime.fromisoformat(first.wall_utc)
    start = start if start.tzinfo else start.replace(tzinfo=UTC)
    intervals = {message.n: message for message in told if isinstance(message, Interval)}
    kept = [intervals[n] for n in sorted(intervals)]
    seen: dict[int, tuple[int | None, int | None]] = {}
    for interval in kept:
        offset_s = interval.from_s - first.t_s
        for n, (rpm, form) in enumerate(_each(interval)):
            if rpm is not None or form is not None:
                seen[round(offset_s + n)] = (rpm, form)
    if not seen:
        raise BadInput(f"{summary.ride}: nobody rode in it; there is nothing to export")
    seconds = tuple(
        Second(start + timedelta(seconds=n), seen[n][0], _share(seen, n)) for n in sorted(seen)
    )
    return Track(
        summary,
        start,
        seconds[-1].at + timedelta(seconds=1),
        seconds,
        sum(interval.turns for interval in kept),
    )


def _each(interval: Interval) -> list[tuple[int | None, int | None]]:
    if interval.rpm:
        form = interval.form + (None,) * (len(interval.rpm) - len(interval.form))
        return list(zip(interval.rpm, form, strict=False))
    mean = 60 * interval.turns / interval.pedalling_s if interval.pedalling_s > 0 else 0.0
    return [(round(mean), None)] * round(interval.riding_s)


def _share(seen: dict[int, tuple[int | None, int | None]], n: int) -> float | None:
    last = [seen[m][1] for m in range(n - OVER_S + 1, n + 1) if m in seen]
    watched = [form for form in last if form is not None]
    return sum(watched) / len(watched) if watched else None
