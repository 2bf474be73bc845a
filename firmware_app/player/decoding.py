"""Decodes one stream: pictures in a thread with a mailbox that cannot grow, sound at once.

A packet of sound takes a tenth of a millisecond to decode, less than handing it to a thread.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import cast

import av
import structlog
from aiortc.codecs import get_decoder
from aiortc.codecs.base import Decoder
from aiortc.codecs.h264 import H264Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.mediastreams import VIDEO_TIME_BASE
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from av.frame import Frame

from firmware_app.player.rtp_frames import Frame as Encoded

log = structlog.get_logger()

HARDWARE = "h264_v4l2m2m"
"""FFmpeg's name for the decoder of a Pi 4 (bcm2835-codec); a Pi 5 has none."""
SILENT = 30
"""Frames that hardware takes without giving a picture: then it does not work."""
IDR, SEI, SPS = 5, 6, 7
SLICES, BEFORE_SLICES = (1, 5), (6, 7, 8, 9)
RECOVERY_POINT = b"\6"
MOST_WAITING = 90
"""Three seconds, a server's first burst: whoever is further behind begins at a key frame."""

Decoded = av.VideoFrame | av.AudioFrame


class HardwareDecoder(Decoder):
    """H.264 by the machine's own decoder."""

    def __init__(self) -> None:
        """Open it; raise FFmpegError or ValueError where there is none."""
        self._codec = cast(av.VideoCodecContext, av.CodecContext.create(HARDWARE, "r"))
        self._codec.open()
        self._silent = 0

    def decode(self, encoded_frame: JitterFrame) -> list[Frame]:
        """Return the pictures that are ready; raise FFmpegError when it does not work."""
        packet = av.Packet(encoded_frame.data)
        packet.pts, packet.time_base = encoded_frame.timestamp, VIDEO_TIME_BASE
        pictures: list[Frame] = list(self._codec.decode(packet))
        self._silent = 0 if pictures else self._silent + 1
        if self._silent >= SILENT:
            raise av.error.ExternalError(0, f"{HARDWARE} gives no pictures")
        return pictures


class Decoding:
    """Decodes frames in the order they come, pictures away from the event loop."""

    def __init__(
        self,
        kind: str,
        give: Callable[[Decoded, int], None],
        *,
        hardware: bool = False,
        head: bytes = b"",
    ) -> None:
        """Call give, wherever it was decoded, with each decoded frame and its RTP timestamp.

        With hardware the machine's own decoder is tried; where it fails, software takes over.
        Every H.264 decoder is told head, parameter sets, before anything else.
        """
        self._give = give
        self._hardware = hardware
        self._head = head
        self._begun = False
        self._work: deque[tuple[RTCRtpCodecParameters, Encoded] | None] = deque()
        self._fresh = threading.Condition()
        self._blind = kind == "video"
        self.key_wanted = False
        """The decoder cannot go on without a key frame; whoever asks for one resets it."""
        self._name = ""
        self._decoder: Decoder | None = None
        self._thread: threading.Thread | None = None
        if kind == "video":
            self._thread = threading.Thread(target=self._run, name="class-video", daemon=True)
            self._thread.start()

    def put(self, codec: RTCRtpCodecParameters, frame: Encoded) -> None:
        """Decode a frame, or queue it; when a queue is too long, all of it is thrown away."""
        if self._thread is None:
            self._decode(codec, frame)
            return
        with self._fresh:
            if len(self._work) >= MOST_WAITING:
                self._work.clear()
                self._blind = self._blind or codec.name == "H264"
            if self._blind:
                if not frame.whole or not is_key(codec.name, frame.data):
                    self.key_wanted = True
                    return
                self._blind = False
            self._work.append((codec, frame))
            self._fresh.notify()

    def stop(self) -> None:
        """Finish the frame in hand, no other, and end the thread; may be called twice."""
        if self._thread is None:
            return
        with self._fresh:
            self._work.clear()
            self._work.append(None)
            self._fresh.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._fresh:
                while not self._work:
                    self._fresh.wait()
                task = self._work.popleft()
            if task is None:
                return
            self._decode(*task)

    def _decode(self, codec: RTCRtpCodecParameters, frame: Encoded) -> None:
        if self._decoder is None or codec.name != self._name:
            self._name, self._decoder = codec.name, self._open(codec)
            self._begun = False
            if codec.name == "H264" and self._head:
                frame = frame._replace(data=self._head + frame.data)
        try:
            decoded = self._decoder.decode(JitterFrame(frame.data, frame.ticks))
        except av.FFmpegError as error:
            if isinstance(self._decoder, HardwareDecoder):
                self._without_hardware(error)
            self.key_wanted = True
            return
        self._begun = self._begun or bool(decoded)
        if not self._begun:
            self.key_wanted = True  # where a picture only becomes whole by and by, one is quicker
        for one in decoded:
            if isinstance(one, Decoded):
                self._give(one, one.pts if one.pts is not None else frame.ticks)

    def _open(self, codec: RTCRtpCodecParameters) -> Decoder:
        if self._hardware and codec.name == "H264":
            try:
                return HardwareDecoder()
            except (av.FFmpegError, ValueError) as error:  # ValueError: not in this build
                self._without_hardware(error)
        decoder = get_decoder(codec)
        if isinstance(decoder, H264Decoder):
            # a live class has one slice a picture: more threads only wait for each other
            decoder.codec.thread_count = 1
        return decoder

    def _without_hardware(self, error: Exception) -> None:
        """Let software begin, at the next key frame where pictures were decoded already."""
        log.warning("decoder_missing", wanted=HARDWARE, why=str(error), instead="software")
        self._hardware = False
        with self._fresh:
            self._blind = isinstance(self._decoder, HardwareDecoder)
        self._decoder = None


def beginning(codec: str, data: bytes) -> tuple[bool, bool]:
    """Tell of a packet whether a NAL unit of H.264 begins in it, and whether its picture does.

    A picture begins with its first slice (first_mb_in_slice is 0) or with what precedes slices;
    (False, False) for other codecs, of which a part is no use.
    """
    if codec != "H264" or len(data) < 6 or not data.startswith(b"\0\0\0\1"):
        return False, False
    kind = data[4] & 0x1F
    return True, kind in BEFORE_SLICES or (kind in SLICES and data[5] >= 0x80)


def is_key(codec: str, data: bytes) -> bool:
    """Tell whether a decoder can begin with this frame; True for codecs of which we cannot say.

    H.264 (table 7-1) begins at an IDR slice, at its parameter sets, which some send apart from it,
    or where a picture renewed bit by bit has its recovery point (annex D.2.8): some send no IDR
    after their first. The decoder itself gives no picture before one is whole.
    """
    if codec == "VP8":
        return not data[0] & 1
    if codec != "H264":
        return True
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        kind = data[at + 3] & 0x1F
        if kind in (IDR, SPS) or (kind == SEI and data[at + 4 : at + 5] == RECOVERY_POINT):
            return True
        at = data.find(b"\x00\x00\x01", at + 3)
    return False
