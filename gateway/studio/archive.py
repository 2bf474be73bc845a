"""The studio's memory: every record of every box once, and how far each box is confirmed.

First on disk, then the watermark: what a box deletes, we have. A record whose body cannot be read
is kept as dead and the watermark passes it, else one bad record would hold up a box for ever.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlite_utils import Database, Migrations

from firmware_app.clock import Clock
from firmware_app.errors import WireError
from firmware_app.summary import Summary
from gateway.database import open_database
from gateway.topics import Ack, Gap, Up, box_topic, unpack

KNOWN: dict[str, type[msgspec.Struct]] = {"summary": Summary, "gap": Gap}
"""Bodies that the studio reads; all other kinds are kept as they come."""
DEAD_ROWS = 10_000

steps = Migrations("studio")


@steps()
def begin(db: Database) -> None:
    """Make the tables."""
    db.execute(
        "CREATE TABLE record (box TEXT, epoch TEXT, seq INTEGER, kind TEXT, boot_id TEXT,"
        " t_s REAL, wall_utc TEXT, wall_synced INTEGER, body TEXT, stored_utc TEXT,"
        " PRIMARY KEY (box, epoch, seq)) WITHOUT ROWID"
    )
    db.table("watermark").create(
        {"box": str, "epoch": str, "upto": int, "at_utc": str}, pk=("box", "epoch")
    )
    db.table("ride").create(
        {
            "n": int,
            "box": str,
            "ride": str,
            "class": str,
            "started_utc": str,
            "epoch": str,
            "seq": int,
            "summary": str,
            "stored_utc": str,
        },
        pk="n",
    ).create_index(["box", "ride"], unique=True)
    db.table("dead").create(
        {"id": int, "stored_utc": str, "topic": str, "why": str, "payload": str}, pk="id"
    )


class Came(NamedTuple):
    """One message of the durable lane as it came."""

    topic: str
    payload: bytes


class RideStored(NamedTuple):
    """One ride as the studio has it."""

    summary: dict[str, Any]
    """firmware_app/summary.py, and what a newer box may have added."""
    stored_utc: str


class Archive:
    """One SQLite file, used by one thread."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._db = open_database(path, steps, clock)
        self._clock = clock

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def store(self, came: Iterable[Came]) -> list[tuple[str, Ack]]:
        """Put all of it on disk in one transaction; return the boxes' watermarks after that."""
        touched: dict[tuple[str, str], int] = {}
        with self._db.atomic():
            for topic, payload in came:
                try:
                    up = unpack(payload, Up)
                    if topic != box_topic(up.box, "up"):
                        raise WireError(f"{up.box} speaks on another box's topic")  # noqa: TRY301 - buried below
                except WireError as error:
                    self._bury(topic, str(error), payload)
                    continue
                self._take(topic, up, payload)
                key = (up.box, up.epoch)
                touched[key] = max(touched.get(key, 0), up.low - 1)
            return [
                (box, self._advance(box, epoch, least)) for (box, epoch), least in touched.items()
            ]

    def _take(self, topic: str, up: Up, payload: bytes) -> None:
        kind, body = up.kind, msgspec.json.encode(up.body).decode()
        try:
            if kind in KNOWN:
                unpack(body.encode(), KNOWN[kind])
        except WireError as error:
            self._bury(topic, str(error), payload)
            kind, body = "dead", ""
        new = self._db.execute(
            "INSERT OR IGNORE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *(up.box, up.epoch, up.seq, kind, up.boot_id, up.t_s, up.wall_utc),
                *(up.wall_synced, body, self._now()),
            ],
        ).rowcount
        if new and kind == "summary":
            summary = unpack(body.encode(), Summary)
            self._db.execute(
                "INSERT INTO ride (box, ride, class, started_utc, epoch, seq, summary, stored_utc)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (box, ride) DO UPDATE SET"
                " epoch = excluded.epoch, seq = excluded.seq, summary = excluded.summary,"
                " stored_utc = excluded.stored_utc"
                " WHERE excluded.epoch <> epoch OR excluded.seq > seq",
                [
                    *(up.box, summary.ride, summary.class_id, summary.started_utc),
                    *(up.epoch, up.seq, body, self._now()),
                ],
            )

    def _advance(self, box: str, epoch: str, least: int) -> Ack:
        """Move the watermark over what is here without a hole; return it."""
        row = self._db.execute(
            "SELECT upto FROM watermark WHERE box = ? AND epoch = ?", [box, epoch]
        ).fetchone()
        upto = max(row[0] if row else 0, least)
        for seq, kind, body in self._db.execute(
            "SELECT seq, kind, body FROM record WHERE box = ? AND epoch = ? AND seq > ?"
            " ORDER BY seq",
            [box, epoch, upto],
        ):
            if seq > upto + 1:
                break
            upto = max(upto, unpack(body.encode(), Gap).upto if kind == "gap" else seq)
        at_utc = self._now()
        self._db.table("watermark").upsert(
            {"box": box, "epoch": epoch, "upto": upto, "at_utc": at_utc}, pk=("box", "epoch")
        )
        return Ack(epoch=epoch, upto=upto, at_utc=at_utc)

    def rides(self, most: int = 200) -> list[RideStored]:
        """Return the newest rides, newest first."""
        return self._rides("ORDER BY n DESC LIMIT ?", most)

    def ride(self, box: str, ride: str) -> RideStored | None:
        """Return one ride, or None."""
        found = self._rides("WHERE box = ? AND ride = ?", box, ride)
        return found[0] if found else None

    @property
    def counts(self) -> dict[str, int]:
        """Return how many records, rides and unreadable messages there are."""
        return {
            name: int(self._db.execute(sql).fetchone()[0] or 0)
            for name, sql in (
                ("records", "SELECT count(*) FROM record"),
                ("rides", "SELECT count(*) FROM ride"),
                ("unreadable", "SELECT max(id) FROM dead"),
            )
        }

    def _rides(self, which: str, *values: Any) -> list[RideStored]:
        rows = self._db.execute(f"SELECT summary, stored_utc FROM ride {which}", list(values))  # noqa: S608 - our own words
        return [RideStored(msgspec.json.decode(body), at) for body, at in rows]

    def _bury(self, topic: str, why: str, payload: bytes) -> None:
        self._db.table("dead").insert(
            {
                "stored_utc": self._now(),
                "topic": topic,
                "why": why,
                "payload": payload[:4000].decode(errors="replace"),
            }
        )
        self._db.execute("DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?", [DEAD_ROWS])

    def _now(self) -> str:
        return self._clock.wall().isoformat(timespec="milliseconds")
