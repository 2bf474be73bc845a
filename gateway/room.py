"""Keeps the store below its size and its age on a box that nobody visits.

What is missed least goes first: details of rides that the studio has, then those rides but for the
newest; after that, what no studio ever took: intervals, cues, the oldest of a long audit, and last
of all summaries. What had not been sent is told as a gap.
"""

from collections.abc import Callable

from sqlite_utils import Database

from gateway.audit import trim
from gateway.outbox import Outbox

AT_ONCE = 100
"""Rides or records in one transaction."""
NEWEST_RIDES = 50
"""As many as the console shows; they stay."""
NEWEST_AUDIT = 20_000
"""A year of a busy bike, and some megabytes; they stay."""
NEWEST_DEAD = 50

CONFIRMED = "confirmed_utc IS NOT NULL"
TOLD = "summary IS NOT NULL"
NO_ROOM = "no room on the box"


def make_room(db: Database, outbox: Outbox) -> bool:
    """Delete what is missed least, in the caller's transaction; tell whether anything may go."""
    steps: tuple[Callable[[], int], ...] = (
        lambda: _thin(db, CONFIRMED, 1),
        lambda: _forget(db, CONFIRMED),
        lambda: outbox.give_up("interval", AT_ONCE, NO_ROOM),
        lambda: _thin(db, TOLD, 1),
        lambda: outbox.give_up("cue", AT_ONCE, NO_ROOM),
        lambda: _drop_dead(db),
        lambda: outbox.give_up("audit", AT_ONCE, NO_ROOM),
        lambda: trim(db, NEWEST_AUDIT, AT_ONCE),
        lambda: outbox.give_up("summary", 1, NO_ROOM),
        lambda: _forget(db, TOLD),
    )
    return any(step() for step in steps)


def let_go(db: Database, outbox: Outbox, before_utc: str) -> bool:
    """Delete what may go and is older than this; tell whether there was any."""
    old = f"older than {before_utc[:10]}"
    thinned = _thin(db, CONFIRMED, AT_ONCE, before_utc)
    return bool(thinned or outbox.give_up("interval", AT_ONCE, old, before_utc))


def _thin(db: Database, which: str, most: int, before_utc: str = "9999") -> int:
    """Forget the details of the oldest rides; return of how many."""
    rides = db.execute(
        f"SELECT ride FROM ride WHERE {which} AND thinned IS NULL"  # noqa: S608 - our own words
        " AND json_extract(started, '$.wall_utc') < ? ORDER BY n LIMIT ?",
        [before_utc, most],
    ).fetchall()
    for row in rides:
        db.execute("DELETE FROM interval WHERE ride = ?", row)
        db.execute("DELETE FROM cue WHERE ride = ?", row)
        db.execute("UPDATE ride SET thinned = 1 WHERE ride = ?", row)
    return len(rides)


def _forget(db: Database, which: str) -> int:
    """Forget the oldest rides whose details are gone and that wait for nobody; return how many."""
    return db.execute(
        f"DELETE FROM ride WHERE n IN (SELECT n FROM ride WHERE {which} AND thinned"  # noqa: S608 - our own words
        " AND NOT EXISTS (SELECT 1 FROM outbox WHERE seq = summary_seq AND kind = 'summary')"
        " AND n <= (SELECT max(n) FROM ride) - ? ORDER BY n LIMIT ?)",
        [NEWEST_RIDES, AT_ONCE],
    ).rowcount


def _drop_dead(db: Database) -> int:
    return db.execute(
        "DELETE FROM dead WHERE id <= (SELECT max(id) FROM dead) - ?", [NEWEST_DEAD]
    ).rowcount


def bytes_used(db: Database) -> int:
    """Return how much of the file holds something; deleted rows leave free pages."""
    pages, free, page_bytes = (
        int(db.execute(f"PRAGMA {what}").fetchone()[0])
        for what in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes
