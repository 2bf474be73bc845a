"""Who is signed in: a cookie that says nothing, and who it stands for, in memory only.

Pure; a restart signs everybody out.
"""

import hashlib
import secrets
from collections import OrderedDict
from typing import NamedTuple

from gateway.access import Person

COOKIE = "__Host-bikebox"
"""The prefix makes browsers keep it to this host, this path and TLS."""
PLAIN_COOKIE = "bikebox"
"""Where there is no TLS of our own: this machine alone, or a web server with TLS in front."""
LASTS_S = 8 * 3600.0
"""A technician's day."""
MOST = 64


class _Session(NamedTuple):
    person: Person
    until_s: float


class Sessions:
    """Cookie to person."""

    def __init__(self) -> None:
        self._by_cookie: OrderedDict[str, _Session] = OrderedDict()

    def open(self, person: Person, now_s: float) -> str:
        """Begin a session; return its cookie."""
        cookie = secrets.token_urlsafe(32)
        self._by_cookie[_name(cookie)] = _Session(person, now_s + LASTS_S)
        if len(self._by_cookie) > MOST:
            self._by_cookie.popitem(last=False)
        return cookie

    def who(self, cookie: str, now_s: float) -> Person | None:
        """Return whose session this is."""
        session = self._by_cookie.get(_name(cookie))
        return session.person if session is not None and now_s < session.until_s else None

    def close(self, cookie: str) -> None:
        """End it."""
        self._by_cookie.pop(_name(cookie), None)


def _name(cookie: str) -> str:
    """Return what is kept of a cookie: enough to know it again, not enough to use it."""
    return hashlib.sha256(cookie.encode()).hexdigest()
