"""The journal as the ride holds it: a full or read-only disk is told, and never stops the ride."""

from collections.abc import Callable
from pathlib import Path

import structlog

from firmware_app.journal import Journal
from firmware_app.wire import Message

log = structlog.get_logger()


class Notebook:
    """One open journal, or none."""

    def __init__(self) -> None:
        self._journal: Journal | None = None
        self.trouble = ""
        """What is wrong, for a technician; empty when nothing is."""

    def open(self, path: Path) -> None:
        """Begin or go on with a journal."""
        self.close()

        def begin() -> None:
            self._journal = Journal(path)

        self._try(begin)

    def write(self, message: Message) -> None:
        """Append one message."""
        if self._journal is not None:
            journal = self._journal
            self._try(lambda: journal.append(message))

    def flush(self) -> None:
        """Let the link read what was written."""
        if self._journal is not None:
            self._try(self._journal.flush)

    def put_on_disk(self) -> None:
        """Make what was written survive a power cut."""
        if self._journal is not None:
            self._try(self._journal.sync)

    def close(self) -> None:
        """Put all on disk and close; may be called twice."""
        if self._journal is not None:
            self._try(self._journal.close)
            self._journal = None

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            if not self.trouble:
                log.warning("journal_refused", why=str(error))
            self.trouble = f"{error.strerror or error}: free space on the card"
        else:
            if self.trouble:
                log.info("journal_back")
            self.trouble = ""
