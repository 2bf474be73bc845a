"""The studio's tables, in one SQLite file or in PostgreSQL: one set of statements for both.

SQLite for one gym, PostgreSQL when several studios share the work. Statements are written once, in
the words that both understand, with a question mark for each value.
"""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from firmware_app.clock import Clock
from firmware_app.errors import PartLost
from gateway.database import open_database
from gateway.studio.extras import load_extra
from gateway.studio.shape import steps

Row = tuple[Any, ...]
IN_POSTGRES = ("postgresql://", "postgres://")


class Tables(Protocol):
    """Every call raises PartLost when the database is away, full or read-only."""

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows that the statement gives."""
        ...

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry the statement out; return how many rows it touched."""
        ...

    def atomic(self) -> AbstractContextManager[None]:
        """Do all that is in it, on disk when it ends; or nothing of it."""
        ...

    def speaks(self) -> bool:
        """Tell whether this studio is the one that speaks for all who share the tables."""
        ...

    def close(self) -> None:
        """Give the database back."""
        ...


def open_tables(database: str, clock: Clock) -> Tables:
    """Open a file, or postgresql://...; raise MissingPart or BadSetting."""
    if not database.startswith(IN_POSTGRES):
        return SqliteTables(Path(database), clock)
    tables: Tables = load_extra("postgres", "database").PostgresTables(database, clock)
    return tables


class SqliteTables:
    """One file with one writer: this studio."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._db = open_database(path, steps, clock)
        self._path = path

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows."""
        with self._told():
            rows: list[Row] = self._db.execute(sql, list(values)).fetchall()
        return rows

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry it out."""
        with self._told():
            return int(self._db.execute(sql, list(values)).rowcount)

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """Begin, and commit at the end."""
        with self._told(), self._db.atomic():
            yield

    def speaks(self) -> bool:
        """Nobody else could."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise PartLost(
                f"{self._path} cannot be used: {error}; is the disk full or read-only?"
            ) from error
