"""The class as the screen and the mixer want it: the picture to show and the next samples.

Joins by WHEP, watches that pictures keep coming, leaves and joins anew when they do not.
"""

import asyncio
from typing import Literal

import av
import numpy as np
import structlog
from numpy.typing import NDArray

from firmware_app.clock import Clock
from firmware_app.player.class_pictures import ClassPictures
from firmware_app.player.class_session import ClassSession
from firmware_app.player.class_sound import SAMPLE_HZ, ClassSound
from firmware_app.player.loopback import meets_on_loopback, offer_loopback
from firmware_app.player.stream_clock import ClassClock, Moment
from firmware_app.player.whep import IceServer, NoClass, wait_s
from firmware_app.player.whep_http import Whep

log = structlog.get_logger()

LOOK_S = 0.1
FIRST_PICTURE_S = 8.0
"""Longest from the server's answer to the first picture: ICE, DTLS and a key frame."""
OTHER_WAY_S = 3.0
"""The same where the server has named STUN or TURN servers that the next visit can offer."""
QUIET_S = 1.5
"""Without a picture this long the screen says so; shorter gaps a rider does not see as a fault."""
MOVED_S = 0.25
"""Without a picture this long this machine's addresses are looked at: it costs nothing."""
DOUBT_S = 0.7
"""Without a picture this long the server is asked whether it still knows this bike."""
LOST_S = 6.0
"""Without a picture this long the session is given up; aiortc itself would take thirty seconds."""
KNOCKS = 12
"""So often an address that was right is tried before its name is asked for again: six seconds."""
AGAIN_S = 0.2
"""When the network is there again the old session goes on within this, or never."""
UNHEARD_S = 0.5
"""When the mixer has not asked this long, pictures do not wait for their sound."""

EASE = 0.25
"""Where pictures began before their sound, each stands longer by this until it has caught up."""
MOST_EASE_S = 0.4

State = Literal["off", "connecting", "waiting", "playing", "reconnecting", "refused"]


class ClassFeed:
    """One class, from its WHEP address to decoded pictures and sound."""

    def __init__(  # noqa: PLR0913 - a class's address and how it is reached
        self,
        url: str,
        token: str,
        clock: Clock,
        *,
        ca_file: str = "",
        ice_servers: tuple[IceServer, ...] = (),
        hardware: bool = False,
    ) -> None:
        """Do nothing yet; url may be anything, state tells what is wrong with it.

        ice_servers are offered beside those that the class server names; with hardware the
        machine's own decoder is tried.
        """
        self._url = url
        self._token = token
        self._clock = clock
        self._ca_file = ca_file
        self._ice_servers = ice_servers
        self._hardware = hardware
        self._pictures = ClassPictures()
        self._sound = ClassSound()
        self._state: State = "off"
        self._why = ""
        self._lost = False
        self._last_picture_s: float | None = None
        self._last_pull_s = float("-inf")
        self._moments = ClassClock()
        self._heard: tuple[float, float] | None = None
        self._ease: tuple[float, float] | None = None
        self.pictures = 0
        """Decoded since the start."""

    async def run(self) -> None:
        """Join, play, watch and join anew for ever; cancel it to leave the class."""
        if meets_on_loopback(self._url):
            offer_loopback()
        failures = 0
        leaving: set[asyncio.Task[None]] = set()
        servers = self._ice_servers
        self._tell("connecting")
        async with Whep(self._url, self._token, ca_file=self._ca_file) as whep:
            while True:
                before = self.pictures
                session = ClassSession(
                    whep, self._take_picture, self._take_sound, servers, hardware=self._hardware
                )
                try:
                    said = await session.open() or await self._watch(session)
                except asyncio.CancelledError:
                    await asyncio.gather(session.close(), *leaving)
                    raise
                # good-bye takes a second when the network is gone: meanwhile the class is joined
                leave = asyncio.create_task(session.close())
                leaving.add(leave)
                leave.add_done_callback(leaving.discard)
                servers = session.servers
                failures = 0 if self.pictures > before else failures + 1
                again = said.state == "connecting" and self.pictures > 0
                self._tell("reconnecting" if again else said.state, said.why)
                await self._clock.sleep(wait_s(failures, said))
                if said.unreachable and self.pictures:
                    await self._until_there(whep)

    def newest(self) -> av.VideoFrame | None:
        """Return the picture to show now (yuv420p, any size), from any thread.

        The newest decoded one whose sound has been pulled; the same object until there is
        another, None before the first.
        """
        now_s, heard = self._clock.monotonic(), self._heard
        if heard is None or now_s - self._last_pull_s > UNHEARD_S:
            self._ease = None
            return self._pictures.due(None)
        heard_s = heard[1] + now_s - heard[0]
        if self._ease is None and self._pictures.shown_s is not None:
            self._ease = (now_s, min(max(self._pictures.shown_s - heard_s, 0.0), MOST_EASE_S))
        if self._ease is not None:
            heard_s += max(self._ease[1] - EASE * (now_s - self._ease[0]), 0.0)
        return self._pictures.due(heard_s)

    def pull(self, samples: int, heard_s: float | None = None) -> NDArray[np.float32]:
        """Take the next samples, (samples, 2) at 48 kHz in -1..1; silence where there is none.

        heard_s is the clock's second at which the first of them leaves the speaker: pictures are
        shown by it.
        """
        now_s = self._last_pull_s = self._clock.monotonic()
        lead_s = 0.0 if heard_s is None else heard_s - now_s
        block = self._sound.pull(samples, now_s, lead_s)
        next_s = self._sound.playing_sent_s()
        after_s = now_s + lead_s + samples / SAMPLE_HZ
        self._heard = None if next_s is None else (after_s, next_s)
        return block

    async def _until_there(self, whep: Whep) -> None:
        for _ in range(KNOCKS):
            if await whep.knock():
                return
            await self._clock.sleep(LOOK_S)

    @property
    def state(self) -> tuple[State, str]:
        """How it goes: a wire.PlayerState.class_state, and why in a few words."""
        return self._state, self._why

    async def _watch(self, session: ClassSession) -> NoClass:
        """Follow a session until it is over; return why."""
        begin_s = self._clock.monotonic()
        self._last_picture_s = None
        self._pictures.clear()
        self._sound.clear()
        self._moments = ClassClock()
        self._ease, gone = None, False
        while True:
            if session.ended.is_set():
                return NoClass("connecting", "the class server hung up")
            first_s = OTHER_WAY_S if session.knows_more else FIRST_PICTURE_S
            verdict, why = judge(self._clock.monotonic() - begin_s, self._quiet_s(), first_s)
            if verdict == "lost" and self._last_picture_s is not None:
                # without a network nothing can be joined, and what is joined may go on by itself
                if not await session.reachable():
                    verdict, gone = "reconnecting", True
                elif gone:
                    await self._clock.sleep(AGAIN_S)
                    gone = False
                    continue
            if verdict == "lost":
                return NoClass("connecting", why)
            if verdict != "connecting":
                self._tell(verdict, why)
            quiet_s = self._quiet_s() or 0.0
            if quiet_s >= MOVED_S and session.moved:
                return NoClass("connecting", "this bike has another address now")
            if quiet_s >= DOUBT_S and await session.forgotten():
                return NoClass("connecting", "the class server has begun anew")
            await self._clock.sleep(LOOK_S)

    def _quiet_s(self) -> float | None:
        """Return how long ago its server gave the last picture; None before the first."""
        last_s = self._last_picture_s
        return None if last_s is None else self._clock.monotonic() - last_s

    def _take_picture(self, frame: av.VideoFrame, moment: Moment | None) -> None:
        sent_s = self._moments.choose("picture", moment)
        self._pictures.push(frame, sent_s)
        now_s = self._last_picture_s = self._clock.monotonic()
        self._sound.picture(sent_s, now_s, moment.spare_s if moment is not None else 0.0)
        self.pictures += 1

    def _take_sound(self, frame: av.AudioFrame, moment: Moment | None) -> None:
        sent_s = self._moments.choose("sound", moment)
        self._sound.push(frame, sent_s, self._clock.monotonic())

    def _tell(self, state: State, why: str = "") -> None:
        self._state, self._why = state, why
        if state == "playing" and self._lost:
            log.info("part_back", part="class")
            self._lost = False
        elif why and not self._lost:
            log.warning("part_lost", part="class", why=why)
            self._lost = True


def judge(
    open_s: float, quiet_s: float | None, first_s: float = FIRST_PICTURE_S
) -> tuple[Literal["connecting", "playing", "reconnecting", "lost"], str]:
    """Tell how a session goes that was opened open_s ago and gave its last picture quiet_s ago.

    The first picture may take first_s.
    """
    if quiet_s is None:
        if open_s < first_s:
            return "connecting", ""
        return "lost", "the class server agreed but no picture comes; is UDP blocked?"
    if quiet_s < QUIET_S:
        return "playing", ""
    if quiet_s < LOST_S:
        return "reconnecting", "the class picture has stopped"
    return "lost", f"no class picture for {LOST_S:.0f} s"
