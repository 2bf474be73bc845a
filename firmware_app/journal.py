"""The ride, line by line, on disk before it is anywhere else.

One JSON line for each message: what the ride heard (the recording) and what it told (the queue to
the gateway). Delivery reads it forward until acknowledged, a technician reads it with tail -f, a
test replays it: one file, three readers, one writer.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware_app.wire import Message, encode


class Journal:
    """Append-only; put on disk by sync(), which the ride calls at every interval."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
        self._mend()
        self._file = path.open("ab")
        if new:
            _put_name_on_disk(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, message: Message) -> None:
        """Hand one message to the operating system; raise OSError when the disk refuses."""
        self._file.write(encode(message))

    def flush(self) -> None:
        """Let other processes read what was appended."""
        self._file.flush()

    def sync(self) -> None:
        """Put everything appended so far on the disk itself."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Put everything on disk and close; may be called twice."""
        if not self._file.closed:
            self.sync()
            self._file.close()

    def _mend(self) -> None:
        """End a torn last line, as a power cut leaves it, so that the next line is whole."""
        if self.path.exists() and self.path.stat().st_size:
            with self.path.open("rb+") as file:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")


def _put_name_on_disk(path: Path) -> None:
    """Make a new file survive a power cut: its lines are of no use without its name."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the complete lines of a journal; a torn last one is left out."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line.rstrip(b"\n")
