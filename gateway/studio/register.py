"""Which boxes belong to this gym: claims that wait, certificates that stand, and who did what.

One SQLite file beside the studio's. Two processes write it, each in short transactions: the
studio, which grants, and the operator's `bikebox studio claim`, which makes claims, also while the
studio is down. Every grant, refusal and revocation is in its audit, with where it came from.
"""

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from sqlite_utils import Database, Migrations

from firmware_app.clock import Clock
from firmware_app.errors import BadInput
from gateway.audit import Checked, Noted, check, create_audit, newest, note
from gateway.database import open_database
from gateway.identity.claim import make_code, read_code

steps = Migrations("identity")


@steps()
def begin(db: Database) -> None:
    """Make the tables."""
    db.table("claim").create(
        {
            "number": str,
            "verifier": str,
            "box": str,
            "made_by": str,
            "expires_utc": str,
            "replaces": int,
            "wrong": int,
            "key": str,
        },
        pk="number",
    )
    db.table("certificate").create(
        {
            "n": int,
            "serial": str,
            "box": str,
            "key": str,
            "claim": str,
            "ends_utc": str,
            "revoked_utc": str,
            "pem": str,
        },
        pk="n",
    ).create_index(["serial"], unique=True)
    db.table("certificate").create_index(["box"])
    db.table("certificate").create_index(["key"])
    db.table("audit").create({"id": int, "wall_utc": str, "body": str}, pk="id")
    create_audit(db)


class Waiting(NamedTuple):
    """A claim as it is kept."""

    verifier: str
    box: str
    expires_utc: str
    replaces: bool
    wrong: int
    key: str | None
    """Fingerprint of the key that used it; None: nobody has."""


class Standing(NamedTuple):
    """A certificate as it is kept."""

    serial: str
    box: str
    key: str
    revoked_utc: str | None
    pem: str


class Entry(NamedTuple):
    """One box as the operator sees it."""

    box: str
    ends_utc: str
    """Until when its newest certificate is good; empty: it has none yet."""
    revoked_utc: str
    claim_until_utc: str
    """Until when a claim waits for it; empty: none does."""

    @property
    def words(self) -> str:
        """Say how it stands with the box."""
        if self.revoked_utc:
            said = f"revoked {self.revoked_utc[:10]}"
        elif self.ends_utc:
            said = f"certificate until {self.ends_utc[:10]}"
        else:
            said = "no certificate yet"
        waits = f", a claim waits until {self.claim_until_utc[:16]}" if self.claim_until_utc else ""
        return said + waits


class Register:
    """The file; used by one thread of a process."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._db = open_database(path, steps, clock)
        self._clock = clock

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    # the operator --------------------------------------------------------------------------

    def make_claim(self, box: str, by: str, hours: float, *, replace: bool) -> str:
        """Make a claim and return its code, which is kept nowhere; raise BadInput."""
        ends = self.now() + timedelta(hours=hours)
        with self.alone():
            if not replace and self.newest(box) is not None:
                raise BadInput(
                    f"{box} has a certificate already. For a new card in the same bike add"
                    " --replace: the old certificate is then revoked when the new one is made"
                )
            self._db.execute("DELETE FROM claim WHERE box = ? AND key IS NULL", [box])
            text = make_code()
            code = read_code(text)
            self._db.execute(
                "INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, 0, NULL)",
                [code.number, code.verifier, box, by, write_utc(ends), int(replace)],
            )
            self.note("claim_made", by, f"{box}, claim {code.number}, until {write_utc(ends)}")
        return text

    def revoke(self, box: str, by: str, why: str) -> int:
        """Trust a box no longer, nor a claim that waits for it; return how many certificates."""
        with self.alone():
            self._db.execute("DELETE FROM claim WHERE box = ? AND key IS NULL", [box])
            number = self.revoke_all(box)
            self.note("revoked", by, f"{box}, {number} certificates" + (f": {why}" if why else ""))
        return number

    def boxes(self) -> list[Entry]:
        """Return every box that has or had a certificate or a claim, by name."""
        rows = self._db.execute(
            "SELECT box, ends_utc, revoked_utc, claim FROM"
            " (SELECT box, ends_utc, revoked_utc, max(n) FROM certificate GROUP BY box)"
            " LEFT JOIN (SELECT box AS b, expires_utc AS claim FROM claim WHERE key IS NULL"
            " AND expires_utc > ?) ON b = box"
            " UNION SELECT box, NULL, NULL, expires_utc FROM claim WHERE key IS NULL"
            " AND expires_utc > ? AND box NOT IN (SELECT box FROM certificate) ORDER BY 1",
            [write_utc(self.now())] * 2,
        )
        return [Entry(*(value or "" for value in row)) for row in rows]

    def check_audit(self) -> Checked:
        """Walk the audit's chain."""
        return check(self._db)

    # the broker ----------------------------------------------------------------------------

    def trusted(self) -> list[str]:
        """Return the boxes that have a certificate which stands, by name."""
        found = self._db.execute(
            "SELECT DISTINCT box FROM certificate WHERE revoked_utc IS NULL ORDER BY box"
        )
        return [box for (box,) in found]

    def untrusted(self) -> list[str]:
        """Return the boxes that had one and have none, by name."""
        standing = set(self.trusted())
        found = self._db.execute("SELECT DISTINCT box FROM certificate ORDER BY box")
        return [box for (box,) in found if box not in standing]

    def revoked(self) -> list[tuple[int, datetime]]:
        """Return serial numbers and since when they are not trusted."""
        found = self._db.execute(
            "SELECT serial, revoked_utc FROM certificate WHERE revoked_utc IS NOT NULL ORDER BY n"
        )
        return [(int(serial, 16), datetime.fromisoformat(when)) for serial, when in found]

    @property
    def state(self) -> int:
        """Count what has happened; another number is other news."""
        return int(self._db.execute("SELECT max(id) FROM audit").fetchone()[0] or 0)

    def audit(self, most: int = 200) -> list[Noted]:
        """Return the newest entries, newest first."""
        return newest(self._db, most)

    # rows ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One transaction that nobody else's comes between."""
        connection = self._db.conn
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def note(self, what: str, who: str, detail: str) -> None:
        """Add to the audit, in the caller's transaction."""
        note(self._db, what, who, detail, self.now().isoformat())

    def claim(self, number: str) -> Waiting | None:
        """Return a claim, used or not."""
        row = self._db.execute(
            "SELECT verifier, box, expires_utc, replaces, wrong, key FROM claim WHERE number = ?",
            [number],
        ).fetchone()
        return Waiting(*row) if row else None

    def tried_wrongly(self, number: str) -> None:
        """Count a wrong code."""
        self._db.execute("UPDATE claim SET wrong = wrong + 1 WHERE number = ?", [number])

    def use(self, number: str, key: str) -> bool:
        """Use a claim up; tell whether it could be."""
        used = self._db.execute(
            "UPDATE claim SET key = ? WHERE number = ? AND key IS NULL", [key, number]
        )
        return used.rowcount > 0

    def add(self, new: Standing, claim: str, ends_utc: str) -> None:
        """Keep a new certificate."""
        self._db.table("certificate").insert(
            {**new._asdict(), "claim": claim, "ends_utc": ends_utc}
        )

    def certificate(
        self, which: Literal["serial", "box", "key", "claim"], value: str
    ) -> Standing | None:
        """Return the newest certificate with this serial, box, key or claim."""
        row = self._db.execute(
            "SELECT serial, box, key, revoked_utc, pem FROM certificate"  # noqa: S608 - our words
            f" WHERE {which} = ? ORDER BY n DESC LIMIT 1",
            [value],
        ).fetchone()
        return Standing(*row) if row else None

    def newest(self, box: str) -> Standing | None:
        """Return the certificate a box should be using."""
        found = self.certificate("box", box)
        return None if found is None or found.revoked_utc else found

    def revoke_all(self, box: str) -> int:
        """Revoke every certificate of a box; return how many stood."""
        return self._db.execute(
            "UPDATE certificate SET revoked_utc = ? WHERE box = ? AND revoked_utc IS NULL",
            [write_utc(self.now()), box],
        ).rowcount

    def now(self) -> datetime:
        """Return the time."""
        return self._clock.wall()


def write_utc(when: datetime) -> str:
    """Write a time so that later sorts after earlier."""
    return when.isoformat(timespec="seconds")
