"""A journal as a recording: read what a ride heard, ride it again, compare what it told.

The journal holds both sides, so a replay proves itself: same events in, same messages out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from firmware_app.coach.book import CueBook
from firmware_app.errors import BadInput
from firmware_app.journal import whole_lines
from firmware_app.ride.events import Heard, RideSetup
from firmware_app.ride.ride import Ride, Tell
from firmware_app.wire import Audit, CueGiven, Interval, RideEnded, RideStarted, ToGateway

_line: msgspec.json.Decoder[RideSetup | Heard | ToGateway] = msgspec.json.Decoder(
    RideSetup | Heard | ToGateway
)


class Recording(NamedTuple):
    """What one journal holds."""

    setup: RideSetup
    heard: tuple[Heard, ...]
    told: tuple[ToGateway, ...]
    unreadable: int
    """Lines that could not be read: damaged, or from a newer version."""
    torn: bool
    """The last line has no end, as a power cut leaves it; it is left out."""


def read_recording(path: Path) -> Recording:
    """Read a journal; raise BadInput when there is none or when it does not begin a ride."""
    setup: RideSetup | None = None
    heard: list[Heard] = []
    told: list[ToGateway] = []
    unreadable = 0
    try:
        for message in _messages(path):
            match message:
                case None:
                    unreadable += 1
                case RideSetup():
                    setup = setup or message
                case RideStarted() | Interval() | CueGiven() | RideEnded() | Audit():
                    told.append(message)
                case _:
                    heard.append(message)
        torn = _is_torn(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}; name a journal (*.jsonl)") from error
    if setup is None:
        raise BadInput(
            f"{path}: no RideSetup in it ({unreadable} unreadable lines); is it a ride's journal?"
        )
    return Recording(setup, tuple(heard), tuple(told), unreadable, torn)


def replay(recording: Recording, book: CueBook) -> tuple[Ride, tuple[ToGateway, ...]]:
    """Ride a recording again; return the ride as it stands then and all that it told."""
    ride = Ride(recording.setup, book)
    deeds = list(ride.opening())
    for event in recording.heard:
        deeds.extend(ride.feed(event))
    return ride, tuple(deed.message for deed in deeds if isinstance(deed, Tell))


def missing(recording: Recording, told: tuple[ToGateway, ...]) -> tuple[ToGateway, ...]:
    """Return what a replay told and the journal lacks, as when the box died between two lines."""
    return told[len(recording.told) :]


def first_difference(recording: Recording, told: tuple[ToGateway, ...]) -> str:
    """Say where a replay parts from what was told then; empty when it does not."""
    then = recording.told
    for n, (was, now) in enumerate(zip(then, told, strict=False)):
        if was != now:
            return f"message {n + 1}: the journal has {was}, the replay gives {now}"
    if len(then) != len(told):
        return f"the journal has {len(then)} messages, the replay gives {len(told)}"
    return ""


def _messages(path: Path) -> Iterator[RideSetup | Heard | ToGateway | None]:
    for line in whole_lines(path):
        try:
            yield _line.decode(line)
        except msgspec.MsgspecError:
            yield None


def _is_torn(path: Path) -> bool:
    raw = path.read_bytes()
    return bool(raw) and not raw.endswith(b"\n")
