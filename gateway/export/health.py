"""A ride as a phone's health record wants it: a workout with its times and what was measured in it.

The fields are those that HealthKit's HKWorkout and Health Connect's ExerciseSession have in
common, so that an app on the rider's phone can take the file over. Neither can be reached from a
box: both live on the phone.
"""

from datetime import datetime

from msgspec import Struct

from firmware_app.wire import Share
from gateway.export.track import Track


class Sample(Struct, frozen=True):
    """One measured value and when it was."""

    at: str
    """UTC, ISO 8601."""
    rpm: int


class Health(Struct, frozen=True, kw_only=True):
    """One workout."""

    schema: str = "bikebox.health.1"
    activity: str = "cycling"
    indoor: bool = True
    start: str
    """UTC, ISO 8601."""
    end: str
    duration_s: float
    """Without the rests."""
    title: str
    """The class."""
    cadence_mean_rpm: float | None
    crank_turns: int
    cadence: tuple[Sample, ...]
    in_position_share: Share | None
    """Share of the watched time with no fault of posture; of no use to a health service."""


def health_of(track: Track) -> Health:
    """Return the workout."""
    return Health(
        start=_text(track.start),
        end=_text(track.end),
        duration_s=track.summary.duration_s,
        title=track.summary.class_id,
        cadence_mean_rpm=track.summary.cadence_mean_rpm,
        crank_turns=round(track.turns),
        cadence=tuple(
            Sample(_text(second.at), second.rpm)
            for second in track.seconds
            if second.rpm is not None
        ),
        in_position_share=track.summary.in_position_share,
    )


def _text(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
