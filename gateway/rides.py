"""The rides in the store: added up for people, told to the studio, given their true time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import structs
from sqlite_utils import Database

from firmware_app.summary import Summary, summarise
from firmware_app.wire import Reader, RideStarted, ToGateway
from gateway.outbox import Outbox
from gateway.topics import LONGEST_BYTES

LONGEST_BODY = LONGEST_BYTES - 1024
"""Leaves room for the envelope."""
NEAR_ENOUGH_S = 2.0
"""A start that is this near the truth stays as it was told."""

_started = msgspec.json.Decoder(RideStarted)
_told: Reader[ToGateway] = Reader(ToGateway)


class RideRow(NamedTuple):
    """One ride as the console shows it."""

    summary: Summary
    confirmed_utc: str | None
    """When the studio confirmed the newest summary, by its clock; None: not yet."""


class Rides:
    """The ride, interval and cue tables of one database; its owner opens the transactions."""

    def __init__(self, db: Database, outbox: Outbox) -> None:
        self._db = db
        self._outbox = outbox

    def newest(self, most: int) -> list[RideRow]:
        """Return the newest rides, newest first."""
        rows = self._db.execute("SELECT ride FROM ride ORDER BY n DESC LIMIT ?", [most]).fetchall()
        return [row for (ride,) in rows if (row := self.ride(ride)) is not None]

    def ride(self, ride: str) -> RideRow | None:
        """Return one ride as far as it has been told; None when its start has not."""
        row = self._row("SELECT summary, confirmed_utc FROM ride WHERE ride = ?", ride)
        if row is None:
            return None
        told, confirmed_utc = row
        if told is not None:
            return RideRow(msgspec.json.decode(told, type=Summary), confirmed_utc)
        summary = summarise(self.told(ride))
        return None if summary is None else RideRow(summary, None)

    def tell_summary(self, ride: str, t_s: float, boot_id: str) -> None:
        """Put the summary of a ride that is over in the outbox, again when it has changed."""
        row = self._row("SELECT n, ended, summary, thinned FROM ride WHERE ride = ?", ride)
        if row is None:
            return  # its start was not told: nothing to add up
        number, ended, told, thinned = row
        over = ended is not None or self._row("SELECT 1 FROM ride WHERE n > ?", number)
        summary = summarise(self.told(ride))
        if thinned or not over or summary is None:
            return
        body = msgspec.json.encode(summary).decode()
        if len(body.encode()) > LONGEST_BODY:  # hours of cues; each went up by itself
            body = msgspec.json.encode(structs.replace(summary, cues=())).decode()
        if body == told:
            return
        seq = self._outbox.put("summary", body, t_s, boot_id)
        self._db.execute(
            "UPDATE ride SET summary = ?, summary_seq = ?, summary_epoch = ?, confirmed_utc = NULL"
            " WHERE ride = ?",
            [body, seq, self._outbox.epoch, ride],
        )

    def fix_clock(self, boot_id: str, offset_s: float, t_s: float) -> int:
        """Give the rides of this boot their true start; return how many had a wrong one.

        offset_s: UTC in seconds since 1970, less the monotonic seconds of that boot.
        """
        wrong = 0
        for number, ride, body in self._db.execute("SELECT n, ride, started FROM ride").fetchall():
            started = _started.decode(body)
            if started.boot_id != boot_id:
                continue
            true = datetime.fromtimestamp(started.t_s + offset_s, UTC)
            if abs((true - _moment(started.wall_utc)).total_seconds()) <= NEAR_ENOUGH_S:
                continue
            wrong += 1
            fixed = structs.replace(
                started, wall_utc=true.isoformat(timespec="milliseconds"), wall_synced=True
            )
            self._db.execute(
                "UPDATE ride SET started = ? WHERE n = ?",
                [msgspec.json.encode(fixed).decode(), number],
            )
            self.tell_summary(ride, t_s, boot_id)
        return wrong

    def told(self, ride: str) -> Iterator[ToGateway]:
        """Return what the ride told that is still kept."""
        return messages_of(self._db, ride)

    def _row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(sql, list(values)).fetchone()
        return row


def messages_of(db: Database, ride: str) -> Iterator[ToGateway]:
    """Return what a ride told, from any connection to the store; nothing when it is not there."""
    for (body,) in db.execute(
        "SELECT started FROM ride WHERE ride = :ride"
        " UNION ALL SELECT ended FROM ride WHERE ride = :ride AND ended IS NOT NULL"
        " UNION ALL SELECT body FROM interval WHERE ride = :ride"
        " UNION ALL SELECT body FROM cue WHERE ride = :ride",
        {"ride": ride},
    ):
        yield _told.read(body.encode())


def newest_of(db: Database) -> str | None:
    """Return the newest ride's name; None when nobody ever rode."""
    row = db.execute("SELECT ride FROM ride ORDER BY n DESC LIMIT 1").fetchone()
    return None if row is None else str(row[0])


def _moment(wall_utc: str) -> datetime:
    """Read a time that a bike told; one that is none lies before all others."""
    try:
        moment = datetime.fromisoformat(wall_utc)
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
