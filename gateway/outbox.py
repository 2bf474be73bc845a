"""What the studio does not have yet: one row a record, until the studio itself has confirmed it.

A broker's receipt deletes nothing: brokers forget (782 of 1500 records in a kill test); only the
studio's watermark does.
"""

import secrets
from datetime import datetime
from typing import Any

import msgspec
from sqlite_utils import Database

from firmware_app.clock import Clock
from gateway.topics import Ack, Gap, Up, fingerprint


def create_outbox(db: Database) -> None:
    """Make the outbox's table and its epoch; a step of the store's migrations."""
    db.table("about").create({"key": str, "value": str}, pk="key")
    db.table("about").insert({"key": "epoch", "value": secrets.token_hex(8)})
    # AUTOINCREMENT: a seq is never used again, even when the newest row is gone
    db.execute(
        "CREATE TABLE outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, boot_id TEXT, t_s REAL,"
        " wall_utc TEXT, wall_synced INTEGER, kind TEXT, body TEXT)"
    )


def name_epochs(db: Database) -> None:
    """Give each row the epoch it was named in; a step of the store's migrations."""
    db.execute("ALTER TABLE outbox ADD COLUMN epoch TEXT")
    db.execute("ALTER TABLE ride ADD COLUMN summary_epoch TEXT")
    db.execute("UPDATE ride SET summary_epoch = (SELECT value FROM about WHERE key = 'epoch')")


class Outbox:
    """The rows of one database; its owner opens the transactions."""

    def __init__(self, db: Database, box: str, clock: Clock) -> None:
        self._db = db
        self._box = box
        self._clock = clock
        self.wall_synced = False
        """Has NTP spoken; told with every record."""

    def put(self, kind: str, body: str, t_s: float, boot_id: str) -> int:
        """Add a record, its body as JSON; return its seq."""
        cursor = self._db.execute(
            "INSERT INTO outbox (boot_id, t_s, wall_utc, wall_synced, kind, body, epoch)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                *(boot_id, t_s, self._clock.wall().isoformat(), self.wall_synced),
                *(kind, body, self.epoch),
            ],
        )
        return int(cursor.lastrowid or 0)

    def following(self, seq: int, most: int) -> list[Up]:
        """Return the next records after seq, in order."""
        rows = self._db.execute(
            "SELECT seq, boot_id, t_s, wall_utc, wall_synced, kind, body, epoch FROM outbox"
            " WHERE seq > ? ORDER BY seq LIMIT ?",
            [seq, most],
        ).fetchall()
        low = {
            epoch: int(
                self._one("SELECT seq FROM outbox WHERE epoch = ? ORDER BY seq LIMIT 1", epoch)
            )
            for epoch in {row[-1] for row in rows}
        }
        return [
            Up(
                box=self._box,
                epoch=epoch,
                seq=seq,
                low=low[epoch],
                boot_id=boot_id,
                t_s=t_s,
                wall_utc=wall_utc,
                wall_synced=bool(synced),
                kind=kind,
                body=msgspec.json.decode(body),
            )
            for seq, boot_id, t_s, wall_utc, synced, kind, body, epoch in rows
        ]

    def settle(self, home: str) -> None:
        """Begin a new epoch when this file is a copy, or has come to another machine.

        What waits in it keeps its names: the original sends the same records by the same names.
        """
        self.name_rows()
        if self.home not in ("", home):
            self._remember("epoch", secrets.token_hex(8))
        self._remember("home", home)

    def name_rows(self) -> None:
        """Name the epoch of rows that the version before this one put here."""
        self._db.execute("UPDATE outbox SET epoch = ? WHERE epoch IS NULL", [self.epoch])

    def confirm(self, ack: Ack) -> bool:
        """Delete what the studio has; tell whether it was any of ours.

        When it has more than we ever sent, or another record where we have ours, somebody else goes
        by our epoch: what waits here gets new names, lest it is taken for known.
        """
        if not self._is_of_another(ack):
            ours = [ack.epoch, ack.upto]
            return (
                self._db.execute("DELETE FROM outbox WHERE epoch = ? AND seq <= ?", ours).rowcount
                > 0
            )
        self._remember("epoch", secrets.token_hex(8))
        self._db.execute("UPDATE outbox SET epoch = ? WHERE epoch = ?", [self.epoch, ack.epoch])
        return False

    def _is_of_another(self, ack: Ack) -> bool:
        if ack.epoch == self.epoch and ack.upto > self.newest:
            return True
        row = self._db.execute(
            "SELECT kind, body FROM outbox WHERE epoch = ? AND seq = ? AND kind <> 'gap'",
            [ack.epoch, ack.upto],
        ).fetchone()
        return bool(row and ack.digest) and fingerprint(*row) != ack.digest

    def give_up(self, kind: str, most: int, why: str, before_utc: str = "9999") -> int:
        """Replace the oldest records of one kind by gaps; return how many are gone.

        Records that follow each other become one gap, in the place of the first.
        """
        rows = self._db.execute(
            "SELECT seq, epoch FROM outbox WHERE kind = ? AND wall_utc < ? ORDER BY seq LIMIT ?",
            [kind, before_utc, most],
        ).fetchall()
        runs: list[list[int]] = []
        before: tuple[int, str] | None = None
        for seq, epoch in rows:
            if before == (seq - 1, epoch):
                runs[-1].append(seq)
            else:
                runs.append([seq])
            before = (seq, epoch)
        for run in runs:
            gap = msgspec.json.encode(Gap(upto=run[-1], records=len(run), why=why)).decode()
            self._db.execute(
                "UPDATE outbox SET kind = 'gap', body = ? WHERE seq = ?", [gap, run[0]]
            )
            self._db.execute("DELETE FROM outbox WHERE seq > ? AND seq <= ?", [run[0], run[-1]])
        self._db.execute(
            "INSERT INTO about VALUES ('given_up', ?) ON CONFLICT (key) DO UPDATE SET"
            " value = CAST(value AS INTEGER) + excluded.value",
            [str(len(rows))],
        )
        return len(rows)

    def put_aside(self, seq: int, why: str) -> list[Up]:
        """Tell a gap in the place of one record; return it, if it is here."""
        found = [up for up in self.following(seq - 1, 1) if up.seq == seq]
        gap = msgspec.json.encode(Gap(upto=seq, records=1, why=why)).decode()
        self._db.execute("UPDATE outbox SET kind = 'gap', body = ? WHERE seq = ?", [gap, seq])
        return found

    @property
    def given_up(self) -> int:
        """How many records were given up for want of room, ever."""
        return int(self._one("SELECT value FROM about WHERE key = 'given_up'") or 0)

    @property
    def epoch(self) -> str:
        """Random, made with the file: (box, epoch, seq) names a record for ever.

        A row that waits may still go by an older one, when the file was moved or copied.
        """
        return str(self._one("SELECT value FROM about WHERE key = 'epoch'"))

    @property
    def home(self) -> str:
        """Where this file was when it was last written, see machine.py."""
        return str(self._one("SELECT value FROM about WHERE key = 'home'") or "")

    @property
    def newest(self) -> int:
        """The last seq ever given."""
        return int(self._one("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'") or 0)

    @property
    def confirmed(self) -> int:
        """The studio has everything up to this seq."""
        oldest = self._one("SELECT min(seq) FROM outbox")
        return self.newest if oldest is None else int(oldest) - 1

    @property
    def rows(self) -> int:
        """How many records the studio has not confirmed."""
        return int(self._one("SELECT count(*) FROM outbox") or 0)

    @property
    def oldest_age_s(self) -> float:
        """How long the oldest has waited, by this box's wall clock; 0 when there is none."""
        oldest = self._one("SELECT wall_utc FROM outbox ORDER BY seq LIMIT 1")
        if oldest is None:
            return 0.0
        waited = self._clock.wall() - datetime.fromisoformat(str(oldest))
        return max(waited.total_seconds(), 0.0)

    def _remember(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", [key, value])

    def _one(self, sql: str, *values: object) -> Any:
        row = self._db.execute(sql, list(values)).fetchone()
        return None if row is None else row[0]
