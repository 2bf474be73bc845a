"""The gateway as it runs: the ride's lines in, the studio's confirmation back, a console beside.

    gateway.sock ── journals ─> store ─> outbox ─> broker ─> studio
    ride.sock    <─ SyncState, Command ──────────────┘  ack, cmd
    ride.sock    ── Live ─> live lane, console
    ride.sock    ── PoseFeatures, CueAnswer ─> remote coach, phrasing ── Command ─> ride.sock

One thread owns the store; everything that waits, waits in asyncio.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import httpx
import msgspec
import structlog
from msgspec import structs

from firmware_app.clock import Clock
from firmware_app.errors import PartLost, WireError
from firmware_app.notify import notify
from firmware_app.settings import Settings
from firmware_app.sockets import Visit
from firmware_app.supervise import keep_going
from firmware_app.wire import (
    CameraState,
    Claim,
    Command,
    CueAnswer,
    Hud,
    Lexicon,
    Live,
    PoseFeatures,
    Reader,
    SyncState,
    ToGateway,
)
from gateway.audit import Noted, digest
from gateway.bike_link import BikeLink
from gateway.mqtt import read_address
from gateway.network_door import NetworkDoor
from gateway.phrasing.agent import Agent
from gateway.rides import RideRow
from gateway.store import Store
from gateway.sync import Sync
from gateway.updates import Updates
from gateway.web.api import make_api
from gateway.web.console import Health
from gateway.web.serve import bind, serve, write_port

log = structlog.get_logger()

BEAT_S = 0.2
TELL_S = 1.0
ROOM_S = 60.0
TWIN_S = 600.0
"""Two machines of one name throw each other out of the broker every few seconds."""
LIVE_S = 3.0
"""Live words older than this say nothing about now."""
ForUs = Live | PoseFeatures | CueAnswer | Lexicon | Hud | CameraState
"""What the ride says to the gateway; the rest of its words are the player's."""
_FOR_US = tuple(f'"type":"{kind.__name__}"'.encode() for kind in get_args(ForUs))
LONGEST_WAIT_S = 4.0
"""Between two tries of the broker or the ride; with the spread, five seconds at most."""
NTP_SPOKE = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd makes it once the wall clock is right."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class GatewayService:
    """One box's gateway."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Open the store; raise SetupError when settings or disk forbid it."""
        self._settings = settings
        self._clock = clock
        if settings.mqtt.url:
            read_address(settings.mqtt.url)
        self._store = Store(store_path(settings), settings.box, clock)
        said = digest(msgspec.json.encode(settings).decode())
        with contextlib.suppress(PartLost):
            self._store.note_if_new("started", f"{version('bikebox')}, settings {said}")
        self._bike = BikeLink(settings.gateway_socket, self._store)
        self._visit = Visit(settings.ride_socket)
        self._sync = Sync(settings.mqtt, settings.box, self._store, clock, self._command)
        self._ride_words: Reader[ForUs] = Reader(ForUs)
        self._live: Live | None = None
        self._idle: Hud | None = None
        self._vision: CameraState | None = None
        self._updates = Updates(self._store)
        self._http = httpx.AsyncClient(trust_env=False)
        self._agent = Agent(settings.phrasing, clock, self._command, self._http)
        self._ride_there = False
        self._door = NetworkDoor(settings, clock)
        self.name = settings.box

    async def run(self) -> None:
        """Serve until cancelled."""
        gateway = self._settings.gateway
        door = bind(gateway.host, gateway.port, "[gateway] port")
        await self._bike.open()
        run = Path(self._settings.paths.run)
        write_port(door.getsockname()[1], run / "gateway.port")
        log.info("serving", console=f"http://{gateway.host}:{door.getsockname()[1]}/")
        notify("READY=1")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve(make_api(self), door))
                tasks.create_task(
                    self._door.run(self, lambda port: write_port(port, run / "gateway-lan.port"))
                )
                tasks.create_task(
                    keep_going("ride", self._hear, self._clock, longest_wait_s=LONGEST_WAIT_S)
                )
                if self._settings.mqtt.url:
                    tasks.create_task(
                        keep_going(
                            "broker", self._sync.run, self._clock, self._sync.lost, LONGEST_WAIT_S
                        )
                    )
                if self._settings.phrasing.url:
                    tasks.create_task(keep_going("phrasing", self._agent.run, self._clock))
                tasks.create_task(self._beat())
        finally:
            await self._http.aclose()
            await self._bike.close()
            self._store.close()

    # the ride ------------------------------------------------------------------------------

    async def _hear(self, worked: Callable[[], None]) -> None:
        try:
            async for line in self._visit.lines():
                worked()
                self._ride_there = True
                if not any(kind in line[:40] for kind in _FOR_US):
                    continue
                try:
                    self._take(self._ride_words.read(line))
                except WireError as error:
                    log.warning("line_dropped", source="ride", why=str(error))
        finally:
            self._ride_there = False

    def _take(self, told: ForUs) -> None:
        if isinstance(told, Hud):
            self._idle = told
            return
        if isinstance(told, CameraState):
            self._vision = told
            return
        self._agent.hear(told)
        match told:
            case Live():
                self._live = told
                self._sync.live(told)
            case PoseFeatures():
                self._sync.coach.pose(told)
            case CueAnswer():
                self._sync.coach.answer(told)

    def _command(self, command: Command) -> bool:
        return self._visit.tell(command)

    async def _beat(self) -> None:
        """Tell the ride how far the studio is: at each change, and once a second."""
        told: tuple[str, int, str] | None = None
        told_s = room_s = self._clock.monotonic()
        gateway = self._settings.gateway
        while True:
            now_s = self._clock.monotonic()
            state: SyncState = self._sync.state()
            words = (state.sync, state.unsynced, state.why)
            if words != told or now_s - told_s >= TELL_S:
                self._visit.tell(structs.replace(state, update=self._updates.wrong))
                self._visit.tell(self._door.offer(riding=self.riding))
                told, told_s = words, now_s
                self._sync.wrong = {
                    part: why
                    for part, why in self.health().wrong.items()
                    if part not in ("broker", "studio")  # who hears it knows better
                }
                notify("WATCHDOG=1")
                with contextlib.suppress(PartLost):  # told among the parts
                    self._updates.look()
                    self._look_at_the_clock()
                    if now_s - room_s >= ROOM_S:
                        room_s = now_s
                        if self._store.refused:
                            self._store.try_again()
                        self._store.make_room(gateway.keep_mb * 1_000_000, gateway.keep_days)
            await self._clock.sleep(BEAT_S)

    def _look_at_the_clock(self) -> None:
        synced = NTP_SPOKE.exists()
        if synced and not self._store.outbox.wall_synced:
            wrong = self._store.fix_clock(BOOT_ID.read_text(encoding="ascii").strip())
            log.info("clock_right", rides_corrected=wrong)
        self._store.outbox.wall_synced = synced

    # the console ---------------------------------------------------------------------------

    def health(self) -> Health:
        """Return how the box is doing."""
        state = self._sync.state()
        parts = {
            "ride": "ok" if self._ride_there else "the ride service is not there",
            "store": self._store.refused or "ok",
            "journals": "ok" if self._bike.connected else "the ride tells nothing",
            **self._door.parts,
            **self._updates.parts,
        }
        now_s = self._clock.monotonic()
        told = self.live() or self._idle
        if told is not None and now_s - told.t_s < LIVE_S:
            parts |= {part: words for part, words in told.parts.items() if part != "gateway"}
        if self._settings.mqtt.url:
            parts["broker"] = state.why if state.sync == "offline" else "ok"
        if state.sync != "offline":
            parts["studio"] = state.why or "ok"
        if self._sync.twin_s is not None and now_s - self._sync.twin_s < TWIN_S:
            parts["name"] = f"another machine says that it is {self._settings.box}"
        return Health(
            ok=all(words == "ok" for words in parts.values()),
            box=self._settings.box,
            version=version("bikebox"),
            parts=parts,
            sync=state.sync,
            unsynced=state.unsynced,
            oldest_age_s=round(self._store.outbox.oldest_age_s, 1),
            last_confirmed_utc=self._store.last_confirmed_utc,
            unreadable=self._store.dead,
            given_up=self._store.outbox.given_up,
            messages_dropped=self._sync.dropped,
            vision=self._vision if self._vision and now_s - self._vision.t_s < LIVE_S else None,
        )

    def live(self) -> Live | None:
        """Return the newest live word; None when there is none of the last seconds."""
        live = self._live
        if live is None or self._clock.monotonic() - live.t_s > LIVE_S:
            return None
        return live

    def rides(self) -> Sequence[RideRow]:
        """Return the newest rides."""
        return self._store.rides()

    def ride(self, ride: str) -> RideRow | None:
        """Return one ride."""
        return self._store.ride(ride)

    def told(self, ride: str) -> Sequence[ToGateway]:
        """Return all that a ride told."""
        return self._store.told(ride)

    # the network ---------------------------------------------------------------------------

    @property
    def riding(self) -> bool:
        """Is somebody on the bike now."""
        return self.live() is not None

    def claim(self, claim: Claim) -> bool:
        """Tell the ride who rides next."""
        return self._visit.tell(claim)

    def note(self, what: str, who: str, detail: str) -> None:
        """Put an entry into the audit."""
        self._store.note(what, who, detail)

    def audit(self) -> Sequence[Noted]:
        """Return the newest entries of the audit."""
        return self._store.audit()


def store_path(settings: Settings) -> Path:
    """Return where the store's one file is."""
    return Path(settings.paths.state) / "gateway" / "gateway.db"
