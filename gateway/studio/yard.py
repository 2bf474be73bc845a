"""The gym's bikes as pages and programs know them: what they say, what is stored, what is asked."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from firmware_app.clock import Clock
from firmware_app.errors import PartLost, WireError
from gateway.mqtt import Heard, Line
from gateway.studio.archive import Archive, BoxStored
from gateway.studio.bikes import Bike, Bikes
from gateway.studio.bikes_page import GONE_DAYS, bikes_body
from gateway.studio.elsewhere import Elsewhere
from gateway.studio.orders import Orders
from gateway.topics import Cmd, CmdAck

log = structlog.get_logger()


class Yard:
    """Every bike of the gym; its owner keeps line and trouble true."""

    def __init__(
        self,
        archive: Archive,
        elsewhere: Elsewhere,
        note: Callable[[str, str, str], None],
        clock: Clock,
    ) -> None:
        """Take where records are, and what adds (what, who, detail) to the studio's audit."""
        self._archive = archive
        self._elsewhere = elsewhere
        self._note = note
        self._clock = clock
        self._bikes = Bikes()
        self._orders = Orders()
        self.line: Line | None = None
        self.trouble = ""
        """Why nothing new can come; empty: it can."""
        self.dropped = 0
        """Messages that nobody can read, or that came on another box's topic."""

    def hear(self, heard: Heard) -> None:
        """Take in a bike's status, or its answer to a command."""
        told = self._bikes if heard.topic.endswith("/status") else self._orders
        try:
            told.hear(heard.topic, heard.payload)
        except WireError as error:
            self.dropped += 1
            log.debug("message_dropped", topic=heard.topic, why=str(error))

    def bikes(self) -> Sequence[Bike]:
        """Return every bike; who needs a look comes first."""
        return self._bikes.all(self._stored()[0])

    def body(self) -> str:
        """Return the body of the bikes' page."""
        stored, why_not = self._stored()
        wrong = self.trouble or why_not or self._elsewhere.words
        since = self._clock.wall() - timedelta(days=GONE_DAYS)
        return bikes_body(self._bikes.all(stored), wrong, since.isoformat())

    def _stored(self) -> tuple[dict[str, BoxStored], str]:
        """Return what there is of each box; while the database is away nothing, and why."""
        try:
            return self._archive.boxes(), ""
        except PartLost as lost:
            return {}, str(lost)

    @property
    def counts(self) -> dict[str, int]:
        """How many are there, and how many of these say that something is wrong."""
        return {"bikes_online": len(self._bikes.online), "bikes_wrong": self._bikes.wrong}

    async def ask(self, boxes: Sequence[str], cmd: Cmd) -> list[CmdAck]:
        """Ask it of these, or of all that are online; raise PartLost without a broker."""
        if self.line is None:
            raise PartLost(self.trouble)
        online = set(self._bikes.online)
        wanted = sorted(set(boxes)) or sorted(online)
        here = [box for box in wanted if box in online]
        away = [box for box in wanted if box not in online]
        words = f"{cmd.kind} {cmd.command} to {len(wanted)} bikes"
        self._note("command", cmd.by or "this machine", words)  # each box's audit has it too
        return await self._orders.give(self.line, cmd, here, away)
