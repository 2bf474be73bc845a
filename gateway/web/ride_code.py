"""The codes that a waiting bike shows to the next rider, each good once and for a few minutes.

Pure. A new one every minute; the one before stays good, for somebody may be typing. When one is
used, all are void: the bike has its rider.
"""

import hmac
import secrets

FRESH_S = 60.0
"""The screen shows each this long."""
GOOD_S = 300.0
"""Long enough to scan, type a name and read what it is for."""


class RideCodes:
    """The codes that are good."""

    def __init__(self) -> None:
        self._codes: dict[str, float] = {}
        """Code to when it was made, newest last."""

    def fresh(self, now_s: float) -> str:
        """Return the code to show: the newest, or a new one when that is a minute old."""
        self._codes = {code: at for code, at in self._codes.items() if now_s - at < GOOD_S}
        for code, at in self._codes.items():
            if now_s - at < FRESH_S:
                return code
        code = secrets.token_urlsafe(9)
        self._codes[code] = now_s
        return code

    def is_good(self, code: str, now_s: float) -> bool:
        """Tell whether a rider may still use it."""
        return any(
            hmac.compare_digest(known.encode(), code.encode()) and now_s - at < GOOD_S
            for known, at in self._codes.items()
        )

    def use_up(self) -> None:
        """Let none of them be good any more."""
        self._codes.clear()
