"""What a box tells Prometheus, in its text format."""

from collections.abc import Iterable
from datetime import datetime
from itertools import accumulate

from firmware_app.wire import STAGE_BOUNDS_S, CameraState
from gateway.web.console import Health


def metrics(health: Health) -> str:
    """Return the box's health as Prometheus reads it; of vision only while it is there."""
    lines = [
        *_one(
            "outbox_rows", "gauge", "Records that the studio has not confirmed.", health.unsynced
        ),
        *_one(
            "outbox_oldest_age_seconds",
            "gauge",
            "Waiting time of the oldest of them.",
            round(health.oldest_age_s),
        ),
        *_one(
            "last_confirmed_timestamp_seconds",
            "gauge",
            "When the studio last confirmed anything, in seconds since 1970; 0: never.",
            _seconds(health.last_confirmed_utc),
        ),
        *_one(
            "unreadable_lines_total",
            "counter",
            "Lines of the ride that could not be read.",
            health.unreadable,
        ),
        *_one(
            "given_up_records_total",
            "counter",
            "Records given up for want of room.",
            health.given_up,
        ),
        *_one(
            "messages_dropped_total",
            "counter",
            "Messages of the broker that could not be read.",
            health.messages_dropped,
        ),
        *_head("part_ok", "gauge", "Is the part well."),
        *(
            f'bikebox_part_ok{{part="{part}"}} {int(words == "ok")}'
            for part, words in health.parts.items()
        ),
    ]
    if health.vision is not None:
        lines += _of_vision(health.vision)
    return "\n".join(lines) + "\n"


def _seconds(utc: str | None) -> int:
    try:
        return round(datetime.fromisoformat(utc or "").timestamp())
    except ValueError:
        return 0


def _of_vision(vision: CameraState) -> Iterable[str]:
    yield from _one("poses_per_second", "gauge", "Poses told a second, lately.", vision.fps)
    yield from _one(
        "pose_delay_p95_seconds",
        "gauge",
        "From picture to told, 95 of 100 stay below, lately.",
        vision.p95_ms / 1000,
    )
    yield from _one(
        "frames_skipped_total", "counter", "Pictures overtaken by a newer one.", vision.skipped
    )
    yield from _one("poses_late_total", "counter", "Poses too late to be told.", vision.late)
    if vision.snr_db is not None:
        yield from _one("picture_snr_db", "gauge", "Contrast over noise.", vision.snr_db)
    if vision.lux is not None:
        yield from _one("light_lux", "gauge", "At the seat, by the calibrated camera.", vision.lux)
    yield from _head("pose_model", "gauge", "The pose model in use.")
    yield f'bikebox_pose_model{{model="{vision.model}"}} 1'
    name = "pose_stage_seconds"
    yield from _head(name, "histogram", "What each stage from picture to told takes.")
    for stage, counts in vision.stages_histogram.items():
        for bound, count in zip((*STAGE_BOUNDS_S, "+Inf"), accumulate(counts), strict=True):
            yield f'bikebox_{name}_bucket{{stage="{stage}",le="{bound}"}} {count}'
        yield f'bikebox_{name}_sum{{stage="{stage}"}} {vision.stages_total_s.get(stage, 0.0)}'
        yield f'bikebox_{name}_count{{stage="{stage}"}} {sum(counts)}'


def _one(name: str, kind: str, words: str, value: float) -> Iterable[str]:
    yield from _head(name, kind, words)
    yield f"bikebox_{name} {value}"


def _head(name: str, kind: str, words: str) -> Iterable[str]:
    yield f"# HELP bikebox_{name} {words}"
    yield f"# TYPE bikebox_{name} {kind}"
