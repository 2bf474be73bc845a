"""The ride as it happens: carries events in and deeds out of one Ride after another.

    vision.sock ── PoseFrame ─> measure ─┐             ┌─ ride.sock    HUD, cue, live state
    crank ── pulse ──────────────────────┼─> Ride ─────┤
    ride.sock ── touch, outcome, command ┘             └─ journal ─> link ─> gateway.sock

All in one thread, so Ride needs no lock. What it hears is in the journal before it is fed, so a
killed process takes up its ride where it was.
"""

import asyncio
import secrets
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import structlog
from msgspec import structs

from firmware_app.clock import Clock
from firmware_app.coach.book import cue_file, read_cues
from firmware_app.errors import BadInput, WireError
from firmware_app.form.metrics import FormMetrics, measure
from firmware_app.form.reasons import ELSEWHERE
from firmware_app.form.view import ViewFinder
from firmware_app.hardware import Crank
from firmware_app.link import Link
from firmware_app.notify import notify
from firmware_app.ride.aiming import Aiming
from firmware_app.ride.events import CameraGone, Finish, Heard, Pulse, RideSetup, Tick
from firmware_app.ride.parts import Parts
from firmware_app.ride.recording import missing, read_recording, replay
from firmware_app.ride.ride import Deed, Ride, Send, Tell
from firmware_app.ride.start import Start
from firmware_app.ride.timetable import Timetable
from firmware_app.services.guest import Guest
from firmware_app.services.memory import Memory, Remembered, after
from firmware_app.services.notebook import Notebook
from firmware_app.services.shelf import Shelf
from firmware_app.settings import Settings
from firmware_app.sockets import Hub, Visit
from firmware_app.supervise import keep_going
from firmware_app.wire import (
    CameraState,
    Claim,
    Command,
    Debrief,
    FromVision,
    Hud,
    Interval,
    Live,
    Message,
    Offer,
    PlayerState,
    PoseFrame,
    Reader,
    RideEnded,
    RideStarted,
    Say,
    SyncState,
    ToRide,
    Touch,
    View,
)

log = structlog.get_logger()

TICK_S = 0.2
COUNTS_S = 60.0
"""A ride shorter than this is no ride to be remembered by."""
NTP_SPOKE = Path("/run/systemd/timesync/synchronized")
"""There once the network has set this box's clock since it was switched on."""
DEBRIEF_S = 20.0
"""How long a ride's last screen stays; then the bike waits for the next rider."""


class RideService:
    """One saddle: waits for a rider, rides, waits again."""

    def __init__(self, settings: Settings, crank: Crank, clock: Clock, boot_id: str) -> None:
        self._settings = settings
        self._crank = crank
        self._clock = clock
        self._boot_id = boot_id
        self._book = read_cues(cue_file(settings.coach.language))
        self._hub = Hub(settings.ride_socket, self._hear)
        self._vision = Visit(settings.vision_socket)
        self._camera_on = True
        """The rider's wish, for one ride."""
        self._from_vision: Reader[FromVision] = Reader(FromVision)
        self._from_visitors: Reader[ToRide] = Reader(ToRide)
        self._link = Link(settings.journals, settings.gateway_socket, clock)
        self._shelf = Shelf(settings.journals, settings.box)
        self._notebook = Notebook()
        self._parts = Parts()
        self._start = Start(settings.ride.start_turns, settings.crank.pulses_per_turn)
        self._finder = ViewFinder()
        self._view: View = settings.vision.known_view or "front"
        """Where the camera stands, as far as is known."""
        self._guest = Guest(settings.rider)
        self._memory = Memory(settings.riders)
        self._forgotten: set[str] = set()
        """Names that were to be forgotten while somebody rides."""
        self._timetable = Timetable(settings.player)
        self._aiming: tuple[Aiming, Callable[[Message], None]] | None = None
        """The camera being aimed, and how to tell the screen that asked for it."""
        self._ride: Ride | None = None
        self._hud = self._waiting()
        self._debrief: Debrief | None = None

    async def run(self) -> None:
        """Serve until cancelled; a lost part is waited for, a bug ends the process."""
        self._take_up()
        self._hub.greet_with(lambda: self._shown(self._clock.monotonic()))
        self._hub.greet_with(lambda: self._debrief)
        self._hub.greet_with(lambda: self._ride.prepare() if self._ride else None)
        if self._settings.phrasing.url:
            self._hub.greet_with(lambda: self._ride.lexicon() if self._ride else None)
        await self._hub.open()
        loop = asyncio.get_running_loop()

        def closed(t_s: float) -> None:
            loop.call_soon_threadsafe(self._pulse, t_s)

        self._crank.listen(closed)
        notify("READY=1")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    keep_going("vision", self._watch, self._clock, self._vision_gone, 2.0)
                )
                tasks.create_task(keep_going("gateway", self._link.run, self._clock))
                tasks.create_task(self._tick())
        finally:
            self._feed(Finish(t_s=self._clock.monotonic(), why="power off"))
            self._crank.close()
            await self._hub.close()

    # what comes in -------------------------------------------------------------------------

    async def _watch(self, worked: Callable[[], None]) -> None:
        told_off = False
        async for line in self._vision.lines():
            worked()
            if told_off == self._camera_on:  # by the rider's touch, or vision was started anew
                told_off = not self._camera_on
                now_s = self._clock.monotonic()
                self._vision.tell(
                    Touch(t_s=now_s, action="camera_off" if told_off else "camera_on")
                )
            try:
                seen = self._from_vision.read(line)
            except WireError as error:
                log.warning("line_dropped", source="vision", why=str(error))
                continue
            match seen:
                case PoseFrame():
                    self._see(seen)
                case CameraState():
                    self._hub.tell(seen)
                    if not seen.ok:  # when it is back, the next pose says so
                        self._camera_gone(seen.why)

    def _see(self, seen: PoseFrame) -> None:
        self._parts.pose(seen)
        self._finder.see(seen)
        found = self._finder.found
        if self._ride is None and self._settings.vision.known_view is None:
            self._view = found or self._view
        metrics = measure(seen, self._view)
        if self._aiming is not None:
            self._aiming[0].see(seen, metrics, found)
        moved = found is not None and found != self._view
        self._parts.view = (
            f"set up for {self._view}, sees the rider from {found}: turn the camera back,"
            f' or set [vision] view = "{found}"'
            if moved
            else ""
        )
        self._feed(FormMetrics(t_s=seen.t_s, blind=ELSEWHERE) if moved else metrics)

    def _vision_gone(self, _why: str) -> None:
        self._camera_gone("camera is starting")

    def _camera_gone(self, why: str) -> None:
        if self._parts.camera_gone(why):
            self._feed(CameraGone(t_s=self._clock.monotonic(), why=why))

    def _pulse(self, t_s: float) -> None:
        if self._ride is not None:
            self._feed(Pulse(t_s=t_s))
        elif self._aiming is not None:
            self._aiming[0].pulse(t_s)
        elif pulses_s := self._start.pulse(t_s):
            self._begin(pulses_s)

    def _hear(self, line: bytes) -> None:
        try:
            message = self._from_visitors.read(line)
        except WireError as error:
            log.warning("line_dropped", source="ride.sock", why=str(error))
            return
        match message:
            case SyncState() | PlayerState():
                self._parts.hear(message)
            case Offer():
                self._guest.offer(message)
            case Claim():
                if self._ride is None:
                    self._guest.claim(message, self._clock.monotonic())
            case Command(kind="forget"):
                self._forget(message.text)
            case Command(kind="message"):
                self._show(message)
            case Command(kind="start_class"):
                self._timetable.hear(message)
                self._feed(message)
            case Touch():
                self._touch(message)
            case _:
                self._feed(message)

    def _touch(self, touch: Touch) -> None:
        match touch.action:
            case "start" if self._ride is None:
                self._begin((touch.t_s,))
            case "camera_off" | "camera_on":
                self._camera_on = touch.action == "camera_on"
            case "aim":
                self._aim(touch.t_s)
            case "aimed":
                self._aiming = None
            case _:
                self._feed(touch)

    async def _tick(self) -> None:
        while True:
            now_s = self._clock.monotonic()
            self._parts.journal = self._notebook.trouble
            self._parts.gateway = self._link.connected
            if self._ride is not None:
                self._feed(Tick(t_s=now_s))
                self._notebook.flush()
            else:
                if self._debrief is not None and now_s - self._debrief.t_s > DEBRIEF_S:
                    self._debrief = None
                if self._debrief is None:
                    self._hud = self._waiting()
                self._hub.tell(self._parts.idle(self._shown(now_s), now_s))
                self._show_aim(now_s)
            notify("WATCHDOG=1")
            await self._clock.sleep(TICK_S)

    # the camera being aimed ------------------------------------------------------------------

    def _aim(self, now_s: float) -> None:
        """Begin to show whoever asked what the camera sees; not while somebody rides."""
        if self._ride is None:
            turns = self._settings.crank.pulses_per_turn
            self._aiming = (Aiming(self._view, turns, now_s), self._hub.teller())

    def _show_aim(self, now_s: float) -> None:
        if self._aiming is None:
            return
        aiming, tell = self._aiming
        if aiming.over(now_s):
            self._aiming = None
        else:
            tell(aiming.show(now_s))

    # the ride ------------------------------------------------------------------------------

    def _begin(self, pulses_s: tuple[float, ...]) -> None:
        settings = self._settings
        rider = self._guest.rider(pulses_s[-1])
        claim = self._guest.claimed(pulses_s[-1]) or Claim(t_s=pulses_s[-1], rider="nobody")
        place = self._memory.place(rider, claim.phone) if claim.remember else ""
        known = self._memory.recall(place) if place else Remembered()
        setup = RideSetup(
            t_s=pulses_s[0],
            ride=self._shelf.next_ride(),
            box=settings.box,
            boot_id=self._boot_id,
            wall_utc=self._clock.wall().isoformat(timespec="milliseconds"),
            view=self._view,
            coaching=settings.coach,
            rules=settings.ride,
            pulses_s=pulses_s if len(pulses_s) > 1 else (),
            pulses_per_turn=settings.crank.pulses_per_turn,
            rider=rider,
            name_on_board=claim.name_on_board,
            rider_pseudonym=secrets.token_hex(4),
            class_id=settings.player.class_id,
            software=version("bikebox"),
            profile=claim.profile or known.profile,
            rides=max(claim.rides, known.rides),
            known=known.baselines.get(self._view, ()),
            remember=claim.remember,
            remembered_at=place,
            pose_hz=settings.mqtt.pose_hz if settings.mqtt.url else 0.0,
        )
        self._start = Start(settings.ride.start_turns, settings.crank.pulses_per_turn)
        self._debrief = self._aiming = None
        self._notebook.open(self._shelf.path(setup.ride))
        self._notebook.write(setup)
        self._ride = Ride(setup, self._book)
        log.info("ride_started", ride=setup.ride)
        for deed in self._ride.opening():
            self._do(deed)
        told = self._timetable.running(setup.t_s)
        if told is not None:
            self._feed(told)  # its cadence band, told before there was a ride
        if settings.phrasing.url:
            self._hub.tell(self._ride.lexicon())

    def _take_up(self) -> None:
        """Go on with the ride that a killed process left, if it is of this boot and not over."""
        path = self._shelf.newest()
        if path is None:
            return
        try:
            recording = read_recording(path)
        except BadInput as error:
            log.warning("journal_unreadable", journal=path.name, why=str(error))
            return
        if any(isinstance(told, RideEnded) for told in recording.told):
            return
        ride, told = replay(recording, self._book)
        self._notebook.open(path)
        for message in missing(recording, told):
            self._notebook.write(message)
        self._ride = ride
        last_s = recording.heard[-1].t_s if recording.heard else recording.setup.t_s
        stale_s = self._clock.monotonic() - last_s
        same_boot = recording.setup.boot_id == self._boot_id
        if same_boot and 0 <= stale_s <= self._settings.ride.end_s:
            log.info("ride_taken_up", ride=recording.setup.ride, after_s=round(stale_s, 1))
        else:
            self._feed(Finish(t_s=last_s, why="power off"))

    def _feed(self, event: Heard) -> None:
        if self._ride is None:
            return
        self._notebook.write(event)
        for deed in self._ride.feed(event):
            self._do(deed)
        if self._ride.phase == "ended":
            self._remember(self._ride)
            self._ride = None
            self._camera_on = True
            self._guest.leave()
            self._forgotten.clear()
            self._notebook.close()
            self._shelf.clear(self._link.kept)

    def _remember(self, ride: Ride) -> None:
        """Keep what this ride has shown of a rider who agreed to it."""
        setup, baseline = ride.setup, ride.baseline
        if not setup.remember or setup.rider in self._forgotten:
            return
        place = setup.remembered_at or self._memory.place(setup.rider)
        known = structs.replace(self._memory.recall(place), profile=setup.profile)
        if baseline is not None and ride.riding_s >= COUNTS_S:
            known = after(known, setup.view, baseline.summary, ride.wished_style)
        self._memory.keep(place, known)

    def _forget(self, rider: str) -> None:
        """Remove what is kept of a rider; of one who rides now nothing will be kept either."""
        self._forgotten.add(rider)
        try:
            there = self._memory.forget(rider)
            log.info("rider_forgotten", there=there)
        except OSError as error:
            log.warning("rider_not_forgotten", why=str(error), do="remove the file in riders/")

    # what goes out -------------------------------------------------------------------------

    def _show(self, message: Command) -> None:
        """Put on the screen what the gym writes, whoever rides; nobody says it."""
        text = " ".join("".join(c if c.isprintable() else " " for c in message.text).split())
        if text:
            now_s = self._clock.monotonic()
            self._hub.tell(
                Say(
                    t_s=now_s,
                    cue=0,
                    rule="",
                    kind="message",
                    text=text,
                    until_s=now_s,
                    voice=False,
                )
            )

    def _do(self, deed: Deed) -> None:
        now_s = self._clock.monotonic()
        match deed:
            case Send(Hud() as hud):
                self._hud = hud
                self._hub.tell(self._shown(now_s))
            case Send(Live() as live):
                parts = {**self._parts.words(self._hud, now_s), **live.parts}
                self._hub.tell(structs.replace(live, parts=parts))
            case Send(Debrief() as debrief):
                self._debrief = structs.replace(debrief, t_s=now_s)
                self._hud = structs.replace(self._hud, phase="ended")
                self._hub.tell(self._shown(now_s))
                self._hub.tell(debrief)
            case Send(message):
                self._hub.tell(message)
            case Tell(message):
                self._notebook.write(message)
                if isinstance(message, RideStarted | Interval | RideEnded):
                    self._notebook.put_on_disk()

    def _shown(self, now_s: float) -> Hud:
        """Return the HUD with what the ride itself does not know: the parts, the class's times."""
        local = self._clock.wall().astimezone() if NTP_SPOKE.exists() else None
        return self._timetable.show(self._parts.show(self._hud, now_s), now_s, local)

    def _waiting(self) -> Hud:
        now_s = self._clock.monotonic()
        return Hud(
            t_s=now_s,
            phase="waiting",
            rider=self._guest.rider(now_s),
            claim_url=self._guest.claim_url(now_s),
            cadence_rpm=0.0,
            target_rpm=self._settings.coach.target_rpm,
        )
