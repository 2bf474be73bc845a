"""Who is signed in: a cookie that says nothing, and who it stands for.

A technician's session is a day of work, and in memory. The gym's is a month, so that a board on a
wall stays a board, and is kept over a restart where there is a file for it. A session ends with
what it was opened with: another PIN, or a token that was taken back.
"""

import hashlib
import secrets
from collections import OrderedDict
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from gateway.access import Access, Person, Role

COOKIE = "__Host-bikebox"
"""The prefix makes browsers keep it to this host, this path and TLS."""
PLAIN_COOKIE = "bikebox"
"""Where there is no TLS of our own: this machine alone, or a web server with TLS in front."""
LASTS: dict[Role, timedelta] = {"technician": timedelta(hours=8), "gym": timedelta(days=30)}
MOST = 64


class Session(Struct, frozen=True, kw_only=True):
    """What is kept of one."""

    name: str
    role: Role
    until_utc: datetime
    opened_with: str
    """Fingerprint of the PIN's or the token's hash."""


class Sessions:
    """Cookie to person."""

    def __init__(self, access: Access, kept: Path | None = None) -> None:
        """Begin with what the file has, if it can be read."""
        self._access = access
        self._kept = kept
        self._by_cookie: OrderedDict[str, Session] = OrderedDict()
        if kept is not None:
            try:
                found = msgspec.json.decode(kept.read_bytes(), type=dict[str, Session])
                self._by_cookie.update(found)
            except (OSError, msgspec.MsgspecError):
                pass  # nobody was signed in, or everybody signs in anew

    def open(self, person: Person, now: datetime) -> str:
        """Begin a session; return its cookie."""
        cookie = secrets.token_urlsafe(32)
        self._by_cookie[_digest(cookie)] = Session(
            name=person.name,
            role=person.role,
            until_utc=now + LASTS[person.role],
            opened_with=self._secret_of(person),
        )
        if len(self._by_cookie) > MOST:
            self._by_cookie.popitem(last=False)
        self._keep()
        return cookie

    def who(self, cookie: str, now: datetime) -> Person | None:
        """Return whose session this is."""
        session = self._by_cookie.get(_digest(cookie))
        if session is None or now >= session.until_utc:
            return None
        person = Person(session.name, session.role)
        return person if session.opened_with == self._secret_of(person) else None

    def close(self, cookie: str) -> None:
        """End it."""
        self._by_cookie.pop(_digest(cookie), None)
        self._keep()

    def _secret_of(self, person: Person) -> str:
        access = self._access
        kept = access.pin if person.role == "gym" else access.tokens.get(person.name, "")
        return _digest(kept)[:16] if kept else "nothing"

    def _keep(self) -> None:
        if self._kept is None:
            return
        gym = {name: one for name, one in self._by_cookie.items() if one.role == "gym"}
        fresh = self._kept.with_name(self._kept.name + ".new")
        try:
            fresh.touch(mode=0o600)
            fresh.write_bytes(msgspec.json.encode(gym))
            fresh.replace(self._kept)
        except OSError:
            pass  # a board signs in anew after a restart, and that is all


def _digest(secret: str) -> str:
    """Return what is kept of a secret: enough to know it again, not enough to use it."""
    return hashlib.sha256(secret.encode()).hexdigest()
