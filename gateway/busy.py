"""Asks whether something that can wait must wait: somebody rides, or an update is at work."""

import json
import socket
from pathlib import Path

from firmware_app.errors import MissingPart, WireError
from firmware_app.wire import FromRide, Hud, Reader

UPDATES = Path("/var/lib/bikebox-update/state.json")
PATIENCE_S = 3.0
"""The ride tells five times a second."""
MOST_LINES = 200


def busy(ride: Path, updates: Path = UPDATES) -> str:
    """Return what the box is busy with, in words; empty: nothing.

    Raise MissingPart when this user may not ask.
    """
    if update_at_work(updates):
        return "an update is at work"
    return "somebody rides" if somebody_rides(ride) else ""


def update_at_work(updates: Path = UPDATES) -> bool:
    """Tell whether a release has been switched to and has not passed its gate yet.

    It would be put back for a service that somebody else restarts.
    """
    try:
        trial = json.loads(updates.read_text(encoding="utf-8")).get("trial")
    except (OSError, ValueError, AttributeError):
        return False
    return bool(trial) and not trial.get("gated", False)


def somebody_rides(door: Path) -> bool:
    """Tell whether somebody rides now, or rests during a ride; nobody does where no ride answers.

    Raise MissingPart when this user may not ask.
    """
    reader: Reader[FromRide] = Reader(FromRide)
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(PATIENCE_S)
            line.connect(str(door))
            with line.makefile("rb") as lines:
                for told, _ in zip(lines, range(MOST_LINES), strict=False):
                    try:
                        message = reader.read(told)
                    except WireError:
                        continue  # from another version; the next line may be for us
                    if isinstance(message, Hud):
                        return message.phase in {"riding", "paused"}
    except PermissionError as error:
        raise MissingPart(f"{door}: {error.strerror}; try as root") from error
    except OSError:
        return False
    return False
