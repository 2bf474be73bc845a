"""Carries the journals to the gateway, at least once and in order, however often either side dies.

    ride  --  {"journal": "20261123-1.jsonl"}   which journal follows
    ride  <-  {"kept": 17}                      bytes of it that are on the gateway's disk
    ride  --  {"type":"Interval",...}           every line told to the gateway, as it stands
    ride  --  {"at": 4711}                      the journal up to this byte has been sent
    ride  <-  {"kept": 4711}                    and is kept

What is told is on the ride's own disk first: a journal that a power cut made shorter than what the
gateway has of it could not be gone on with.

Nothing waits on the gateway: the ride appends to its journal and goes on. When the gateway comes
back, from an update or a crash, what it has not acknowledged is sent again. What the ride heard
(poses' metrics, pulses) stays in the journal; only what it told goes through.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
from msgspec import Struct

from firmware_app.clock import Clock
from firmware_app.errors import PartLost
from firmware_app.wire import ToGateway

LOOK_S = 0.5
CHUNK_BYTES = 1 << 18
_TOLD = tuple(f'"type":"{kind.__name__}"'.encode() for kind in get_args(ToGateway))


class Opening(Struct, frozen=True):
    """The first line of a journal's delivery."""

    journal: str


class At(Struct, frozen=True):
    """The journal up to this byte has been sent."""

    at: int


class Kept(Struct, frozen=True):
    """The gateway has the journal up to this byte on disk."""

    kept: int


_kept = msgspec.json.Decoder(Kept)


class Link:
    """Delivers the journals of one folder, oldest first."""

    def __init__(self, journals: Path, gateway: Path, clock: Clock) -> None:
        self._journals = journals
        self._gateway = gateway
        self._clock = clock
        self.kept: dict[str, int] = {}
        """Journal name to the bytes the gateway has confirmed."""
        self.connected = False
        self._read: dict[str, int] = {}
        """Journal name to the bytes that were looked at and held nothing that is told."""

    async def run(self, worked: Callable[[], None]) -> None:
        """Deliver for ever; raise PartLost when the gateway is not there or hangs up."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._gateway)
        except OSError as error:
            raise PartLost(f"no gateway at {self._gateway}: {error.strerror or error}") from error
        try:
            self.connected = True
            self.kept.clear()
            self._read.clear()
            while not reader.at_eof():  # while nobody rides nothing is sent that would tell
                for path in sorted(self._journals.glob("*.jsonl")):
                    await self._deliver(path, reader, writer)
                worked()
                await self._clock.sleep(LOOK_S)
        except PartLost:
            raise
        except OSError as error:
            raise PartLost(f"the gateway hung up: {error}") from error
        finally:
            self.connected = False
            writer.close()
        raise PartLost("the gateway hung up")

    async def _deliver(  # a journal is a local file of one ride: reading it takes no time
        self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        name = path.name
        if self.kept.get(name) == _size(path):
            return
        writer.write(msgspec.json.encode(Opening(name)) + b"\n")
        kept = self.kept[name] = await _read_kept(reader)
        read = self._read.get(name, 0)
        quiet = read == _size(path)
        at = kept if quiet else max(kept, read)
        with path.open("rb") as file:
            file.seek(at)
            while chunk := file.read(CHUNK_BYTES):
                whole = chunk[: chunk.rfind(b"\n") + 1]
                if not whole:
                    return
                told = [line for line in whole.splitlines() if _is_told(line)]
                at += len(whole)
                if not told and not quiet and len(chunk) < CHUNK_BYTES:
                    self._read[name] = at  # only poses and pulses: the disk need not be disturbed
                    return
                os.fsync(file.fileno())
                for line in (*told, msgspec.json.encode(At(at))):
                    writer.write(line + b"\n")
                await writer.drain()
                self.kept[name] = await _read_kept(reader)
                file.seek(at)


def _is_told(line: bytes) -> bool:
    return any(told in line[:64] for told in _TOLD)


def _size(path: Path) -> int:
    return path.stat().st_size


async def _read_kept(reader: asyncio.StreamReader) -> int:
    line = await reader.readline()
    if not line:
        raise PartLost("the gateway hung up")
    try:
        return _kept.decode(line).kept
    except msgspec.MsgspecError as wrong:
        raise PartLost(f"the gateway answered {line[:80]!r}: {wrong}") from wrong
