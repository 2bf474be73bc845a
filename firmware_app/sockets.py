"""Lines over Unix sockets: one process serves, others come and go, nobody waits for anybody.

A slow reader loses the oldest lines of its own mailbox, never the sender's time.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from firmware_app.errors import PartLost
from firmware_app.wire import Message, encode

MAILBOX_LINES = 64
"""Two seconds of poses: what is older is of no use to anybody."""
LONGEST_LINE_BYTES = 1 << 20


class Hub:
    """Serves a socket: tells every visitor what is told here, hears what they say."""

    def __init__(self, path: Path, hear: Callable[[bytes], None] = lambda _line: None) -> None:
        self._path = path
        self._hear = hear
        self._visitors: set[_Visitor] = set()
        self._heard: _Visitor | None = None
        self._welcome: list[Callable[[], Message | None]] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Begin to serve; takes over a socket that a dead process left behind."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._visit, self._path, limit=LONGEST_LINE_BYTES
        )

    def greet_with(self, newest: Callable[[], Message | None]) -> None:
        """Tell each new visitor what newest() returns, if anything."""
        self._welcome.append(newest)

    def tell(self, message: Message) -> None:
        """Put a message in every visitor's mailbox."""
        if self._visitors:
            line = encode(message)
            for visitor in self._visitors:
                visitor.put(line)

    def teller(self) -> Callable[[Message], None]:
        """Return a way to tell only the visitor that is being heard just now, while it stays."""
        asked = self._heard

        def tell(message: Message) -> None:
            if asked in self._visitors:
                asked.put(encode(message))

        return tell

    @property
    def visitors(self) -> int:
        """How many are listening."""
        return len(self._visitors)

    async def close(self) -> None:
        """Hang up on everybody and remove the socket."""
        if self._server is not None:
            self._server.close()
            visitors = list(self._visitors)
            for visitor in visitors:
                visitor.writer.transport.abort()
            for visitor in visitors:
                await visitor.gone.wait()
            self._server = None
        self._path.unlink(missing_ok=True)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitor = _Visitor(writer)
        self._visitors.add(visitor)
        for newest in self._welcome:
            message = newest()
            if message is not None:
                visitor.put(encode(message))
        telling = asyncio.create_task(visitor.run())
        try:
            while line := await reader.readline():
                self._heard = visitor
                self._hear(line)
        except (OSError, ValueError):
            pass  # gone, or not one of us: the visitor is hung up on below
        finally:
            self._visitors.discard(visitor)
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await telling
            writer.close()
            visitor.gone.set()


class _Visitor:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._lines: deque[bytes] = deque(maxlen=MAILBOX_LINES)
        self._fresh = asyncio.Event()
        self.gone = asyncio.Event()

    def put(self, line: bytes) -> None:
        self._lines.append(line)
        self._fresh.set()

    async def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                await self._fresh.wait()
                self._fresh.clear()
                while self._lines:
                    self.writer.write(self._lines.popleft())
                    await self.writer.drain()


class Visit:
    """One visit to a Hub: lines() hears, tell() speaks."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: asyncio.StreamWriter | None = None

    async def lines(self) -> AsyncIterator[bytes]:
        """Connect and yield each line; raise PartLost when nobody serves or the server goes."""
        try:
            reader, writer = await asyncio.open_unix_connection(
                self._path, limit=LONGEST_LINE_BYTES
            )
        except OSError as error:
            raise PartLost(f"nobody answers at {self._path}: {error.strerror or error}") from error
        self._writer = writer
        try:
            while line := await reader.readline():
                yield line
        except (OSError, ValueError) as error:  # gone, or a line without an end
            raise PartLost(f"{self._path} hung up: {error}") from error
        finally:
            self._writer = None
            writer.close()
        raise PartLost(f"{self._path} hung up")

    def tell(self, message: Message) -> bool:
        """Send a message if somebody is there to read it; tell whether it was."""
        if self._writer is None or self._writer.is_closing():
            return False
        if self._writer.transport.get_write_buffer_size() > LONGEST_LINE_BYTES:
            return False  # it has stopped reading: what is old is of no use to it
        self._writer.write(encode(message))
        return True
