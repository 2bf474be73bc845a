"""Notices that somebody else confirms the boxes' records: what another has, no box sends here.

A second studio at the same broker with a database of its own, or this one's database put back from
an old copy: both are found by a watermark, retained at the broker, that is beyond ours.
"""

from collections.abc import Callable

import structlog

from firmware_app.errors import WireError
from gateway.topics import Ack, unpack

log = structlog.get_logger()

MOST_NAMED = 5


class Elsewhere:
    """The boxes of which records were confirmed and are not here, since this studio started."""

    def __init__(self, upto: Callable[[str, str], int]) -> None:
        """Take what tells how far an epoch of a box is confirmed here."""
        self._upto = upto
        self._ours: dict[tuple[str, str], int] = {}
        self.boxes: set[str] = set()
        self.dropped = 0
        """Messages that nobody can read."""

    def told(self, box: str, ack: Ack) -> None:
        """Note what we have just confirmed."""
        self._ours[box, ack.epoch] = ack.upto

    def hear(self, topic: str, payload: bytes) -> None:
        """Take in a watermark, our own or another's; raise PartLost without the database."""
        box = topic.split("/")[2]
        try:
            ack = unpack(payload, Ack)
        except WireError:
            self.dropped += 1
            return
        key = (box, ack.epoch)
        if ack.upto <= self._ours.get(key, -1):
            return
        self._ours[key] = ours = self._upto(*key)
        if ack.upto > ours and box not in self.boxes:
            self.boxes.add(box)
            log.warning("confirmed_elsewhere", box=box, upto=ack.upto, here=ours)

    @property
    def words(self) -> str:
        """Say what has happened and what to do; empty: nothing."""
        if not self.boxes:
            return ""
        named = ", ".join(sorted(self.boxes)[:MOST_NAMED])
        more = f" and {len(self.boxes) - MOST_NAMED} more" if len(self.boxes) > MOST_NAMED else ""
        return (
            f"Records of {named}{more} were confirmed and are not here. Does another studio listen"
            " at this broker, or is this database an old copy? Their files bring the rides back:"
            " bikebox studio --import"
        )
