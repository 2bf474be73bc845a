"""The studio as it runs: records in, watermarks back, the class in counts for the instructor."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI

from firmware_app.clock import Clock
from firmware_app.errors import PartLost
from firmware_app.notify import notify
from firmware_app.supervise import keep_going
from gateway.access import read_access
from gateway.mqtt import Heard, Line, connected, read_address
from gateway.pump import GATHER_S
from gateway.studio.api import make_studio_api
from gateway.studio.archive import Archive, Came, RideStored
from gateway.studio.board import board
from gateway.studio.ear import Ear
from gateway.studio.elsewhere import Elsewhere
from gateway.studio.enrol import add_enrolment
from gateway.studio.extras import load_extra
from gateway.studio.identities import Identities
from gateway.studio.room import Counts, Room
from gateway.studio.settings import GymSettings, check_doors
from gateway.studio.yard import Yard
from gateway.topics import (
    ALL_ACKS,
    ALL_ANSWERS,
    ALL_FORM,
    ALL_STATUS,
    ALL_UP,
    aggregate_topic,
    box_topic,
    pack,
)
from gateway.web.serve import bind, serve, write_port
from gateway.web.signing_in import Door

log = structlog.get_logger()

AGGREGATE_S = 1.0
WATCHED_S = 0.03
"""What comes is gathered so long before it is counted: a change is on the board within 50 ms."""
UNWATCHED_S = 0.1
"""And so long while no board is open and no box has records."""
MOST_BOARDS = 100
LONGEST_WAIT_S = 4.0


class StudioService:
    """One gym's studio."""

    def __init__(self, settings: GymSettings, clock: Clock, port_file: Path | None = None) -> None:
        """Open the archive; raise SetupError when settings or disk forbid it."""
        read_address(settings.mqtt.url)
        check_doors(settings)
        self._settings = settings
        self._tls = settings.tls
        self._clock = clock
        self._port_file = port_file
        self._archive = Archive(settings.database, clock)
        if settings.stream.servers:
            self._stream = load_extra("stream", "[stream] servers")
        self._identities = Identities(settings, clock) if settings.keeps_register else None
        self._room = Room(settings.few_below)
        self._ear = Ear(self._room)
        self._elsewhere = Elsewhere(self._archive.upto)
        self.yard = Yard(self._archive, self._elsewhere, self._note, clock)
        self._boards: dict[str, str] = {}
        self._drawn = (-1, "")
        """What the boards were made of."""
        self._watchers = 0
        self._changes = 0
        self._changed = asyncio.Event()
        self._counts = {"records": 0, "rides": 0, "unreadable": 0}
        self._line: Line | None = None
        self._trouble = self.yard.trouble = "Connecting to the broker"

    async def run(self) -> None:
        """Serve until cancelled."""
        settings = self._settings
        door = bind(settings.host, settings.port, "port in gym.toml")
        if self._port_file is not None:
            write_port(door.getsockname()[1], self._port_file)
        app = self._app()
        scheme = "https" if self._tls else "http"
        log.info("serving", board=f"{scheme}://{settings.host}:{door.getsockname()[1]}/")
        notify("READY=1")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve(app, door, self._tls))
                if self._identities is not None:
                    tasks.create_task(self._identities.run())
                tasks.create_task(
                    keep_going("broker", self._listen, self._clock, self._lost, LONGEST_WAIT_S)
                )
                tasks.create_task(self._count_aloud())
        finally:
            self._archive.close()
            if self._identities is not None:
                self._identities.close()

    def _app(self) -> FastAPI:
        settings = self._settings
        hosts = [settings.host, "127.0.0.1", "localhost", *settings.names]
        identities = self._identities
        if identities is None:
            return make_studio_api(self, hosts)
        door = None
        if settings.access_file:
            access = read_access(Path(settings.access_file))
            kept = Path(settings.identity.folder) / "sessions.json"
            door = Door(access, identities.note, self._clock, tls=self._tls is not None, kept=kept)
        app = make_studio_api(self, hosts, door)
        if (grants := identities.grants) is not None:
            add_enrolment(app, *grants, self._clock)
        return app

    async def _listen(self, worked: Callable[[], None]) -> None:
        settings = self._settings
        shared = bool(settings.stream.servers)
        topics: tuple[tuple[str, int], ...] = ((ALL_FORM, 0), (ALL_STATUS, 1), (ALL_ANSWERS, 1))
        if not shared:
            topics = ((ALL_UP, 1), (ALL_ACKS, 0), *topics)
        lost: Sequence[Exception] = ()
        async with connected(
            settings.mqtt, settings.studio, topics, keep_session=not shared
        ) as line:
            try:
                async with asyncio.TaskGroup() as tasks:
                    if shared:
                        tasks.create_task(self._take_our_share(line, worked))
                    else:
                        self._up(line, worked)
                    tasks.create_task(self._take_all(line))
            except* PartLost as both:
                lost = both.exceptions
            finally:
                self._line = self.yard.line = None
        raise PartLost(str(lost[0]))

    def _up(self, line: Line, worked: Callable[[], None]) -> None:
        worked()
        self._line = self.yard.line = line
        self._trouble = self.yard.trouble = ""
        self._tell_watchers()

    async def _take_all(self, line: Line) -> None:
        while True:
            self._take(line, await line.heard(AGGREGATE_S))

    async def _take_our_share(self, line: Line, worked: Callable[[], None]) -> None:
        async with self._stream.flowing(self._settings.stream) as flow:
            self._up(line, worked)
            while True:
                letters = await flow.letters(AGGREGATE_S)
                if letters:
                    self._store(line, [letter.came for letter in letters])
                for letter in letters:
                    await letter.stored()

    def _gather(self, gather_s: float) -> None:
        if self._line is not None:
            self._line.pump.gather_s = gather_s

    def _note(self, what: str, who: str, detail: str) -> None:
        if self._identities is not None:
            self._identities.note(what, who, detail)

    def _lost(self, why: str) -> None:
        self._trouble = self.yard.trouble = f"No news from the bikes: {why}"
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        self._changes = self._room.changes
        self._changed.set()
        self._changed = asyncio.Event()

    def _take(self, line: Line, came: list[Heard]) -> None:
        records, busy, t_s = [], False, self._clock.monotonic()
        for heard in came:
            if heard.topic.startswith("fitness/"):
                if not heard.retained:
                    self._ear.hear(heard.topic, heard.payload, t_s)
            elif heard.topic.endswith("/up"):
                records.append(Came(heard.topic, heard.payload))
            elif heard.topic.count("/") == 3 and heard.topic.endswith("/ack"):
                busy = True  # the box it confirms sends more
                self._elsewhere.hear(heard.topic, heard.payload)
            else:
                self.yard.hear(heard)
        if records:
            self._store(line, records)
        busy = busy or bool(records)
        self._gather(GATHER_S if busy else WATCHED_S if self._watchers else UNWATCHED_S)
        if self._room.changes != self._changes:
            self._tell_watchers()

    def _store(self, line: Line, records: list[Came]) -> None:
        """On disk first; only then a box may forget."""
        for box, ack in self._archive.store(records):
            self._elsewhere.told(box, ack)
            line.publish(box_topic(box, "ack"), pack(ack), qos=1, retain=True)

    async def _count_aloud(self) -> None:
        told: set[str] = set()
        while True:
            if self._line is not None and self._speaks():
                classes = self._room.classes(self._clock.monotonic())
                over = told - {counts.class_id for counts in classes}  # told once more, as empty
                told = {counts.class_id for counts in classes}
                for counts in (*classes, *map(self.count, sorted(over))):
                    self._line.publish(aggregate_topic(counts.class_id), pack(counts.aggregate()))
            notify("WATCHDOG=1")
            await self._clock.sleep(AGGREGATE_S)

    def _speaks(self) -> bool:
        """Tell whether we are the one of several studios that counts aloud."""
        try:
            return self._archive.speaks()
        except PartLost:
            return False

    # to people -----------------------------------------------------------------------------

    def board(self, only: str = "") -> str:
        """Return the board's body: of one class, or of all; made once for all who watch."""
        classes = self._room.classes(self._clock.monotonic())
        state = (self._room.changes, self._trouble)
        if state != self._drawn or len(self._boards) > MOST_BOARDS:
            self._drawn, self._boards = state, {}
        if only not in self._boards:
            self._boards[only] = board(self._settings.gym, classes, self._trouble, only)
        return self._boards[only]

    @contextlib.contextmanager
    def watching(self) -> Iterator[Callable[[], asyncio.Event]]:
        """Give what tells of the next change; while anybody watches, news is not gathered long."""
        self._watchers += 1
        self._gather(WATCHED_S)
        try:
            yield lambda: self._changed
        finally:
            self._watchers -= 1

    def count(self, class_id: str) -> Counts:
        """Return one class in counts."""
        return self._room.count(class_id, self._clock.monotonic())

    def rides(self) -> Sequence[RideStored]:
        """Return the newest rides."""
        return self._archive.rides()

    def ride(self, box: str, ride: str) -> RideStored | None:
        """Return one ride."""
        return self._archive.ride(box, ride)

    def health(self) -> dict[str, Any]:
        """Return how the studio is doing."""
        classes = self._room.classes(self._clock.monotonic())
        try:
            self._counts, database = self._archive.counts, "ok"
        except PartLost as lost:
            database = str(lost)
        told = (self._identities.trouble if self._identities else "") or "ok"
        hearing = (self.yard, self._elsewhere, self._ear, self._line)
        return {
            "ok": not self._trouble and database == "ok" and told == "ok",
            "broker": self._trouble or "ok",
            "database": database,
            "revocations": told,
            **self._counts,
            **self.yard.counts,
            "elsewhere": len(self._elsewhere.boxes),
            "riders": sum(counts.aggregate().riders for counts in classes),  # none by subtraction
            "dropped": sum(each.dropped for each in hearing if each is not None),
        }
