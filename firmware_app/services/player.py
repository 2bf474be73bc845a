"""The player: class, screen, speaker and voice of one bike, in one process that may die alone.

The main thread owns the screen, one thread the network, one the speaker. They share the class
feed, the cue's turn and a mailbox, and nothing else.
"""

import asyncio
import contextlib
import queue
import signal
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import av
import structlog

from firmware_app.clock import Clock
from firmware_app.errors import MissingPart
from firmware_app.notify import notify
from firmware_app.player.class_feed import ClassFeed
from firmware_app.player.coach_line import CoachLine
from firmware_app.player.hands import Event, meant
from firmware_app.player.hud import Place, Scene, compose
from firmware_app.player.mixer import Mixer
from firmware_app.player.network import Network
from firmware_app.player.rate import Rate
from firmware_app.player.recorder import Recorder
from firmware_app.player.screen import Screen
from firmware_app.player.snapshots import Album, Schedule
from firmware_app.player.sound import Sound
from firmware_app.player.speaker import SdlSpeaker, Speaker, has_speaker
from firmware_app.player.stage import Stage, View
from firmware_app.player.tape import Tape
from firmware_app.player.turn import Turn
from firmware_app.player.volume import KeptVolume
from firmware_app.player.words import read_words
from firmware_app.settings import Settings
from firmware_app.speech.choose import choose_voice
from firmware_app.speech.voice import Voice
from firmware_app.wire import Aim, CueOutcome, Debrief, Hud, Message, PlayerState, Say, Touch

log = structlog.get_logger()

LEAST_S = 0.024
"""Between two drawn pictures without a display's own pace: 30 a second with room for jitter."""
RIDES_ALONG_S = 0.045
"""A change of the panels waits this long for the class's next picture to be drawn with it."""
LOOK_S = 0.004
"""How often a new class picture is looked for: it is shown at most this late."""
WATCHDOG_S = 1.0
VOLUME_STEP = 0.1
"""A tenth of full scale a touch."""


class Wish(NamedTuple):
    """How this player was asked to play."""

    settings: Settings
    alone: bool = False
    """Only the class: no ride service is there to be talked with."""
    headless: bool = False
    seconds: float = float("inf")
    record: Path | None = None
    speech_wav: Path | None = None
    screens: Path | None = None


class Player:
    """All of it; run() returns when the rider, a signal or the time ends it."""

    def __init__(self, wish: Wish, clock: Clock, feed: ClassFeed | None) -> None:
        """Open screen and files; raise SetupError or a subclass when a technician is needed.

        Feed is the class to be played; None: ride without one.
        """
        settings = wish.settings
        self._wish = wish
        self._clock = clock
        self._start_s = clock.monotonic()
        self._words = read_words(settings.coach.language)
        self._place = Place(settings.gym, "" if wish.alone else settings.player.class_title)
        self._screen, headless = _open_screen(wish)
        self._album = Album(wish.screens) if wish.screens else None
        self._tape = Tape(wish.speech_wav, self._start_s) if wish.speech_wav else None
        self._recorder = (
            Recorder(wish.record, *self._screen.size_px, self._start_s) if wish.record else None
        )
        self._stage = Stage(self._start_s, settings.coach.banner_s, alone=wish.alone)
        self._schedule = Schedule()
        self._mail: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stop = threading.Event()
        kept = None if wish.alone else Path(settings.paths.state) / "volume"
        self._volume = KeptVolume(kept, settings.player.volume)
        self._mixer = Mixer(settings.player.duck_db, self._volume.value)
        self._feed = feed
        self._turn = Turn(self._tell)
        sound = Sound(self._feed, self._turn, self._mixer, self._tape, self._recorder)
        self._speaker = Speaker(clock, sound.fill, SdlSpeaker, headless=headless)
        self._network = Network(self._run_network)
        self._line: CoachLine | None = None
        self._voice: Voice | None = None
        self._pictures, self._draws = Rate(), Rate()

    def run(self) -> None:
        """Play until asked to stop; leaves every file whole."""
        before = {
            sign: signal.signal(sign, lambda *_: self._stop.set())
            for sign in (signal.SIGTERM, signal.SIGINT)
        }
        self._network.start()
        self._speaker.start()
        try:
            self._show()
        finally:
            notify("STOPPING=1")
            ended_s = self._clock.monotonic()
            self._network.stop()
            self._speaker.stop()
            if self._recorder is not None:
                self._recorder.close(ended_s)
            if self._tape is not None:
                self._tape.close()
            if self._album is not None:
                self._album.close()
            self._screen.close()
            for sign, handler in before.items():
                signal.signal(sign, handler)

    # the screen's thread ------------------------------------------------------------------------

    def _show(self) -> None:
        shown: tuple[Scene | None, View | None, av.VideoFrame | None] = (None, None, None)
        drawn_s = fed_s = 0.0
        while not self._stop.is_set():
            now_s = self._clock.monotonic()
            if now_s - self._start_s >= self._wish.seconds:
                return
            if now_s - fed_s >= WATCHDOG_S:
                notify("READY=1" if not fed_s else "WATCHDOG=1")
                fed_s = now_s
            if self._network.failed is not None:
                raise self._network.failed
            touched_at = self._listen(now_s)
            view = self._stage.view(now_s)
            picture = self._feed.newest() if self._feed is not None else None
            fresh = picture is not shown[2]
            patient = now_s - drawn_s < RIDES_ALONG_S
            if not (fresh or touched_at or (view != shown[1] and not patient)):
                self._clock.block(LOOK_S)
                continue
            scene = self._compose(view, picture)
            if (fresh and scene.picture) or scene != shown[0] or touched_at:
                self._draw(scene, picture, now_s, fresh=fresh)
                self._remember(view, now_s)
                drawn_s = now_s
            shown = (scene, view, picture)
            if self._screen.software:
                self._clock.block(drawn_s + LEAST_S - self._clock.monotonic())

    def _listen(self, now_s: float) -> bool:
        """Take what came from the network and the rider; tell whether to draw in any case."""
        if self._feed is not None:
            self._stage.hear_class(*self._feed.state)
        self._stage.hear_speaker(lost=self._speaker.state == "lost")
        with contextlib.suppress(queue.Empty):
            while True:
                message = self._mail.get_nowait()
                if isinstance(message, Hud):
                    self._stage.show(message, now_s)
                elif isinstance(message, Say):
                    self._stage.say(message, now_s)
                elif isinstance(message, Debrief):
                    self._stage.end(message)
                elif isinstance(message, Aim):
                    self._stage.aim(message, now_s)
        events = self._screen.events()
        for event in events:
            self._obey(event, now_s)
        return bool(events)

    def _compose(self, view: View, picture: av.VideoFrame | None) -> Scene:
        return compose(
            view,
            picture=picture is not None,
            place=self._place,
            words=self._words,
            canvas=self._screen.canvas,
        )

    def _draw(
        self, scene: Scene, picture: av.VideoFrame | None, now_s: float, *, fresh: bool
    ) -> None:
        self._screen.draw(scene, picture)
        self._draws.count(now_s)
        if fresh:
            self._pictures.count(now_s)
        if self._recorder is not None:
            self._recorder.show(self._clock.monotonic(), self._screen.pixels())

    def _remember(self, view: View, now_s: float) -> None:
        if self._album is None:
            return
        playing = view.class_state == "playing" and self._pictures.at(now_s) > 0
        for name in self._schedule.due(view, now_s, playing=playing):
            self._album.keep(name, self._screen.pixels())

    def _obey(self, event: Event, now_s: float) -> None:
        action = meant(event, self._stage.view(now_s), self._words, self._screen.canvas)
        if event.kind == "touch":
            self._stage.touch(now_s)
        if action == "quit":
            self._stop.set()
        elif action == "softer" or action == "louder":  # noqa: PLR1714 - narrows for mypy
            step = VOLUME_STEP if action == "louder" else -VOLUME_STEP
            self._mixer.volume = self._volume.change(step)
            self._stage.volume(self._mixer.volume, now_s)
        elif action is not None:
            self._tell(Touch(t_s=now_s, action=action))

    # the network's thread -----------------------------------------------------------------------

    async def _run_network(self) -> None:
        with tempfile.TemporaryDirectory(prefix="bikebox-voice-") as spare:
            async with asyncio.TaskGroup() as group:
                if self._feed is not None:
                    group.create_task(self._feed.run())
                if not self._wish.alone:
                    group.create_task(self._talk(Path(spare)))

    async def _talk(self, spare: Path) -> None:
        self._voice = await choose_voice(self._wish.settings, spare)
        self._line = CoachLine(
            self._wish.settings.ride_socket,
            self._voice,
            self._turn,
            self._clock,
            seen=self._mail.put,
            state=self._state,
        )
        await self._line.run()

    def _state(self) -> PlayerState:
        now_s = self._clock.monotonic()
        state, why = self._feed.state if self._feed is not None else ("off", "")
        return PlayerState(
            t_s=now_s,
            class_state=state,
            why=why,
            video_fps=self._pictures.at(now_s),
            screen_fps=self._draws.at(now_s),
            speaker=self._speaker.state,
            voice=self._voice.name if self._voice is not None else "",
        )

    def _tell(self, message: CueOutcome | Touch) -> None:
        """Send to the ride, from any thread."""
        self._network.call(lambda: self._line.tell(message) if self._line is not None else None)


def _open_screen(wish: Wish) -> tuple[Screen, bool]:
    """Return the screen, and whether the sound too goes without a device."""
    player = wish.settings.player
    size = (player.width_px, player.height_px)
    if not wish.headless:
        try:
            return Screen(*size, headless=False, fullscreen=player.fullscreen), False
        except MissingPart as error:
            log.warning("screen_missing", why=str(error), instead="headless, in memory")
    return Screen(*size, headless=True, fullscreen=False), wish.headless or not has_speaker()
