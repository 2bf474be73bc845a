"""The only file that asks the machine for the time.

Two clocks, never mixed:

* monotonic seconds measure. They start anywhere, never go back, and are the same in every
  process on this box, so a pose stamped by vision can be aged by the ride.
* wall time is for people. A Pi before the 5 has no battery clock: after a power cut it may be
  months wrong until NTP answers. It is stored, shown and exported; it decides nothing.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from; tests and replays bring their own."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary moment, never decreasing."""
        ...

    def wall(self) -> datetime:
        """Return the present in UTC, as well as this box knows it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let others run for this many seconds."""
        ...

    def block(self, seconds: float) -> None:
        """Hold this thread for this many seconds; for threads that own a device."""
        ...


class MachineClock:
    """The real one."""

    def monotonic(self) -> float:
        return time.monotonic()

    def wall(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def block(self, seconds: float) -> None:
        time.sleep(max(seconds, 0.0))


class HandClock:
    """A clock moved by hand: a 45-minute class takes as long as its arithmetic."""

    def __init__(self, wall: datetime = datetime(2026, 4, 17, 18, 0, tzinfo=UTC)) -> None:
        self._start = wall
        self._elapsed_s = 0.0

    def monotonic(self) -> float:
        return self._elapsed_s

    def wall(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def block(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move both clocks forward; raise ValueError for a step back, time has no reverse."""
        if seconds < 0:
            raise ValueError(f"time cannot go back {-seconds} s")
        self._elapsed_s += seconds
