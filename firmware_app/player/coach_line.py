"""The line to the ride: hears its state and its cues, lets them be said, tells what became of them.

Lives in the network's thread. When the ride is away it tries again for ever; nothing else stops.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import structlog

from firmware_app.clock import Clock
from firmware_app.errors import PartError, WireError
from firmware_app.player.turn import Turn
from firmware_app.sockets import Visit
from firmware_app.speech.voice import Voice
from firmware_app.supervise import keep_going
from firmware_app.wire import (
    Aim,
    CueOutcome,
    Debrief,
    FromRide,
    Hud,
    Message,
    PlayerState,
    Prepare,
    Reader,
    Say,
)

log = structlog.get_logger()

STATE_EVERY_S = 1.0
LOOK_EVERY_S = 0.1
RETRY_AT_MOST_S = 2.0
"""A rider waits: the coach must be back soon after its service is."""


class CoachLine:
    """One visit after another to ride.sock."""

    def __init__(  # noqa: PLR0913 - the ends that it ties together
        self,
        socket: Path,
        voice: Voice,
        turn: Turn,
        clock: Clock,
        *,
        seen: Callable[[Message], None],
        state: Callable[[], PlayerState],
    ) -> None:
        """Seen is given each Hud, Say, Debrief and Aim; state is asked for the player's own."""
        self._socket = socket
        self._voice = voice
        self._turn = turn
        self._clock = clock
        self._seen = seen
        self._state = state
        self._visit: Visit | None = None
        self._reader: Reader[FromRide] = Reader(FromRide)
        self._newest = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._preparing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Talk with the ride for ever; cancel it to hang up."""
        telling = asyncio.create_task(self._tell_state())
        try:
            await keep_going("ride", self._visit_once, self._clock, longest_wait_s=RETRY_AT_MOST_S)
        finally:
            for task in (telling, *self._tasks):
                task.cancel()
            await asyncio.gather(telling, *self._tasks, return_exceptions=True)

    def tell(self, message: Message) -> None:
        """Send a message if the ride is there; from the network's thread only."""
        if self._visit is not None:
            self._visit.tell(message)

    async def _visit_once(self, worked: Callable[[], None]) -> None:
        self._visit = visit = Visit(self._socket)
        try:
            async for line in visit.lines():
                worked()
                self._hear(line)
        finally:
            self._visit = None

    def _hear(self, line: bytes) -> None:
        try:
            message = self._reader.read(line)
        except WireError as error:
            log.debug("line_unread", why=str(error))
            return
        if isinstance(message, Prepare):
            if self._preparing is not None:
                self._preparing.cancel()
            self._preparing = self._start(self._prepare(message))
        elif isinstance(message, Hud | Say | Debrief | Aim):
            self._seen(message)
            if isinstance(message, Say) and message.kind != "message":
                self._newest = message.cue
                self._start(self._speak(message))

    async def _prepare(self, wanted: Prepare) -> None:
        made = await self._voice.prepare(wanted.texts)
        log.info("voice_ready", engine=self._voice.name, made=made, texts=len(wanted.texts))

    async def _speak(self, say: Say) -> None:
        if not say.voice:
            self._end(say, "")
            return
        try:
            clip = await self._voice.now(say.text)
        except PartError as error:
            self._end(say, str(error))
            return
        if say.cue != self._newest:
            outcome = CueOutcome(
                t_s=self._clock.monotonic(),
                cue=say.cue,
                outcome="dropped",
                why="a newer cue came first",
            )
            self.tell(outcome)
            return
        self._turn.offer(say, clip, self._clock.monotonic())

    def _end(self, say: Say, why: str) -> None:
        now_s = self._clock.monotonic()
        self.tell(CueOutcome(t_s=now_s, cue=say.cue, outcome="shown", why=why))

    async def _tell_state(self) -> None:
        """Tell the player's state once a second and at each change that matters."""
        told: PlayerState | None = None
        while True:
            now = self._state()
            if told is None or now.t_s - told.t_s >= STATE_EVERY_S or _sum(now) != _sum(told):
                self.tell(now)
                told = now
            await self._clock.sleep(LOOK_EVERY_S)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _sum(state: PlayerState) -> tuple[str, ...]:
    return (state.class_state, state.why, state.speaker, state.voice)
