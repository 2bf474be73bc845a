"""Who changed what on this box, and what was said to the rider: a chain that nobody can mend.

Each entry's hash covers the entry and the hash before it, so an entry that is changed, removed or
slipped in breaks the chain there. The studio is told the hash of every entry that goes up: a chain
that is forged from the start does not end where the studio's does.
"""

import hashlib
from typing import NamedTuple

import msgspec
from sqlite_utils import Database

from gateway.topics import AuditTold

TRIMMED = "audit_trimmed"
"""Its detail: number and hash of the last entry that is gone."""


class Checked(NamedTuple):
    """What a look at the whole chain found."""

    entries: int
    """The number of the newest."""
    broken_at: int | None
    """The first entry that does not follow from the one before; None: the chain is whole."""
    newest: str
    """The newest hash, to compare with the studio's."""


class Noted(NamedTuple):
    """An entry as people read it."""

    wall_utc: str
    what: str
    who: str
    detail: str


def create_audit(db: Database) -> None:
    """Chain the entries that there are; a step of the store's migrations."""
    db.execute("ALTER TABLE audit ADD COLUMN hash TEXT")
    before = ""
    for number, wall_utc, body in db.execute("SELECT id, wall_utc, body FROM audit").fetchall():
        before = _hash(before, wall_utc, body)
        db.execute("UPDATE audit SET hash = ? WHERE id = ?", [before, number])


def note(db: Database, what: str, who: str, detail: str, wall_utc: str) -> AuditTold:
    """Append an entry, in the caller's transaction; return it as it goes up."""
    last = db.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    number, before = (last[0] + 1, last[1]) if last else (1, "")
    body = msgspec.json.encode({"what": what, "who": who, "detail": detail}).decode()
    chained = _hash(before, wall_utc, body)
    db.execute("INSERT INTO audit VALUES (?, ?, ?, ?)", [number, wall_utc, body, chained])
    return AuditTold(what=what, who=who, detail=detail, n=number, hash=chained)


def trim(db: Database, keep: int, most: int) -> int:
    """Remove the oldest entries beyond keep, most at once, in the caller's transaction.

    The chain says itself where it begins from now on. Return how many are gone.
    """
    (entries,) = db.execute("SELECT count(*) FROM audit").fetchone()
    gone = min(entries - keep, most)
    if gone <= 0:
        return 0
    last, chained, wall_utc = db.execute(
        "SELECT id, hash, (SELECT wall_utc FROM audit ORDER BY id DESC LIMIT 1) FROM audit"
        " ORDER BY id LIMIT 1 OFFSET ?",
        [gone - 1],
    ).fetchone()
    note(db, TRIMMED, "box", f"{last} {chained}", wall_utc)
    db.execute("DELETE FROM audit WHERE id <= ?", [last])
    return int(gone)


def newest(db: Database, most: int = 200) -> list[Noted]:
    """Return the newest entries, newest first."""
    found = db.execute("SELECT wall_utc, body FROM audit ORDER BY id DESC LIMIT ?", [most])
    return [Noted(wall_utc, **msgspec.json.decode(body)) for wall_utc, body in found]


def check(db: Database) -> Checked:
    """Walk the whole chain, from where it says that it begins."""
    entries, before = _beginning(db)
    broken_at = None
    for number, wall_utc, body, chained in db.execute(
        "SELECT id, wall_utc, body, hash FROM audit ORDER BY id"
    ):
        entries += 1
        follows = number == entries and chained == _hash(before, wall_utc, body)
        if not follows and broken_at is None:
            broken_at = entries
        before = chained
    return Checked(entries, broken_at, before)


def _beginning(db: Database) -> tuple[int, str]:
    """Return the number and the hash of the last entry that was trimmed; 0 and "" for none."""
    told = db.execute(
        "SELECT json_extract(body, '$.detail') FROM audit WHERE json_extract(body, '$.what') = ?"
        " ORDER BY id DESC LIMIT 1",
        [TRIMMED],
    ).fetchone()
    number, _, before = told[0].partition(" ") if told else ("0", "", "")
    return (int(number), before) if number.isdecimal() else (0, "")


def digest(text: str) -> str:
    """Return a short fingerprint, to name something that is not told here."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _hash(before: str, wall_utc: str, body: str) -> str:
    return hashlib.sha256(f"{before}\n{wall_utc}\n{body}".encode()).hexdigest()
