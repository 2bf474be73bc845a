"""The gateway's end of the journals' delivery: takes lines, keeps them, says so.

The other end, firmware_app/link.py, shows the conversation. Nothing is said to be kept before it
is on disk; what this version cannot read is put aside and counted, never a reason to stop.
"""

import asyncio
import contextlib
from pathlib import Path

import msgspec
import structlog

from firmware_app.errors import PartLost
from firmware_app.link import CHUNK_BYTES, At, Kept, Opening
from firmware_app.sockets import LONGEST_LINE_BYTES
from gateway.store import Store

log = structlog.get_logger()

MOST_BYTES = 4 * CHUNK_BYTES
"""Of lines before the other side says how far they go; more is not one of our rides."""

_opening = msgspec.json.Decoder(Opening)
_at = msgspec.json.Decoder(At)


class BikeLink:
    """Serves gateway.sock; the ride comes and goes as it likes."""

    def __init__(self, path: Path, store: Store) -> None:
        self._path = path
        self._store = store
        self._server: asyncio.Server | None = None
        self._visits: dict[asyncio.StreamWriter, asyncio.Event] = {}

    @property
    def connected(self) -> bool:
        """Is a ride there."""
        return bool(self._visits)

    async def open(self) -> None:
        """Begin to serve; takes over a socket that a dead process left behind."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._visit, self._path, limit=LONGEST_LINE_BYTES
        )

    async def close(self) -> None:
        """Hang up on everybody, stop serving and remove the socket."""
        if self._server is not None:
            self._server.close()
        for writer, gone in list(self._visits.items()):
            writer.close()
            await gone.wait()
        self._path.unlink(missing_ok=True)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = self._visits[writer] = asyncio.Event()
        try:
            # gone, or the disk is full: it comes again and tells what is missing
            with contextlib.suppress(OSError, PartLost):
                await self._hear(reader, writer)
        except (ValueError, msgspec.MsgspecError) as error:
            log.warning("visitor_refused", why=str(error))
        finally:
            del self._visits[writer]
            writer.close()
            gone.set()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        journal = ""
        lines: list[bytes] = []
        waiting_bytes = 0
        while line := await reader.readline():
            if line.startswith(b'{"journal":'):
                journal = _opening.decode(line).journal
            elif line.startswith(b'{"at":'):
                self._keep(journal, _at.decode(line).at, lines)
            else:
                lines.append(line.rstrip(b"\n"))
                waiting_bytes += len(line)
                if waiting_bytes > MOST_BYTES:
                    raise ValueError(f"{waiting_bytes} bytes without saying how far they go")
                continue
            lines, waiting_bytes = [], 0
            writer.write(msgspec.json.encode(Kept(self._store.kept(journal))) + b"\n")
            await writer.drain()

    def _keep(self, journal: str, at: int, lines: list[bytes]) -> None:
        if not journal:
            raise ValueError("lines of no journal")
        self._store.keep(journal, at, lines)
