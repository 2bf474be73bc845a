"""A class that never ends: one media file's packets, repeated, each at its moment.

Every viewer reads the same timeline, so all bikes of the gym see the same turn of the pedals.
Nothing is decoded or encoded: the packets go out as they lie in the file.
"""

import bisect
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av
from aiortc import MediaStreamTrack

from firmware_app.clock import Clock
from firmware_app.errors import BadInput

VIDEO_HZ = 90_000
AUDIO_HZ = 48_000
"""RTP's clocks of H.264 and Opus (RFC 6184, RFC 7587)."""


class Item(NamedTuple):
    """One encoded picture or 20 ms of sound."""

    at: int
    """When, from the beginning of the file, in the RTP clock of its kind."""
    data: bytes
    key: bool
    """A viewer can begin here."""


class ClassLoop:
    """The packets of one file, and the clock they are played by."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Read the file; raise BadInput when it is not H.264 without B-frames with Opus."""
        self._clock = clock
        self._began_s = clock.monotonic()
        self.video, self.audio, self.length_s = _read(path)
        self._keys = [item.at for item in self.video if item.key]

    def begin_at_s(self) -> float:
        """Return the second of the class at which a viewer who comes now begins: a key frame."""
        now_s = self.now_s()
        into = int((now_s % self.length_s) * VIDEO_HZ)
        key = self._keys[max(bisect.bisect_right(self._keys, into) - 1, 0)]
        return now_s - now_s % self.length_s + key / VIDEO_HZ

    def now_s(self) -> float:
        """Seconds since the class began."""
        return self._clock.monotonic() - self._began_s

    async def until(self, class_s: float) -> None:
        """Wait for that second of the class."""
        wait_s = class_s - self.now_s()
        if wait_s > 0:
            await self._clock.sleep(wait_s)


class Viewing:
    """Where in the class one viewer began; its pictures and its sound share it."""

    def __init__(self, loop: ClassLoop) -> None:
        self.loop = loop
        self._begin_s: float | None = None
        self._behind_s = 0.0

    @property
    def begin_s(self) -> float:
        """The second of the class this viewer saw first; settled when it is first asked for."""
        if self._begin_s is None:
            self._begin_s = self.loop.begin_at_s()
            self._behind_s = self.loop.now_s() - self._begin_s
        return self._begin_s

    async def until(self, class_s: float) -> None:
        """Wait until this viewer has come to that second of the class."""
        await self.loop.until(class_s + self._behind_s)


class LoopTrack(MediaStreamTrack):
    """One viewer's pictures or sound, endless."""

    def __init__(self, kind: Literal["video", "audio"], viewing: Viewing) -> None:
        super().__init__()
        self.kind = kind
        self._viewing = viewing
        self._items = viewing.loop.video if kind == "video" else viewing.loop.audio
        self._hz = VIDEO_HZ if kind == "video" else AUDIO_HZ
        self._turn = 0
        self._next: int | None = None

    async def recv(self) -> "av.Packet[Any]":
        """Return the next packet at its moment, its time counted from the viewer's beginning."""
        length_s = self._viewing.loop.length_s
        begin_s = self._viewing.begin_s
        if self._next is None:
            self._turn, into_s = int(begin_s // length_s), begin_s % length_s
            at = round(into_s * self._hz)
            self._next = bisect.bisect_left(self._items, at, key=lambda item: item.at)
        if self._next == len(self._items):
            self._turn, self._next = self._turn + 1, 0
        item = self._items[self._next]
        self._next += 1
        class_s = self._turn * length_s + item.at / self._hz
        await self._viewing.until(class_s)
        packet = av.Packet(item.data)
        packet.time_base = Fraction(1, self._hz)
        packet.pts = round((class_s - begin_s) * self._hz)
        return packet


def _read(path: Path) -> tuple[list[Item], list[Item], float]:
    try:
        with av.open(str(path)) as file:
            if not file.streams.video or not file.streams.audio:
                raise BadInput(f"{path}: needs a picture and a sound track; it has not both")
            video, audio = file.streams.video[0], file.streams.audio[0]
            found = f"{video.codec_context.name} and {audio.codec_context.name}"
            if video.codec_context.name != "h264" or audio.codec_context.name not in _OPUS:
                raise BadInput(f"{path}: holds {found}; a class is H.264 and Opus")
            annex_b = av.BitStreamFilterContext("h264_mp4toannexb", video)
            pictures, sounds = [], []
            for packet in file.demux(video, audio):
                if packet.pts is None:
                    continue
                if packet.stream is video:
                    if packet.pts != packet.dts:
                        raise BadInput(f"{path}: has B-frames, which browsers and bikes refuse")
                    pictures += annex_b.filter(packet)
                else:
                    sounds.append(packet)
    except av.FFmpegError as error:
        raise BadInput(f"{path}: cannot be read as a class: {error.strerror}") from error
    if not sounds or not any(picture.is_keyframe for picture in pictures):
        raise BadInput(f"{path}: has no key frame to begin at, or no sound")
    start_s = min(_time(pictures[0]), _time(sounds[0]))
    film = [_item(packet, start_s, VIDEO_HZ) for packet in pictures]
    frame_s = (film[-1].at - film[0].at) / max(len(film) - 1, 1) / VIDEO_HZ
    length_s = round((film[-1].at / VIDEO_HZ + frame_s) * 50) / 50
    return film, [_item(packet, start_s, AUDIO_HZ) for packet in sounds], length_s


_OPUS = ("opus", "libopus")


def _time(packet: "av.Packet[Any]") -> Fraction:
    return (packet.pts or 0) * Fraction(packet.time_base)


def _item(packet: "av.Packet[Any]", start_s: Fraction, hz: int) -> Item:
    return Item(round((_time(packet) - start_s) * hz), bytes(packet), packet.is_keyframe)
