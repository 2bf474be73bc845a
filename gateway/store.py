"""The box's memory: what the ride told, and what the studio does not have yet. One writer.

A record and its row in the outbox are one transaction, and so is a chunk of a journal with how
far it is kept: whatever dies whenever, nothing is lost and nothing is there twice.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog
from sqlite_utils import Database, Migrations

from firmware_app.clock import Clock
from firmware_app.errors import PartLost, WireError
from firmware_app.wire import (
    Audit,
    CueGiven,
    Interval,
    Message,
    Reader,
    RideEnded,
    RideStarted,
    ToGateway,
)
from gateway.audit import Noted, create_audit, digest, newest, note
from gateway.database import open_database
from gateway.machine import home_of
from gateway.outbox import Outbox, create_outbox, name_epochs
from gateway.rides import RideRow, Rides
from gateway.room import bytes_used, let_go, make_room
from gateway.topics import LONGEST_BYTES, Ack, ClockFix, pack

log = structlog.get_logger()

DEAD_ROWS = 1000
"""Unreadable lines that are kept for a technician; older ones go."""

PUT_ASIDE = "outbox"
"""Source of dead records that `bikebox studio --import` takes all the same."""

steps = Migrations("gateway")


@steps()
def begin(db: Database) -> None:
    """Make the tables; what the ride told is kept as it told it, in body."""
    create_outbox(db)
    db.table("journal").create({"name": str, "kept": int, "boot_id": str}, pk="name")
    rides = db.table("ride").create(
        {
            "n": int,
            "ride": str,
            "started": str,
            "ended": str,
            "summary": str,
            "summary_seq": int,
            "confirmed_utc": str,
            "thinned": int,
        },
        pk="n",
    )
    rides.create_index(["ride"], unique=True)
    db.table("interval").create({"ride": str, "n": int, "body": str}, pk=("ride", "n"))
    db.table("cue").create({"ride": str, "cue": int, "body": str}, pk=("ride", "cue"))
    db.table("audit").create({"id": int, "wall_utc": str, "body": str}, pk="id")
    db.table("dead").create(
        {"id": int, "wall_utc": str, "source": str, "why": str, "line": str}, pk="id"
    )


@steps()
def chain(db: Database) -> None:
    """Chain the audit, and remember what a file brought by hand must tell."""
    create_audit(db)


@steps()
def epochs(db: Database) -> None:
    """Let a row keep its epoch when the file gets a new one."""
    name_epochs(db)


class Store:
    """One SQLite file, used by one thread; what writes raises PartLost when the disk is full."""

    def __init__(self, path: Path, box: str, clock: Clock) -> None:
        self._db = open_database(path, steps, clock)
        self._clock = clock
        self._told: Reader[ToGateway] = Reader(ToGateway)
        self.outbox = Outbox(self._db, box, clock)
        self._rides = Rides(self._db, self.outbox)
        self.refused = ""
        """Why the disk took nothing the last time; empty: it did."""
        self._settle(box, home_of(path))

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def _settle(self, box: str, home: str) -> None:
        before = self._one("SELECT value FROM about WHERE key = 'box'")
        unnamed = self._one("SELECT 1 FROM outbox WHERE epoch IS NULL")
        if (before, self.outbox.home, unnamed) == (box, home, None):
            return  # nothing to write: a full disk does not keep a box from starting
        with self._writing():
            self._remember("box", box)
            self.outbox.settle(home)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Do all that is in it, or nothing; raise PartLost when the disk takes nothing."""
        try:
            with self._db.atomic():
                yield
        except sqlite3.OperationalError as error:
            if not self.refused:
                log.warning("store_refused", why=str(error))
            self.refused = f"nothing can be kept: {error}"
            raise PartLost(self.refused) from error
        if self.refused:
            log.info("store_back")
            self.refused = ""

    def try_again(self) -> None:
        """Look whether the disk takes something again; raise PartLost."""
        with self._writing():
            self._remember("refused", self.refused)

    # from the ride -------------------------------------------------------------------------

    def kept(self, journal: str) -> int:
        """Return how many bytes of a journal are on disk here."""
        return int(self._one("SELECT kept FROM journal WHERE name = ?", journal) or 0)

    def keep(self, journal: str, at: int, lines: Iterable[bytes]) -> None:
        """Put the lines up to byte `at` of a journal on disk; once, however often it is told."""
        if at <= self.kept(journal):
            return
        with self._writing():
            boot_id = str(self._one("SELECT boot_id FROM journal WHERE name = ?", journal) or "")
            touched: dict[str, float] = {}
            for line in lines:
                try:
                    message = self._told.read(line)
                except WireError as error:
                    self._bury(journal, str(error), line)
                    continue
                if isinstance(message, RideStarted):
                    boot_id = message.boot_id
                self._take(message, boot_id)
                if not isinstance(message, Audit):
                    touched[message.ride] = message.t_s
            for ride, t_s in touched.items():
                self._rides.tell_summary(ride, t_s, boot_id)
            self._db.table("journal").upsert(
                {"name": journal, "kept": at, "boot_id": boot_id}, pk="name"
            )

    def _take(self, message: ToGateway, boot_id: str) -> None:
        body = msgspec.json.encode(message).decode()
        match message:
            case RideStarted():
                before = self._one("SELECT ride FROM ride WHERE ended IS NULL ORDER BY n DESC")
                self._insert("ride", {"ride": message.ride, "started": body})
                if before is not None:
                    self._rides.tell_summary(before, message.t_s, boot_id)
            case RideEnded():
                self._db.execute("UPDATE ride SET ended = ? WHERE ride = ?", [body, message.ride])
            case Interval():
                if self._insert("interval", {"ride": message.ride, "n": message.n, "body": body}):
                    self._put_out("interval", message, boot_id)
            case CueGiven():
                if self._insert("cue", {"ride": message.ride, "cue": message.cue, "body": body}):
                    self._put_out("cue", message, boot_id)
                    self._note_cue(message)
            case Audit():
                self._note(message.what, message.who, message.detail, message.t_s, boot_id)

    def _put_out(self, kind: str, message: Message, boot_id: str) -> None:
        body = msgspec.to_builtins(message)
        del body["type"], body["t_s"]  # the envelope tells them
        self.outbox.put(kind, msgspec.json.encode(body).decode(), message.t_s, boot_id)

    # what is worth remembering -------------------------------------------------------------

    def note(self, what: str, who: str, detail: str) -> None:
        """Add an entry to the audit and tell the studio."""
        with self._writing():
            self._note(what, who, detail, self._clock.monotonic(), "")

    def audit(self) -> list[Noted]:
        """Return the newest entries of the audit, newest first."""
        return newest(self._db)

    def note_if_new(self, what: str, detail: str) -> None:
        """Do so when it is not what it was the last time: another version, other settings."""
        with self._writing():
            if self._one("SELECT value FROM about WHERE key = ?", what) != detail:
                self._remember(what, detail)
                self._note(what, "box", detail, self._clock.monotonic(), "")

    def note_once(self, source: str, lines: Sequence[str]) -> None:
        """Note what another program's audit has beyond what was noted of it: a line, an entry."""
        done = int(self._one("SELECT value FROM about WHERE key = ?", source) or 0)
        if done == len(lines):
            return
        with self._writing():
            for line in lines[done:]:
                try:
                    told = msgspec.json.decode(line, type=dict[str, str])
                    what, who, detail = told["what"], told["who"], told["detail"]
                except (msgspec.MsgspecError, KeyError) as error:
                    self._bury(source, str(error), line.encode())
                    continue
                self._note(what, who, detail, self._clock.monotonic(), "")
            self._remember(source, str(len(lines)))

    def fix_clock(self, boot_id: str) -> int:
        """Give what was told in this boot its true time; NTP has just spoken."""
        t_s = self._clock.monotonic()
        offset_s = round(self._clock.wall().timestamp() - t_s, 3)
        with self._writing():
            wrong = self._rides.fix_clock(boot_id, offset_s, t_s)
            fix = ClockFix(boot_id=boot_id, offset_s=offset_s, rides=wrong)
            self.outbox.put("clock_fix", msgspec.json.encode(fix).decode(), t_s, boot_id)
        return wrong

    def _note(self, what: str, who: str, detail: str, t_s: float, boot_id: str) -> None:
        told = note(self._db, what, who, detail, self._clock.wall().isoformat())
        self.outbox.put("audit", msgspec.json.encode(told).decode(), t_s, boot_id)

    def _note_cue(self, cue: CueGiven) -> None:
        """Note what was said, by its fingerprint: the words may hold the rider's name."""
        detail = f"{cue.ride} cue {cue.cue}: {cue.rule}, {cue.outcome}, words {digest(cue.words)}"
        note(self._db, "cue", "coach", detail, self._clock.wall().isoformat())

    def _remember(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", [key, value])

    # from the studio -----------------------------------------------------------------------

    def confirm(self, ack: Ack) -> None:
        """Delete what the studio has, and note which rides are among it."""
        with self._writing():
            if self.outbox.confirm(ack):
                self._remember("confirmed_utc", ack.at_utc or self._clock.wall().isoformat())
            self._db.execute(
                "UPDATE ride SET confirmed_utc = ? WHERE confirmed_utc IS NULL"
                " AND summary_seq <= ?"
                " AND NOT EXISTS (SELECT 1 FROM outbox WHERE seq = summary_seq)",
                [ack.at_utc or self._clock.wall().isoformat(), self.outbox.newest],
            )

    def put_aside(self, seq: int) -> None:
        """Keep a record that nothing gets past among the dead, whole; tell a gap in its place."""
        with self._writing():
            why = "the studio answers the record after it, and never this one"
            for up in self.outbox.put_aside(seq, why):
                self._bury(PUT_ASIDE, why, pack(up))

    # to people -----------------------------------------------------------------------------

    def ride(self, ride: str) -> RideRow | None:
        """Return one ride as far as it has been told; None when its start has not."""
        return self._rides.ride(ride)

    def told(self, ride: str) -> list[ToGateway]:
        """Return all that a ride told and that is still kept; empty when it is not there."""
        return list(self._rides.told(ride))

    def rides(self, most: int = 50) -> list[RideRow]:
        """Return the newest rides, newest first."""
        return self._rides.newest(most)

    @property
    def last_confirmed_utc(self) -> str | None:
        """When the studio last confirmed anything, by its clock."""
        told = self._one("SELECT value FROM about WHERE key = 'confirmed_utc'")
        return told or self._one("SELECT max(confirmed_utc) FROM ride")  # type: ignore[no-any-return] # TEXT

    @property
    def dead(self) -> int:
        """How many lines could not be read, ever."""
        return int(self._one("SELECT max(id) FROM dead") or 0)

    def make_room(self, keep_bytes: int, keep_days: int) -> None:
        """Stay below keep_bytes, and keep_days young; room.py tells what goes.

        Nothing is judged by its age before NTP has spoken: a wrong clock would make all of it old.
        """
        while bytes_used(self._db) > keep_bytes and self._goes(make_room, self._db, self.outbox):
            pass
        oldest = (self._clock.wall() - timedelta(days=keep_days)).isoformat()
        while self.outbox.wall_synced and self._goes(let_go, self._db, self.outbox, oldest):
            pass

    def _goes(self, act: Callable[..., bool], *what: object) -> bool:
        with self._writing():
            return act(*what)

    # rows ----------------------------------------------------------------------------------

    def _bury(self, source: str, why: str, line: bytes) -> None:
        text = line[:LONGEST_BYTES].decode(errors="replace")
        wall_utc = self._clock.wall().isoformat()
        self._insert("dead", {"wall_utc": wall_utc, "source": source, "why": why, "line": text})
        self._db.execute("DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?", [DEAD_ROWS])

    def _insert(self, table: str, row: dict[str, Any]) -> bool:
        """Insert unless its key is there already; tell whether it was new."""
        marks = ", ".join("?" * len(row))
        cursor = self._db.execute(
            f"INSERT OR IGNORE INTO {table} ({', '.join(row)}) VALUES ({marks})",  # noqa: S608 - our names
            list(row.values()),
        )
        return cursor.rowcount > 0

    def _row(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(sql, list(values)).fetchone()
        return row

    def _one(self, sql: str, *values: object) -> Any:
        row = self._row(sql, *values)
        return None if row is None else row[0]
