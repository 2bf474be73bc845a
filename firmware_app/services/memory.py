"""What a bike keeps of a rider who agreed to it: how they sit here, in numbers, and their profile.

One small file for each rider in <state>/riders, beside the journals and written by the ride alone,
so it outlives updates and never leaves the bike. Its name is a keyed hash of the rider's, and of a
word that the rider's phone keeps, so that two of one name are two riders: who holds the files
without this box's key cannot tell whose they are. There is no name, no date and no picture in it.
`forget` removes it, on the rider's word from the studio or at this box; of a name that two riders
have it forgets both, for it cannot ask which.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from firmware_app.form.window import Summary
from firmware_app.wire import Profile, View

log = structlog.get_logger()

KEEP = 5
"""Baselines of a view: the middle of five is not moved by two bad days."""
MOST_RIDERS = 500
"""On one bike; who has not come for longest is forgotten first."""
DIGITS = 5


class Remembered(Struct, frozen=True, kw_only=True):
    """One rider on this bike. Fields are only ever added: an older release wrote these files."""

    rides: int = 0
    profile: Profile = Profile()
    baselines: dict[View, tuple[Summary, ...]] = {}
    """View to the baselines of the last rides, oldest first."""


class Memory:
    """All riders of one bike; what cannot be read or written never stops a ride."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key: bytes | None = None

    def place(self, rider: str, phone: str = "") -> str:
        """Return what a rider's file is called; phone: the word their phone keeps, if it does."""
        words = (" ".join(rider.casefold().split()), phone)
        return "-".join(self._hash(word) for word in words if word)

    def recall(self, place: str) -> Remembered:
        """Return what is known of a rider; of one who is not known, nothing."""
        try:
            return msgspec.json.decode(self._path(place).read_bytes(), type=Remembered)
        except FileNotFoundError:
            return Remembered()
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("rider_unreadable", why=str(error), do="the rider is learnt anew")
            return Remembered()

    def keep(self, place: str, known: Remembered) -> None:
        """Remember a rider; all on disk or all as it was."""
        try:
            path = self._path(place)
            fresh = path.with_suffix(".new")
            with fresh.open("wb") as file:
                file.write(msgspec.json.encode(known))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            self._make_room()
        except OSError as error:
            log.warning("rider_not_kept", why=str(error), do="free space on the card")

    def named(self, rider: str) -> list[str]:
        """Return the places of all riders of this name."""
        return sorted(path.stem for path in self._folder.glob(f"{self.place(rider)}*.json"))

    def forget(self, rider: str) -> bool:
        """Remove what is known of the riders of this name; tell whether there was anything."""
        places = self.named(rider)
        for place in places:
            self._path(place).unlink(missing_ok=True)
        return bool(places)

    def _make_room(self) -> None:
        newest_last = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
        for path in newest_last[:-MOST_RIDERS]:
            path.unlink()

    def _path(self, place: str) -> Path:
        return self._folder / f"{place}.json"

    def _hash(self, word: str) -> str:
        """Return 32 digits that tell nothing; makes this box's key when there is none."""
        if self._key is None:
            self._key = _read_key(self._folder)
        return hmac.new(self._key, word.encode(), hashlib.sha256).hexdigest()[:32]


def after(known: Remembered, view: View, summary: Summary, style: str) -> Remembered:
    """Return what is known of a rider after one more ride; a wish of this ride stays."""
    rounded = {name: round(value, DIGITS) for name, value in summary.items()}
    kept = (*known.baselines.get(view, ()), rounded)[-KEEP:]
    profile = known.profile
    if style in ("quiet", "normal", "more"):
        profile = msgspec.structs.replace(profile, style=style)
    return Remembered(
        rides=known.rides + 1, profile=profile, baselines={**known.baselines, view: kept}
    )


def _read_key(folder: Path) -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "key"
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(key)
        fresh.replace(path)
    return key
