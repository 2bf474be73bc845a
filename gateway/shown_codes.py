"""Hears from vision what codes are held to the box's camera, for who sets the box up."""

import socket
from collections.abc import Iterator
from pathlib import Path

from firmware_app.clock import Clock
from firmware_app.errors import BadInput, PartLost, WireError
from firmware_app.wire import CodeShown, LookForCode, Reader, encode
from gateway.identity.shown import Shown, Wifi, read_shown

LOOK_S = 60.0
"""Vision is asked again this often; it forgets the wish when it starts anew."""
RETRY_S = 2.0


def codes_shown(door: Path, clock: Clock) -> Iterator[Wifi | Shown]:
    """Yield what each code says, for ever; what vision is not there to read is waited for."""
    while True:
        try:
            yield from _ask(door, clock)
        except OSError:
            clock.block(RETRY_S)


def _ask(door: Path, clock: Clock) -> Iterator[Wifi | Shown]:
    """Ask vision to look for a while, and yield what it reads; raise OSError when it is gone."""
    reader: Reader[CodeShown] = Reader(CodeShown)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(LOOK_S)
        line.connect(str(door))
        line.sendall(encode(LookForCode(t_s=clock.monotonic(), for_s=LOOK_S)))
        end_s = clock.monotonic() + LOOK_S
        with line.makefile("rb") as lines:
            while clock.monotonic() < end_s:
                told = lines.readline()
                if not told:
                    raise PartLost(f"{door} hung up")
                try:
                    shown = read_shown(reader.read(told).text)
                except (WireError, BadInput):
                    continue  # a pose, or a code of no use
                yield shown
                return
