"""Keeps the store below its size on a box that nobody visits.

First the details of rides go whose summary the studio has, oldest first; then, after years
without a studio, the oldest unsent intervals, told as gaps. Summaries, unsent cues and the audit
stay.
"""

from sqlite_utils import Database

from gateway.outbox import Outbox

GIVE_UP_AT_ONCE = 100


def make_room(db: Database, outbox: Outbox) -> bool:
    """Delete what is missed least, in the caller's transaction; tell whether anything may go."""
    row = db.execute(
        "SELECT ride FROM ride WHERE confirmed_utc IS NOT NULL AND thinned IS NULL ORDER BY n"
    ).fetchone()
    if row is None:
        return outbox.give_up("interval", GIVE_UP_AT_ONCE, "no room on the box") > 0
    db.execute("DELETE FROM interval WHERE ride = ?", row)
    db.execute("DELETE FROM cue WHERE ride = ?", row)
    db.execute("UPDATE ride SET thinned = 1 WHERE ride = ?", row)
    return True


def bytes_used(db: Database) -> int:
    """Return how much of the file holds something; deleted rows leave free pages."""
    pages, free, page_bytes = (
        int(db.execute(f"PRAGMA {what}").fetchone()[0])
        for what in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * page_bytes
