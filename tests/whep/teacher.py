"""Sends a class file as RTP in real time, nothing encoded anew, with RTCP sender reports.

    python teacher.py FILE VIDEO_PORT AUDIO_PORT [LOG]    RTCP goes to port + 1

LOG gets a line "number monotonic_s" when a picture's first packet leaves. Each start is a new
sender: other SSRCs, sequence numbers and timestamps.
"""

import random
import socket
import struct
import sys
import time
from pathlib import Path

from aiortc.codecs.h264 import H264Encoder

from firmware_app.clock import MachineClock
from firmware_app.sim.class_loop import AUDIO_HZ, VIDEO_HZ, ClassLoop, Item

NTP_UNIX_S = 2_208_988_800
MTU = 1200


class Stream:
    def __init__(self, port: int, payload_type: int, hz: int) -> None:
        self.to = ("127.0.0.1", port)
        self.payload_type, self.hz = payload_type, hz
        self.ssrc, self.seq = random.getrandbits(32), random.getrandbits(16)
        self.base = random.getrandbits(32)
        self.packets = self.octets = 0

    def send(self, door: socket.socket, at_s: float, payloads: list[bytes]) -> None:
        ticks = (self.base + round(at_s * self.hz)) & 0xFFFFFFFF
        for index, payload in enumerate(payloads):
            last = index == len(payloads) - 1 and self.hz == VIDEO_HZ
            head = struct.pack(
                "!BBHII", 0x80, self.payload_type | last << 7, self.seq, ticks, self.ssrc
            )
            door.sendto(head + payload, self.to)
            self.seq = (self.seq + 1) & 0xFFFF
            self.packets += 1
            self.octets += len(payload)

    def report(self, door: socket.socket, at_s: float, wall_s: float) -> None:
        """Send an RTCP sender report (RFC 3550 section 6.4.1)."""
        ntp = wall_s + NTP_UNIX_S
        ticks = (self.base + round(at_s * self.hz)) & 0xFFFFFFFF
        words = (int(ntp), int(ntp % 1 * 2**32), ticks, self.packets, self.octets & 0xFFFFFFFF)
        packet = struct.pack("!BBHIIIIII", 0x80, 200, 6, self.ssrc, *words)
        door.sendto(packet, (self.to[0], self.to[1] + 1))


def packets_of(picture: bytes) -> list[bytes]:
    """Cut an Annex B picture into RTP payloads (RFC 6184)."""
    return H264Encoder._packetize(H264Encoder._split_bitstream(picture))


def teach(media: Path, video_port: int, audio_port: int, log: Path | None) -> None:
    loop = ClassLoop(media, MachineClock())
    video, audio = Stream(video_port, 96, VIDEO_HZ), Stream(audio_port, 111, AUDIO_HZ)
    items: list[tuple[float, int, Item]] = sorted(
        [(item.at / VIDEO_HZ, n, item) for n, item in enumerate(loop.video)]
        + [(item.at / AUDIO_HZ, -1, item) for item in loop.audio],
        key=lambda one: one[0],
    )
    cut = [packets_of(item.data) if n >= 0 else [item.data] for _, n, item in items]
    print("TEACHING", flush=True)  # noqa: T201 - a test waits for it
    begin_s, told_s, turn = time.monotonic(), -1.0, 0
    wall_s = time.time() - begin_s
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door,
        Path(log or "/dev/null").open("w") as out,
    ):
        while True:
            for (into_s, number, _), payloads in zip(items, cut, strict=True):
                at_s = turn * loop.length_s + into_s
                now_s = time.monotonic()
                time.sleep(max(begin_s + at_s - now_s, 0))
                stream = video if number >= 0 else audio
                if number >= 0:
                    out.write(f"{number} {time.monotonic():.6f}\n")
                    out.flush()
                stream.send(door, at_s, payloads)
                if at_s - told_s >= 1:
                    told_s = at_s
                    for each in (video, audio):
                        each.report(door, at_s, wall_s + begin_s + at_s)
            turn += 1


if __name__ == "__main__":
    teach(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        int(sys.argv[3]),
        Path(sys.argv[4]) if len(sys.argv) > 4 else None,
    )
