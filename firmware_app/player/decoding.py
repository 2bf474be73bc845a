"""A thread that decodes one stream, with a mailbox that cannot grow."""

import threading
from collections import deque
from collections.abc import Callable

import av
from aiortc.codecs import get_decoder
from aiortc.codecs.h264 import H264Decoder
from aiortc.jitterbuffer import JitterFrame
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from firmware_app.player.rtp_frames import Frame

MOST_WAITING = 30
"""A second of pictures: whoever is that far behind begins anew at a key frame."""

Decoded = av.VideoFrame | av.AudioFrame


class Decoding:
    """Decodes frames in the order they come, away from the event loop."""

    def __init__(self, kind: str, give: Callable[[Decoded, int], None]) -> None:
        """Call give, on this thread, with each decoded frame and its RTP timestamp."""
        self._give = give
        self._work: deque[tuple[RTCRtpCodecParameters, Frame] | None] = deque()
        self._fresh = threading.Condition()
        self._blind = kind == "video"
        self.key_wanted = False
        """The decoder cannot go on without a key frame; whoever asks for one resets it."""
        self._thread = threading.Thread(target=self._run, name=f"class-{kind}", daemon=True)
        self._thread.start()

    def put(self, codec: RTCRtpCodecParameters, frame: Frame) -> None:
        """Queue a frame; when the decoder is far behind, all that waits is thrown away."""
        with self._fresh:
            if len(self._work) >= MOST_WAITING:
                self._work.clear()
                self._blind = self._blind or codec.name == "H264"
            if self._blind:
                if not is_key(codec.name, frame.data):
                    self.key_wanted = True
                    return
                self._blind = False
            self._work.append((codec, frame))
            self._fresh.notify()

    def stop(self) -> None:
        """Finish the frame in hand, no other, and end the thread; may be called twice."""
        with self._fresh:
            self._work.clear()
            self._work.append(None)
            self._fresh.notify()
        self._thread.join()

    def _run(self) -> None:
        name, decoder = "", None
        while True:
            with self._fresh:
                while not self._work:
                    self._fresh.wait()
                task = self._work.popleft()
            if task is None:
                return
            codec, frame = task
            if decoder is None or codec.name != name:
                name, decoder = codec.name, get_decoder(codec)
                if isinstance(decoder, H264Decoder):
                    # a live class has one slice a picture: more threads only wait for each other
                    decoder.codec.thread_count = 1
            try:
                decoded = decoder.decode(JitterFrame(frame.data, frame.ticks))
            except av.FFmpegError:
                self.key_wanted = True
                continue
            for one in decoded:
                if isinstance(one, Decoded):
                    self._give(one, one.pts if one.pts is not None else frame.ticks)


def is_key(codec: str, data: bytes) -> bool:
    """Tell whether a decoder can begin with this frame; True for codecs of which we cannot say."""
    if codec == "VP8":
        return not data[0] & 1
    if codec != "H264":
        return True
    at = data.find(b"\x00\x00\x01")
    while 0 <= at < len(data) - 3:
        if data[at + 3] & 0x1F == 5:  # an IDR slice (H.264 table 7-1)
            return True
        at = data.find(b"\x00\x00\x01", at + 3)
    return False
