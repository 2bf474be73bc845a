"""Which bikes there are and how they are, by what each last said of itself.

Their status is retained at the broker, with a last will: a studio that starts knows all of them,
and a bike whose plug is pulled is offline within half a minute.
"""

from collections.abc import Mapping
from typing import NamedTuple

from firmware_app.errors import WireError
from gateway.studio.archive import BoxStored
from gateway.topics import Status, box_topic, unpack

MOST_BIKES = 20_000
"""A bound, not a plan."""


class Bike(NamedTuple):
    """One bike as people and programs see it."""

    box: str
    online: bool
    version: str
    wrong: dict[str, str]
    """Part to what is wrong with it."""
    stored_utc: str
    """When this studio last confirmed records of it; empty: never."""
    rides: int


class Bikes:
    """What the bikes said; nothing of it is stored."""

    def __init__(self) -> None:
        self._said: dict[str, Status] = {}

    def hear(self, topic: str, payload: bytes) -> None:
        """Take in a status; an empty one is the broker's word that a box is no more.

        Raise WireError when it is none, or on another box's topic.
        """
        box = topic.split("/")[2]
        if not payload:
            self._said.pop(box, None)
            return
        status = unpack(payload, Status)
        if topic != box_topic(status.box, "status"):
            raise WireError(f"{status.box} speaks on another box's topic")
        if box in self._said or len(self._said) < MOST_BIKES:
            self._said[box] = status

    @property
    def online(self) -> list[str]:
        """The bikes that are there now, by name."""
        return sorted(box for box, status in self._said.items() if status.online)

    @property
    def wrong(self) -> int:
        """How many of them say that something is wrong."""
        return sum(status.online and bool(status.wrong) for status in self._said.values())

    def all(self, stored: Mapping[str, BoxStored]) -> list[Bike]:
        """Return every bike that was heard of or has records here: who needs a look comes first."""
        bikes = []
        for box in self._said.keys() | stored.keys():
            said = self._said.get(box) or Status(box=box, online=False)
            known = stored.get(box) or BoxStored("", 0)
            wrong = said.wrong if said.online else {}
            bikes.append(Bike(box, said.online, said.version, wrong, known.at_utc, known.rides))
        return sorted(bikes, key=lambda bike: (not bike.wrong, bike.online, bike.box))
