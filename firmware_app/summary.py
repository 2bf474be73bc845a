"""From what a ride told to the one record that is kept of it.

Pure: the same messages give the same summary, whatever their order and however often they came.
The gateway sends it to the studio; `bikebox replay` makes it from a journal.
"""

from collections.abc import Iterable

from msgspec import Struct

from firmware_app.wire import (
    CueGiven,
    Interval,
    Message,
    RideEnded,
    RideId,
    RideStarted,
    Share,
    ToGateway,
    encode,
)


class FaultTotal(Struct, frozen=True, kw_only=True):
    """How long one fault stood in a ride, and in how many pieces."""

    rule: str
    total_s: float
    episodes: int


class CueTold(Struct, frozen=True, kw_only=True):
    """One sentence of the coach."""

    t_s: float
    """Seconds into the ride."""
    rule: str
    words: str
    kind: str
    outcome: str
    """spoken or shown."""


class Summary(Struct, frozen=True, kw_only=True, rename={"class_id": "class"}):
    """One ride in one record: what the studio stores and the rider gets to see."""

    schema: str = "bikebox.summary.1"
    ride: str
    box: str
    rider: str
    """Name as the rider gave it, or empty."""
    rider_pseudonym: str
    class_id: str
    """"class" in JSON."""
    started_utc: str
    duration_s: float
    """Riding time without the pauses."""
    cadence_mean_rpm: float | None
    """Turns over the time pedalled; None when the cranks never turned."""
    faults: tuple[FaultTotal, ...]
    """Longest first."""
    unseen: dict[str, Share | None]
    """Rule to the share of the riding time in which it could not be judged; None of no time."""
    cues: tuple[CueTold, ...]
    """Corrections that reached the rider, spoken or shown."""
    in_position_share: Share | None
    """Share of the watched time with no fault standing; None when nobody could be watched."""
    strength: str
    next_thing: str
    praise: tuple[CueTold, ...] = ()
    """What was said or shown when a cued fault was put right."""
    complete: bool
    """False when the end was never told: power cut, crash, still riding."""


def summarise(messages: Iterable[ToGateway]) -> Summary | None:
    """Add up the messages of one ride; None when its start is not among them."""
    starts: list[RideStarted] = []
    ends: list[RideEnded] = []
    intervals: dict[int, Interval] = {}
    cues: dict[int, CueGiven] = {}
    for message in messages:
        match message:
            case RideStarted():
                starts.append(message)
            case RideEnded():
                ends.append(message)
            case Interval():
                intervals[message.n] = min(intervals.get(message.n, message), message, key=_first)
            case CueGiven():
                cues[message.cue] = min(cues.get(message.cue, message), message, key=_first)
    if not starts:
        return None
    start = min(starts, key=_first)
    end = max(ends, key=_first, default=None)
    kept = [intervals[n] for n in sorted(intervals)]
    riding_s = sum(interval.riding_s for interval in kept)
    pedalling_s = sum(interval.pedalling_s for interval in kept)
    turns = sum(interval.turns for interval in kept)
    reached = [
        CueTold(t_s=cue.ride_s, rule=cue.rule, words=cue.words, kind=cue.kind, outcome=cue.outcome)
        for _number, cue in sorted(cues.items())
        if cue.outcome != "dropped"
    ]
    return Summary(
        ride=start.ride,
        box=start.box,
        rider=start.rider,
        rider_pseudonym=start.rider_pseudonym,
        class_id=start.class_id,
        started_utc=start.wall_utc,
        duration_s=round(riding_s, 1),
        cadence_mean_rpm=round(60 * turns / pedalling_s, 1) if pedalling_s > 0 else None,
        faults=_faults(kept),
        unseen={
            rule: _share(unseen_s, riding_s)
            for rule, unseen_s in sorted(_add([interval.unseen_s for interval in kept]).items())
        },
        cues=tuple(cue for cue in reached if cue.kind != "praise"),
        praise=tuple(cue for cue in reached if cue.kind == "praise"),
        in_position_share=_share(
            sum(interval.in_position_s for interval in kept),
            sum(interval.watched_s for interval in kept),
        ),
        strength=end.strength if end else "",
        next_thing=end.next_thing if end else "",
        complete=end is not None,
    )


def summaries(messages: Iterable[ToGateway]) -> list[Summary]:
    """Add up each ride of a journal, by name; one whose start was never told is left out."""
    rides: dict[RideId, list[ToGateway]] = {}
    for message in messages:
        if isinstance(message, RideStarted | Interval | CueGiven | RideEnded):
            rides.setdefault(message.ride, []).append(message)
    found = (summarise(rides[ride]) for ride in sorted(rides))
    return [summary for summary in found if summary is not None]


def _first(message: Message) -> tuple[float, bytes]:
    """Order what was told twice with a difference: the earlier counts, whichever came first."""
    return message.t_s, encode(message)


def _faults(intervals: list[Interval]) -> tuple[FaultTotal, ...]:
    total_s = _add([interval.fault_s for interval in intervals])
    episodes = _add([interval.episodes for interval in intervals])
    faults = [
        FaultTotal(
            rule=rule, total_s=round(total_s.get(rule, 0.0), 1), episodes=int(episodes.get(rule, 0))
        )
        for rule in total_s.keys() | episodes.keys()
        if total_s.get(rule, 0.0) > 0 or episodes.get(rule, 0) > 0
    ]
    return tuple(sorted(faults, key=lambda fault: (-fault.total_s, fault.rule)))


def _add(parts: list[dict[str, float]] | list[dict[str, int]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for rule, value in part.items():
            total[rule] = total.get(rule, 0) + value
    return total


def _share(part: float, whole: float) -> float | None:
    return round(min(max(part / whole, 0.0), 1.0), 3) if whole > 0 else None
