"""Plays what the mixer makes, 20 ms at a time, and keeps the class going when the speaker is gone.

Without a speaker the sound is still taken from the class at the pace of the clock: pictures stay in
step, and the moment the speaker is back it plays on.
"""

import ctypes
import threading
from collections.abc import Callable
from typing import Literal, Protocol

import structlog

from firmware_app.clock import Clock
from firmware_app.errors import PartLost
from firmware_app.player.mixer import BLOCK, BLOCK_S, SOUND_HZ, Block
from firmware_app.player.sdl import sdl2, why
from firmware_app.player.tape import as_pcm

log = structlog.get_logger()

AHEAD_S = 0.04
"""Sound handed over before it is heard: two blocks bridge a slow moment of the machine."""
MOST_AHEAD_S = 0.1
"""What a machine gets that was too slow for less."""
RETRY_S = 2.0
_FRAME_BYTES = 4


class Output(Protocol):
    """Something that takes blocks of sound."""

    def ahead_s(self, now_s: float) -> float:
        """Return how much is handed over and not yet heard; below 0: late. Raise PartLost."""
        ...

    def play(self, block: Block, now_s: float) -> None:
        """Hand one block over; raise PartLost."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


class NoSpeaker:
    """Takes sound at the pace of the clock and plays none of it: headless, or the cable is out."""

    def __init__(self, now_s: float) -> None:
        self._heard_until_s = now_s

    def ahead_s(self, now_s: float) -> float:
        """Return how far the sound is in front of the clock."""
        return self._heard_until_s - now_s

    def play(self, block: Block, now_s: float) -> None:  # noqa: ARG002 - any block is 20 ms
        """Let 20 ms go by; what comes too late leaves a gap, as it would on a device."""
        self._heard_until_s = max(self._heard_until_s, now_s) + BLOCK_S

    def close(self) -> None:
        """Nothing to give back."""


class SdlSpeaker:
    """The machine's default sound device."""

    def __init__(self) -> None:
        """Open it; raise PartLost when there is none."""
        if sdl2.SDL_InitSubSystem(sdl2.SDL_INIT_AUDIO) != 0:
            raise PartLost(f"no sound on this machine: {why()}")
        wanted = sdl2.SDL_AudioSpec(SOUND_HZ, sdl2.AUDIO_S16LSB, 2, BLOCK)
        self._device = sdl2.SDL_OpenAudioDevice(None, 0, wanted, None, 0)
        if not self._device:
            said = why()
            sdl2.SDL_QuitSubSystem(sdl2.SDL_INIT_AUDIO)
            raise PartLost(f"no speaker can be opened: {said}")
        sdl2.SDL_PauseAudioDevice(self._device, 0)

    def ahead_s(self, now_s: float) -> float:  # noqa: ARG002 - the device has its own clock
        """Return what the device still has to play."""
        if sdl2.SDL_GetAudioDeviceStatus(self._device) == sdl2.SDL_AUDIO_STOPPED:
            raise PartLost("the speaker was unplugged")
        queued: int = sdl2.SDL_GetQueuedAudioSize(self._device)
        return queued / _FRAME_BYTES / SOUND_HZ

    def play(self, block: Block, now_s: float) -> None:  # noqa: ARG002 - the device has its own
        """Queue one block."""
        data = as_pcm(block)
        if sdl2.SDL_QueueAudio(self._device, ctypes.c_char_p(data), len(data)) != 0:
            raise PartLost(f"the speaker takes no sound: {why()}")

    def close(self) -> None:
        """Close the device."""
        sdl2.SDL_CloseAudioDevice(self._device)
        sdl2.SDL_QuitSubSystem(sdl2.SDL_INIT_AUDIO)


def has_speaker() -> bool:
    """Tell whether a sound device can be opened now."""
    try:
        SdlSpeaker().close()
    except PartLost:
        return False
    return True


class Speaker:
    """Owns the output in a thread of its own."""

    def __init__(
        self,
        clock: Clock,
        fill: Callable[[float, bool], Block],
        open_output: Callable[[], Output],
        *,
        headless: bool,
    ) -> None:
        """Fill is given the second a block is heard from, and whether anybody can hear it."""
        self._clock = clock
        self._fill = fill
        self._open = open_output
        self._output: Output = NoSpeaker(clock.monotonic())
        self._retry_s = float("inf") if headless else clock.monotonic()
        self._told = False
        self._ahead_s, self._begun = AHEAD_S, False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)
        self.state: Literal["ok", "lost"] = "ok" if headless else "lost"
        """ "ok" or "lost"; headless sound is heard by the tape, so nothing is missing."""

    def start(self) -> None:
        """Begin to play."""
        self._thread.start()

    def stop(self) -> None:
        """Stop playing and give the device back."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._output.close()

    def step(self) -> float:
        """Play what is due; return how long nothing will be."""
        now_s = self._clock.monotonic()
        if now_s >= self._retry_s:
            self._find(now_s)
        try:
            ahead_s = self._output.ahead_s(now_s)
            if ahead_s >= self._ahead_s:
                return ahead_s - self._ahead_s + BLOCK_S / 4
            if ahead_s <= 0 and self._begun:
                self._ahead_s = min(self._ahead_s + BLOCK_S / 2, MOST_AHEAD_S)
            self._begun = True
            block = self._fill(now_s + max(ahead_s, 0.0), self.state == "ok")
            self._output.play(block, now_s)
        except PartLost as error:
            self._output.close()
            self._output = NoSpeaker(now_s)
            self.state, self._retry_s = "lost", now_s + RETRY_S
            self._lost(str(error))
        return 0.0

    def _find(self, now_s: float) -> None:
        try:
            self._output, self.state, self._begun = self._open(), "ok", False
        except PartLost as error:
            self._retry_s = now_s + RETRY_S
            self._lost(str(error))
        else:
            self._retry_s = float("inf")
            if self._told:
                log.info("part_back", part="speaker")
            self._told = False

    def _lost(self, why_lost: str) -> None:
        if not self._told:
            log.warning("part_lost", part="speaker", why=why_lost)
        self._told = True

    def _run(self) -> None:
        while not self._stop.is_set():
            self._clock.block(self.step())
