"""Brings the outbox to the studio, and the live lane while anybody listens.

One asyncio task owns all of it: sends what the window allows, takes in the studio's watermark and
commands. No broker is a normal state: records wait on disk, everything else goes on.
"""

import contextlib
import secrets
from collections import deque
from collections.abc import Callable
from importlib.metadata import version
from typing import Literal

import msgspec
import structlog

from firmware_app.clock import Clock
from firmware_app.errors import PartLost, WireError
from firmware_app.settings import Mqtt
from firmware_app.wire import Command, Live, SyncState
from gateway.coach_lane import CoachLane
from gateway.home import discovery, discovery_topic
from gateway.mqtt import Heard, Line, Will, connected
from gateway.store import Store
from gateway.topics import Ack, Cmd, CmdAck, Form, Now, Status, box_topic, form_topic, pack, unpack
from gateway.window import Window

log = structlog.get_logger()

TICK_S = 0.2
"""How often the outbox is looked at."""
SPREAD_S = 1.0
"""After a power cut a gym's boxes come back in the same second; the broker gets them over one."""
IDLE_AFTER_S = 3.0
"""Live words come once a second; without them nobody rides."""
LONGEST_NAME = 24
"""As much of a name as stands on a board."""
MOST_IN_A_MINUTE = 120
"""Commands; each is written down, and whoever floods a box must not fill its card."""
REMEMBERED = 64
"""Commands that are known when they come twice."""
_spread = secrets.SystemRandom()


class Sync:
    """The box's side of the broker."""

    def __init__(
        self,
        mqtt: Mqtt,
        box: str,
        store: Store,
        clock: Clock,
        tell_ride: Callable[[Command], bool],
    ) -> None:
        self._mqtt = mqtt
        self._box = box
        self._store = store
        self._clock = clock
        self._tell_ride = tell_ride
        self._line: Line | None = None
        self._window = self._new_window()
        self._commands: deque[str] = deque(maxlen=REMEMBERED)
        self._lately_s: deque[float] = deque(maxlen=MOST_IN_A_MINUTE)
        self.coach = CoachLane(box, tell_ride, store.note)
        self._why_offline = "not connected yet"
        self._house_s: float | None = None
        """When the house was last told of a rider; None: it has been told that there is none."""
        self.wrong: dict[str, str] = {}
        """Part to what is wrong with it, as the status topic tells it."""
        self._told_wrong: dict[str, str] | None = None
        self._life = secrets.token_hex(4)
        self._spoke = False
        self.twin_s: float | None = None
        """When another machine was last heard by our name."""
        self.dropped = 0
        """Messages that could not be read, since the start."""

    def state(self) -> SyncState:
        """Return how far the studio has confirmed, in the words the screen shows."""
        unsynced = self._store.outbox.rows
        sync: Literal["ok", "waiting", "offline"]
        if not self._mqtt.url:
            sync, why = "offline", "no studio is set up"
        elif self._line is None:
            sync, why = "offline", self._why_offline
        elif unsynced == 0:
            sync, why = "ok", ""
        elif self._store.refused:
            sync, why = "waiting", self._store.refused
        elif self._line.refused:
            sync, why = "waiting", self._line.refused
        elif self._window.unanswered:
            sync, why = "waiting", "the studio does not answer"
        else:
            sync, why = "waiting", ""
        return SyncState(t_s=self._clock.monotonic(), sync=sync, unsynced=unsynced, why=why)

    def lost(self, why: str) -> None:
        """Take in why the broker is not there; keep_going calls it."""
        self._why_offline = why

    def live(self, live: Live) -> None:
        """Pass on how the rider sits now, if anybody can hear it; never kept."""
        if self._line is None:
            return
        if self._mqtt.home_assistant:
            now = Now(box=self._box, phase=live.phase, cadence_rpm=live.cadence_rpm or 0.0)
            self._line.publish(box_topic(self._box, "now"), pack(now))
            self._house_s = self._clock.monotonic()
        if not self._mqtt.live or not live.rider_pseudonym:
            return
        try:
            topic = form_topic(live.class_id or "free", live.rider_pseudonym)
            self.coach.live(live)
        except WireError as error:
            log.warning("live_dropped", why=str(error))
            return
        form = Form(
            box=self._box,
            rider=live.rider_pseudonym,
            t_s=live.t_s,
            states=live.states,
            cadence_rpm=live.cadence_rpm,
            phase=live.phase,
            name=live.name[:LONGEST_NAME],
        )
        self._line.publish(topic, pack(form))

    async def run(self, worked: Callable[[], None]) -> None:
        """Hold one connection until it is cut; raise PartLost then."""
        await self._clock.sleep(_spread.random() * SPREAD_S)
        away = Status(box=self._box, online=False)
        topics = tuple((box_topic(self._box, lane), 1) for lane in ("ack", "cmd", "status"))
        will = Will(box_topic(self._box, "status"), pack(away))
        async with connected(self._mqtt, f"bikebox-{self._box}", topics, will=will) as line:
            worked()
            self._line = line
            self.coach.connected(line)
            self._window.reconnected()
            self._told_wrong = None
            if self._mqtt.home_assistant:
                found = msgspec.json.encode(discovery(self._box, version("bikebox")))
                line.publish(discovery_topic(self._box), found, qos=1, retain=True)
                self._house_s = float("-inf")
            try:
                while True:
                    for heard in await line.heard(TICK_S):
                        self._take(heard)
                    self._send(line)
            finally:
                self._line = None
                self.coach.connected(None)
                line.publish(will.topic, will.payload, qos=1, retain=True)

    def _send(self, line: Line) -> None:
        if self.wrong != self._told_wrong:
            self._told_wrong = dict(self.wrong)
            status = Status(
                box=self._box,
                online=True,
                version=version("bikebox"),
                wrong=self._told_wrong,
                life=self._life,
            )
            line.publish(box_topic(self._box, "status"), pack(status), qos=1, retain=True)
            self._spoke = True
        now_s = self._clock.monotonic()
        if self._house_s is not None and now_s - self._house_s > IDLE_AFTER_S:
            line.publish(box_topic(self._box, "now"), pack(Now(box=self._box)), qos=1, retain=True)
            self._house_s = None
        was_unanswered = self._window.unanswered
        if self._window.go_back_if_late(now_s) and not was_unanswered:
            log.info("studio_silent", unsynced=self._store.outbox.rows)
        with contextlib.suppress(PartLost):  # the disk is full: later
            self._put_poison_aside()
        if self._window.room > 0:
            records = self._store.outbox.following(self._window.after, self._window.room)
            for record in records:
                line.publish(box_topic(self._box, "up"), pack(record), qos=1)
            self._window.sent([record.seq for record in records], now_s)

    def _take(self, heard: Heard) -> None:
        try:
            if heard.topic == box_topic(self._box, "ack"):
                self._confirm(unpack(heard.payload, Ack), fresh=not heard.retained)
            elif heard.topic == box_topic(self._box, "status"):
                self._look_for_a_twin(unpack(heard.payload, Status))
            elif self.coach.is_cue(heard):
                self.coach.take(heard, self._clock.monotonic())
            elif not heard.retained:  # a command that was left behind is not for this ride
                self._command(unpack(heard.payload, Cmd))
        except WireError as error:
            self.dropped += 1
            log.warning("message_dropped", topic=heard.topic, why=str(error))

    def _confirm(self, ack: Ack, *, fresh: bool) -> None:
        epoch = self._store.outbox.epoch
        was_unanswered = self._window.unanswered
        try:
            self._store.confirm(ack)
        except PartLost:
            return  # the disk is full; the studio tells it again
        if self._store.outbox.epoch != epoch:
            log.warning("epoch_renewed", why="the studio has records of another by our name")
            self._window = self._new_window()
            return
        confirmed = self._store.outbox.confirmed
        if fresh or confirmed > self._window.confirmed:
            news = self._window.confirm(confirmed, self._clock.monotonic())
            if news and was_unanswered:
                log.info("studio_back")

    def _put_poison_aside(self) -> None:
        """Let one record that nothing gets past not hold up all others for ever."""
        if self._window.poison is not None:
            self._store.put_aside(self._window.poison)
            log.warning("record_put_aside", seq=self._window.poison)
            self._window = self._new_window()

    def _new_window(self) -> Window:
        return Window(_spread.random, self._store.outbox.confirmed)

    def _look_for_a_twin(self, status: Status) -> None:
        """Hear another gateway say that it is this box; an earlier life of ours is over."""
        if self._spoke and status.online and status.life not in ("", self._life):
            if self.twin_s is None:
                log.warning("another_box_of_our_name", box=self._box)
            self.twin_s = self._clock.monotonic()

    def _command(self, cmd: Cmd) -> None:
        taken, why, now_s = True, "", self._clock.monotonic()
        if cmd.command in self._commands:
            pass  # the answer was lost: it is told again
        elif len(self._lately_s) == MOST_IN_A_MINUTE and now_s - self._lately_s[0] < 60:
            self.dropped += 1
            taken, why = False, f"more than {MOST_IN_A_MINUTE} commands in a minute"
        else:
            self._lately_s.append(now_s)
            command = Command(
                t_s=now_s,
                command=cmd.command,
                kind=cmd.kind,
                text=cmd.text,
                rule=cmd.rule,
                target_rpm=cmd.target_rpm,
                expires_s=now_s + cmd.ttl_s,
                starts_s=now_s + cmd.starts_in_s,
                lasts_s=cmd.lasts_s,
                effort=cmd.effort,
            )
            if cmd.kind == "drain":
                self._window.hurry()
                why = f"{self._store.outbox.rows} records wait"
            elif not self._tell_ride(command):
                taken, why = False, "the ride service is not there"
            if taken:
                self._commands.append(cmd.command)
            words = f"{cmd.kind} {cmd.command} {'taken' if taken else why}"
            with contextlib.suppress(PartLost):
                self._store.note("command", f"studio, for {cmd.by}" if cmd.by else "studio", words)
        if self._line is not None:
            answer = CmdAck(box=self._box, command=cmd.command, taken=taken, why=why)
            self._line.publish(box_topic(self._box, "cmd/ack"), pack(answer), qos=1)
