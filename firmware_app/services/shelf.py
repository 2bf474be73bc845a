"""The folder of journals: names rides, finds the newest, throws away what the gateway has.

A ride's number is one more than the newest name on the shelf, so names sort by age whatever the
clock says; four random letters keep two cards with the same number apart.
"""

import secrets
from collections.abc import Mapping
from pathlib import Path

from firmware_app.wire import RideId

KEEP = 20
"""Journals that stay although the gateway has them: recordings for a technician."""


class Shelf:
    """All journals of one box; the ride is their one writer."""

    def __init__(self, folder: Path, box: str) -> None:
        self._folder = folder
        self._box = box
        folder.mkdir(parents=True, exist_ok=True)

    def next_ride(self) -> RideId:
        """Return a name nobody has used, later in order than all on the shelf."""
        newest = self.newest()
        count = int(newest.name.split("_")[0]) + 1 if newest else 1
        return RideId(f"{count:06d}_{secrets.token_hex(2)}_{self._box}")

    def path(self, ride: RideId) -> Path:
        """Return where the journal of a ride is, or is to be."""
        return self._folder / f"{ride}.jsonl"

    def newest(self) -> Path | None:
        """Return the newest journal; None on an empty shelf."""
        return max(self._journals(), default=None)

    def clear(self, kept: Mapping[str, int]) -> None:
        """Remove all but the newest journals; never one that the gateway does not have whole."""
        for path in sorted(self._journals())[:-KEEP]:
            if kept.get(path.name) == path.stat().st_size:
                path.unlink()

    def _journals(self) -> list[Path]:
        return [path for path in self._folder.glob("*.jsonl") if path.name[:6].isdigit()]
