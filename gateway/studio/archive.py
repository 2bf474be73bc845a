"""The studio's memory: every record of every box once, and how far each box is confirmed.

First on disk, then the watermark: what a box deletes, we have. A record whose body cannot be read
is kept as dead and the watermark passes it, else one bad record would hold up a box for ever.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from firmware_app.clock import Clock
from firmware_app.errors import WireError
from firmware_app.summary import Summary
from gateway.studio.tables import open_tables
from gateway.topics import LONGEST_BYTES, Ack, Gap, Up, box_topic, fingerprint, unpack

KNOWN: dict[str, type[msgspec.Struct]] = {"summary": Summary, "gap": Gap}
"""Bodies that the studio reads; all other kinds are kept as they come."""
OF_A_RIDE = frozenset({"interval", "cue", "summary"})
"""What stands in a box's journals. When its database broke they are read anew, and it tells all of
it again, word for word, by new names."""
AGAIN = "again"
"""Kind of a record that holds the place of such a name; its body stands under the first."""
DEAD_ROWS = 10_000
"""Messages that nobody can read and that are kept, whole, for a technician; older ones go."""
AT_ONCE = 1000


class Came(NamedTuple):
    """One message of the durable lane as it came."""

    topic: str
    payload: bytes


class RideStored(NamedTuple):
    """One ride as the studio has it."""

    summary: dict[str, Any]
    """firmware_app/summary.py, and what a newer box may have added."""
    stored_utc: str


class BoxStored(NamedTuple):
    """What this studio has of a box."""

    at_utc: str
    """When it last confirmed records of it."""
    rides: int


class Archive:
    """The tables of one gym, used by one thread; every call may raise PartLost."""

    def __init__(self, database: str, clock: Clock) -> None:
        """Take a file or postgresql://...; raise SetupError."""
        self._tables = open_tables(database, clock)
        self._clock = clock

    def close(self) -> None:
        """Give the database back."""
        self._tables.close()

    def speaks(self) -> bool:
        """Tell whether this studio is the one of several that tells the class in counts."""
        return self._tables.speaks()

    def store(self, came: Iterable[Came]) -> list[tuple[str, Ack]]:
        """Put all of it on disk in one transaction; return the boxes' watermarks after that."""
        ups: list[tuple[Up, Came]] = []
        with self._tables.atomic():
            for letter in came:
                try:
                    ups.append((_read(letter), letter))
                except WireError as error:
                    self._bury(letter, str(error))
            # the watermark's row is locked first and in one order: studios that share the tables
            # take turns at a box, and each sees all that the one before it stored
            marks = {key: self._hold(*key) for key in sorted({(up.box, up.epoch) for up, _ in ups})}
            for up, letter in ups:
                marks[up.box, up.epoch].take(up, *self._take(up, letter))
            return [(box, self._advance(box, epoch, mark)) for (box, epoch), mark in marks.items()]

    def _hold(self, box: str, epoch: str) -> "_Mark":
        rows = self._tables.ask(
            "INSERT INTO watermark (box, epoch, upto, at_utc) VALUES (?, ?, 0, ?)"
            " ON CONFLICT (box, epoch) DO UPDATE SET at_utc = excluded.at_utc RETURNING upto",
            [box, epoch, self._now()],
        )
        return _Mark(rows[0][0])

    def _take(self, up: Up, letter: Came) -> tuple[int, int]:
        """Store a record unless it is there; return how many records and rides are new."""
        kind, body = up.kind, msgspec.json.encode(up.body).decode()
        try:
            if kind in KNOWN:
                unpack(body.encode(), KNOWN[kind])
        except WireError as error:
            self._bury(letter, str(error))
            kind, body = "dead", ""
        new = self._put(up, kind, body)
        news = new or self._compare(up, kind, body, letter)
        return new, self._take_ride(up, body) if news and kind == "summary" else 0

    def _put(self, up: Up, kind: str, body: str) -> int:
        """Store a record; return 0 when its name is taken, or a ride's words by another name."""
        return self._tables.do(
            "INSERT INTO record (box, epoch, seq, kind, boot_id, t_s, wall_utc, wall_synced, body,"
            " stored_utc, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                *(up.box, up.epoch, up.seq, kind, up.boot_id, up.t_s, up.wall_utc),
                *(up.wall_synced, body, self._now(), _told(kind, body)),
            ],
        )

    def _compare(self, up: Up, kind: str, body: str, letter: Came) -> int:
        """Look at a record that is known; return 1 when it is news all the same.

        One whose words stand under another name leaves its own name here: the watermark passes it,
        and the ride goes by it, for it is the newer. One that its box gave up, and that was brought
        by hand after all, takes the place of its gap. One that goes by the name of another is put
        aside: two machines are one box.
        """
        stored = self._record(up.box, up.epoch, up.seq)
        if stored is None:
            return self._put(up, AGAIN, "")
        if stored[0] == "gap" and kind not in ("gap", "dead"):
            return self._fill(up, kind, body, unpack(stored[1].encode(), Gap))
        # a box may give up a record that it does not know to be here; some are here without a body
        if not {"gap", "dead", AGAIN} & {kind, stored[0]} and stored != (kind, body):
            self._bury(letter, f"another machine sent record {up.seq} of {up.box} too")
        return 0

    def _fill(self, up: Up, kind: str, body: str, gap: Gap) -> int:
        """Put a record in the place of a gap of its own; a longer gap stays: it has others."""
        if gap.upto != up.seq:
            return 0
        known = self._tables.ask(
            "SELECT 1 FROM record WHERE box = ? AND told = ?", [up.box, _told(kind, body)]
        )
        kept = (AGAIN, "", None) if known else (kind, body, _told(kind, body))
        return self._tables.do(
            "UPDATE record SET kind = ?, body = ?, told = ?, stored_utc = ?"
            " WHERE box = ? AND epoch = ? AND seq = ?",
            [*kept, self._now(), up.box, up.epoch, up.seq],
        )

    def _take_ride(self, up: Up, body: str) -> int:
        """Keep the newest summary of a ride; return 1 when it is the first."""
        summary = unpack(body.encode(), Summary)
        told = [up.epoch, up.seq, body, self._now()]
        new = self._tables.do(
            "INSERT INTO ride (box, ride, class, started_utc, epoch, seq, summary, stored_utc)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [up.box, summary.ride, summary.class_id, summary.started_utc, *told],
        )
        if not new:
            self._tables.do(
                "UPDATE ride SET started_utc = ?, epoch = ?, seq = ?, summary = ?, stored_utc = ?"
                " WHERE box = ? AND ride = ? AND (epoch <> ? OR seq < ?)",
                [summary.started_utc, *told, up.box, summary.ride, up.epoch, up.seq],
            )
        return new

    def _advance(self, box: str, epoch: str, mark: "_Mark") -> Ack:
        """Move the watermark over what is here without a hole; return it."""
        upto, more = max(mark.upto, mark.least), True
        while more:
            rows = self._tables.ask(
                "SELECT seq, CASE WHEN kind = 'gap' THEN body END FROM record"
                " WHERE box = ? AND epoch = ? AND seq > ? ORDER BY seq LIMIT ?",
                [box, epoch, upto, AT_ONCE],
            )
            more = len(rows) == AT_ONCE
            for seq, gap in rows:
                if seq > upto + 1:
                    more = False
                    break
                upto = max(upto, seq, unpack(gap.encode(), Gap).upto if gap else 0)
        at_utc = self._now()
        self._tables.do(
            "UPDATE watermark SET upto = ?, at_utc = ?, stored = stored + ?, rides = rides + ?"
            " WHERE box = ? AND epoch = ?",
            [upto, at_utc, mark.stored, mark.rides, box, epoch],
        )
        return Ack(epoch=epoch, upto=upto, at_utc=at_utc, digest=self._digest(box, epoch, upto))

    def _digest(self, box: str, epoch: str, seq: int) -> str:
        stored = self._record(box, epoch, seq)
        return fingerprint(*stored) if stored and stored[1] else ""

    def _record(self, box: str, epoch: str, seq: int) -> tuple[str, str] | None:
        """Return kind and body of a record."""
        rows = self._tables.ask(
            "SELECT kind, body FROM record WHERE box = ? AND epoch = ? AND seq = ?",
            [box, epoch, seq],
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def rides(self, most: int = 200) -> list[RideStored]:
        """Return the newest rides, newest first."""
        return self._rides("ORDER BY n DESC LIMIT ?", most)

    def ride(self, box: str, ride: str) -> RideStored | None:
        """Return one ride, or None."""
        found = self._rides("WHERE box = ? AND ride = ?", box, ride)
        return found[0] if found else None

    def boxes(self) -> dict[str, BoxStored]:
        """Return what there is of each box."""
        rows = self._tables.ask("SELECT box, max(at_utc), sum(rides) FROM watermark GROUP BY box")
        return {box: BoxStored(at_utc, int(rides)) for box, at_utc, rides in rows}

    def upto(self, box: str, epoch: str) -> int:
        """Return how far an epoch of a box is confirmed here."""
        rows = self._tables.ask(
            "SELECT upto FROM watermark WHERE box = ? AND epoch = ?", [box, epoch]
        )
        return int(rows[0][0]) if rows else 0

    @property
    def counts(self) -> dict[str, int]:
        """Return how many records, rides and unreadable messages there are."""
        sums = self._tables.ask("SELECT sum(stored), sum(rides) FROM watermark")[0]
        (unreadable,) = self._tables.ask("SELECT max(id) FROM dead")[0]
        told = zip(("records", "rides", "unreadable"), (*sums, unreadable), strict=True)
        return {name: int(number or 0) for name, number in told}

    def _rides(self, which: str, *values: Any) -> list[RideStored]:
        rows = self._tables.ask(f"SELECT summary, stored_utc FROM ride {which}", values)  # noqa: S608 - our own words
        return [RideStored(msgspec.json.decode(body), at) for body, at in rows]

    def _bury(self, letter: Came, why: str) -> None:
        payload = letter.payload[:LONGEST_BYTES].decode(errors="replace")
        self._tables.do(
            "INSERT INTO dead (stored_utc, topic, why, payload) VALUES (?, ?, ?, ?)",
            [self._now(), letter.topic, why, payload],
        )
        self._tables.do("DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?", [DEAD_ROWS])

    def _now(self) -> str:
        return self._clock.wall().isoformat(timespec="milliseconds")


class _Mark:
    """One epoch of a box while a batch of its records is stored."""

    def __init__(self, upto: int) -> None:
        self.upto = upto
        self.least = self.stored = self.rides = 0

    def take(self, up: Up, records: int, rides: int) -> None:
        """Count a record; what is older than its low will not come."""
        self.least = max(self.least, up.low - 1)
        self.stored += records
        self.rides += rides


def _told(kind: str, body: str) -> str | None:
    """Return what a ride's record is known by, whatever its name; None: by its name alone."""
    return fingerprint(kind, body) if kind in OF_A_RIDE else None


def _read(letter: Came) -> Up:
    up = unpack(letter.payload, Up)
    if letter.topic != box_topic(up.box, "up"):
        raise WireError(f"{up.box} speaks on another box's topic")
    return up
