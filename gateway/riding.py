"""Asks the ride whether somebody rides, before something that could wait is changed on the box."""

import socket
from pathlib import Path

from firmware_app.errors import MissingPart, WireError
from firmware_app.wire import FromRide, Hud, Reader

PATIENCE_S = 3.0
"""The ride tells five times a second."""
MOST_LINES = 200


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
