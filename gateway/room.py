"""Keeps the store below its size and its age on a box that nobody visits.

First the details of rides go whose summary the studio has, oldest first; then, after years
without a studio, the oldest unsent intervals, told as gaps. Summaries, unsent cues and the audit
stay.
"""

from sqlite_utils import Database

from gateway.outbox import Outbox

AT_ONCE = 100
"""Rides or intervals in one transaction."""


def make_room(db: Database, outbox: Outbox) -> bool:
    """Delete what is missed least, in the caller's transaction; tell whether anything may go."""
    return _thin(db, 1) or outbox.give_up("interval", AT_ONCE, "no room on the box") > 0


def let_go(db: Database, outbox: Outbox, before_utc: str) -> bool:
    """Delete what may go and is older than this; tell whether there was any."""
    old = f"older than {before_utc[:10]}"
    return (
        _thin(db, AT_ONCE, before_utc) or outbox.give_up("interval", AT_ONCE, old, before_utc) > 0
    )


def _thin(db: Database, most: int, before_utc: str = "9999") -> bool:
    """Forget the details of the oldest rides that the studio has."""
    rides = db.execute(
        "SELECT ride FROM ride WHERE confirmed_utc IS NOT NULL AND thinned IS NULL"
        " AND json_extract(started, '$.wall_utc') < ? ORDER BY n LIMIT ?",
        [before_utc, most],
    ).fetchall()
    for row in rides:
        db.execute("DELETE FROM interval WHERE ride = ?", row)
        db.execute("DELETE FROM cue WHERE ride = ?", row)
        db.execute("UPDATE ride SET thinned = 1 WHERE ride = ?", row)
    return bool(rides)


def bytes_used(db: Database) -> int:
    """Return how much of the file holds something; deleted rows leave free pages."""
    pages, free, page_bytes = (
        int(db.execute(f"PRAGMA {what}").fetchone()[0])
        for what in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes
