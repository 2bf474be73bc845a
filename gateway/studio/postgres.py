"""The studio's tables in PostgreSQL, shared by all studios that are given the same address.

Connects when it is first asked and anew after every loss: a database that is away is a part that is
lost, as a broker is. What a row lock makes wait waits here, for five seconds at most.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from firmware_app.clock import Clock
from firmware_app.errors import BadSetting, PartLost
from gateway.studio.shape import POSTGRES_STEPS

PATIENCE_S = 5
AGAIN_S = 1.0
"""A database that was away is not asked again sooner: nobody waits for it twice in one breath."""
SHAPING = 7_239_411_001
"""Names the lock under which one studio shapes the tables."""
SPEAKING = 7_239_411_002
"""Names the lock of the studio that speaks for all."""
LIMITS: dict[str, str | int] = {
    "connect_timeout": PATIENCE_S,
    "tcp_user_timeout": PATIENCE_S * 1000,
    "keepalives_idle": PATIENCE_S,
    "keepalives_interval": 1,
    "keepalives_count": PATIENCE_S,
    "application_name": "bikebox studio",
    "options": f"-c statement_timeout={PATIENCE_S}s -c synchronous_commit=on",
}

LOST = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction)
"""Away, stopping, out of disk, waited for too long, or become the copy of another."""


class PostgresTables:
    """One connection, used by one thread."""

    def __init__(self, address: str, clock: Clock) -> None:
        """Take postgresql://...; raise BadSetting when it is none, or tells a password."""
        try:
            told = conninfo_to_dict(address)
        except psycopg.ProgrammingError as error:
            raise BadSetting(f"database: {error}; write postgresql://USER@HOST/DATABASE") from error
        if "password" in told:
            raise BadSetting(
                "database: the password stands in the address, where everybody may read it;"
                " write postgresql://USER@HOST/DATABASE?passfile=FILE"
            )
        self._where = f"{told.get('host', 'this machine')}/{told.get('dbname', '')}"
        self._conninfo = make_conninfo(address, **LIMITS)
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None
        self._speaking = False
        self._clock = clock
        self._away = ""
        self._again_s = clock.monotonic()

    def ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows."""
        with self._told():
            return self._execute(sql, values).fetchall()

    def do(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Carry it out."""
        with self._told():
            return self._execute(sql, values).rowcount

    @contextlib.contextmanager
    def atomic(self) -> Iterator[None]:
        """Begin, and commit at the end."""
        with self._told(), self._open().transaction():
            yield

    def speaks(self) -> bool:
        """Take the lock that one studio holds while it is connected; tell whether it is ours."""
        if self._speaking:
            self.ask("SELECT 1")  # the lock goes with the connection
        else:
            ((self._speaking,),) = self.ask("SELECT pg_try_advisory_lock(?)", [SPEAKING])
        return self._speaking

    def close(self) -> None:
        """Hang up."""
        self._speaking = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, sql: str, values: Sequence[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
        # NUL is the one letter that PostgreSQL does not take
        clean = [v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in values]
        return self._open().execute(sql.replace("?", "%s").encode(), clean)

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None:
            if self._clock.monotonic() < self._again_s:
                raise PartLost(self._away)
            connection = psycopg.connect(self._conninfo, autocommit=True)
            try:
                _shape(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except LOST as error:
            self.close()
            self._away = f"the database at {self._where}: {_words(error)}"
            self._again_s = self._clock.monotonic() + AGAIN_S
            raise PartLost(self._away) from error


def _shape(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Bring the tables to their newest shape; the first studio does it, the others wait."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [SHAPING])
        connection.execute("CREATE TABLE IF NOT EXISTS step (n INTEGER PRIMARY KEY)")
        done = connection.execute("SELECT count(*) FROM step").fetchone()
        for n, step in enumerate(POSTGRES_STEPS, 1):
            if done and n > done[0]:
                connection.execute(step.encode())
                connection.execute("INSERT INTO step VALUES (%s)", [n])


def _words(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "gone"
