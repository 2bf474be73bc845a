"""From encoded frames to pictures and sound, whatever the machine's own decoder is worth."""

import queue
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.rtcrtpparameters import RTCRtpCodecParameters

from firmware_app.player import decoding
from firmware_app.player.decoding import HardwareDecoder, beginning, is_key
from firmware_app.player.rtp_frames import Frame as EncodedFrame

H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90000, payloadType=99)


def encoded(count: int, **more: str) -> list[bytes]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 320, 180, "yuv420p"
    encoder.time_base = Fraction(1, 30)
    encoder.options = {"tune": "zerolatency", "profile": "baseline", "g": "10", **more}
    out = []
    for number in range(count):
        luma = (np.add.outer(np.arange(270), np.arange(320)) + number).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(luma, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, 30)
        out += [bytes(packet) for packet in encoder.encode(frame)]
    return out


class Deaf(HardwareDecoder):
    """A driver that takes everything and gives nothing, as some do."""

    def __init__(self) -> None:
        self._silent = 0
        self._codec = self

    def decode(self, frame):
        return super().decode(frame) if hasattr(frame, "timestamp") else []


@pytest.mark.parametrize("driver", [HardwareDecoder, Deaf])
def test_where_the_machines_own_decoder_fails_software_takes_over(monkeypatch, driver):
    monkeypatch.setattr(decoding, "HardwareDecoder", driver)
    given: queue.SimpleQueue[int] = queue.SimpleQueue()
    ours = decoding.Decoding("video", lambda _frame, ticks: given.put(ticks), hardware=True)
    for number, data in enumerate(encoded(60)):
        ours.put(H264, EncodedFrame(number * 3000, data))
        time.sleep(0.002)
    last = [given.get(timeout=5)]
    while last[-1] < 59 * 3000:
        last.append(given.get(timeout=5))
    ours.stop()
    assert len(last) >= 20  # all, or from the first key frame after the driver was given up


def test_sound_is_decoded_where_it_comes_and_needs_no_thread():
    before = threading.active_count()
    given = []
    ours = decoding.Decoding("audio", lambda frame, ticks: given.append((frame.samples, ticks)))
    opus = RTCRtpCodecParameters(mimeType="audio/opus", clockRate=48000, channels=2, payloadType=96)
    ours.put(opus, EncodedFrame(960, b"\xfc\xff\xfe"))  # 20 ms of silence
    assert given == [(960, 960)]
    assert threading.active_count() == before
    ours.stop()


def shown(frames: list[bytes], head: bytes = b"") -> list[int]:
    """Return which of the frames became pictures."""
    given: list[int] = []
    ours = decoding.Decoding("video", lambda _frame, ticks: given.append(ticks), head=head)
    for number, data in enumerate(frames):
        ours.put(H264, EncodedFrame(number, data))
        time.sleep(0.003)
    time.sleep(0.1)
    ours.stop()
    return given


def test_a_class_that_renews_its_picture_bit_by_bit_is_seen_though_no_key_frame_comes():
    frames = encoded(60, **{"intra-refresh": "1", "x264-params": "repeat-headers=1"})
    assert is_key("H264", frames[0])
    later = shown(frames[3:])  # whoever comes too late for the only key frame
    assert later
    assert later[-1] == 56
    assert later[0] < 40


def test_parameter_sets_that_come_apart_or_only_in_the_sdp_begin_a_class():
    first, *others = encoded(8, g="60")
    at = first.find(b"\0\0\1\x65")
    assert shown([first[:at], first[at:], *others])
    assert not shown([first[at:], *others])
    assert shown([first[at:], *others], head=first[:at])


def test_a_viewer_begins_at_a_key_frame():
    assert is_key("H264", b"\0\0\0\1\x67..\0\0\0\1\x68..\0\0\0\1\x65...")
    assert not is_key("H264", b"\0\0\0\1\x41...")
    assert not is_key("H264", b"\0\0\0\1")
    assert is_key("VP8", b"\x10")
    assert not is_key("VP8", b"\x11")
    assert is_key("opus", b"x")


def test_it_is_known_where_a_picture_of_h264_begins():
    start = b"\0\0\0\1"
    assert beginning("H264", start + b"\x67abc") == (True, True)  # parameter sets
    assert beginning("H264", start + b"\x65\x88") == (True, True)  # the first slice
    assert beginning("H264", start + b"\x41\x20") == (True, False)  # another one
    assert beginning("H264", b"\x88rest of a slice") == (False, False)
    assert beginning("VP8", start + b"\x65\x88") == (False, False)


def test_a_class_never_begins_with_a_part_of_a_picture():
    key, *others = encoded(4, g="60")
    given: list[int] = []
    ours = decoding.Decoding("video", lambda _frame, ticks: given.append(ticks))
    ours.put(H264, EncodedFrame(0, key[: len(key) // 2], whole=False))
    for number, data in enumerate(others):
        ours.put(H264, EncodedFrame(1 + number, data))
    ours.put(H264, EncodedFrame(9, key))
    time.sleep(0.1)
    ours.stop()
    assert given == [9]
