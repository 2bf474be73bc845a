"""A class over a bad network in no time: what a rider would see, at every seed, on any machine.

The player's own frames, sound and pictures on a clock moved by hand; only packets, delays and the
server's way of repeating are made up. A decoder takes no time here.

    python -m tests.whep.virtual SERVER LOSS SEEDS
"""

import heapq
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import av
import numpy as np

from firmware_app.clock import HandClock
from firmware_app.player.class_feed import ClassFeed
from firmware_app.player.receiver import AUDIO_WAIT_S, LOOK_S, VIDEO_WAIT_S
from firmware_app.player.rtp_frames import Frame, Piece, RtpFrames
from firmware_app.player.stream_clock import StreamClock

PICTURE_S, SOUND_S, DRAW_S = 1 / 30, 0.02, 1 / 60
PACKETS, KEY_PACKETS, KEY_EVERY = 9, 40, 60
APART_S = 0.0001
"""Between two packets of a picture."""
LEAD_S = 0.055
"""What a speaker holds back, as measured headless."""
FROZEN_S = 0.1
BEGIN_S = 5.0
SERVERS = ("at-once", "same", "janus", "never")
"""How a server repeats: by RTX (RFC 4588), as the packet was, as Janus 1.1.2 does, not at all."""
JANUS_DEAF_S, JANUS_AGAIN_S = 2.0, 0.2


@dataclass(frozen=True)
class Radio:
    """What a network does to packets, both ways."""

    loss: float
    delay_s: float = 0.015
    jitter_s: float = 0.01


@dataclass(frozen=True)
class Seen:
    """What the rider had."""

    frozen: list[tuple[float, float]]
    """When a picture began to stand still, and for how long."""
    latency_s: float
    """The median, from camera to screen."""
    first_s: float


class Stream:
    """One stream's sender, and its receiver as ClassReceiver has it."""

    def __init__(self, hz: int, wait_s: float, *, pictures: bool) -> None:
        self.frames = RtpFrames(wait_s, pictures=pictures)
        self.clock = StreamClock(hz)
        self.seq = 0
        self.sent: dict[int, Piece] = {}
        self.repeated_s: dict[int, float] = {}


class VirtualClass:
    """Thirty pictures and fifty sounds a second, sent, lost, asked for, repeated, shown."""

    def __init__(self, server: str, radio: Radio, seed: int) -> None:
        self.server, self.radio, self.chance = server, radio, random.Random(seed)
        self.clock = HandClock()
        self.feed = ClassFeed("", "", self.clock)
        self.video = Stream(90_000, VIDEO_WAIT_S, pictures=True)
        self.audio = Stream(48_000, AUDIO_WAIT_S, pictures=False)
        self.events: list[tuple[float, int, Callable[[float], None]]] = []
        self.count = 0
        self.sent_s: dict[int, float] = {}
        self.shown: list[tuple[float, av.VideoFrame]] = []
        self.tone = av.AudioFrame.from_ndarray(np.full((1, 1920), 300, np.int16), "s16", "stereo")
        self.tone.sample_rate = 48_000

    def run(self, seconds: float) -> Seen:
        for number in range(int(seconds / PICTURE_S)):
            self.at(number * PICTURE_S, lambda now_s, n=number: self.film(n, now_s))
        for number in range(int(seconds / SOUND_S)):
            ticks = number * 960
            self.at(number * SOUND_S, lambda now_s, t=ticks: self.send(self.audio, t, 1, now_s))
        for what in (self.look, self.pull, self.draw):
            self.at(0.001, what)
        while self.events[0][0] < seconds:
            when_s, _, do = heapq.heappop(self.events)
            self.clock.advance(max(when_s - self.clock.monotonic(), 0.0))
            do(when_s)
        times = [at_s for at_s, _ in self.shown]
        took_s = [at_s - self.sent_s[id(one)] for at_s, one in self.shown]
        frozen = [(a, b - a) for a, b in pairwise(times) if b - a > FROZEN_S]
        return Seen(frozen, float(np.median(took_s)), times[0])

    def at(self, when_s: float, what: Callable[[float], None]) -> None:
        self.count += 1
        heapq.heappush(self.events, (when_s, self.count, what))

    def pass_on(self, now_s: float, what: Callable[[float], None]) -> None:
        """Do it at the other side, unless it is lost on the way."""
        if self.chance.random() >= self.radio.loss:
            jitter_s = self.chance.random() * self.radio.jitter_s
            self.at(now_s + self.radio.delay_s + jitter_s, what)

    # the server ---------------------------------------------------------------------------------

    def film(self, number: int, now_s: float) -> None:
        packets = PACKETS if number % KEY_EVERY else KEY_PACKETS
        self.send(self.video, number * 3000, packets, now_s)

    def send(self, stream: Stream, ticks: int, packets: int, now_s: float) -> None:
        for n in range(packets):
            seq, last, first = stream.seq & 0xFFFF, n == packets - 1, n == 0
            stream.seq += 1
            stream.sent[seq] = piece = Piece(seq, ticks, last, b"x", opens=first, first=first)
            self.pass_on(now_s + n * APART_S, lambda at_s, p=piece: self.come(stream, p, at_s))

    def asked(self, seq: int, now_s: float) -> None:
        before_s = self.video.repeated_s.get(seq, -JANUS_AGAIN_S)
        deaf = now_s < JANUS_DEAF_S or now_s - before_s < JANUS_AGAIN_S
        if self.server == "never" or (self.server == "janus" and deaf):
            return
        self.video.repeated_s[seq] = now_s
        piece = self.video.sent[seq]._replace(again=self.server != "same")
        self.pass_on(now_s, lambda at_s: self.come(self.video, piece, at_s))

    # the player ---------------------------------------------------------------------------------

    def come(self, stream: Stream, piece: Piece, now_s: float) -> None:
        stream.clock.arrive(piece.ticks, now_s)
        self.give(stream, stream.frames.add(piece, now_s), now_s)

    def give(self, stream: Stream, frames: list[Frame], now_s: float) -> None:
        for frame in frames:
            moment = stream.clock.moment(frame.ticks)
            if stream is self.audio:
                self.tone.pts = frame.ticks
                self.feed._take_sound(self.tone, moment)
            else:
                picture = av.VideoFrame(16, 16, "yuv420p")
                picture.pts = frame.ticks
                moment = moment._replace(spare_s=stream.frames.spare_s(now_s))
                self.feed._take_picture(picture, moment)

    def look(self, now_s: float) -> None:
        for stream in (self.audio, self.video):
            freed, missing = stream.frames.late(now_s)
            self.give(stream, freed, now_s)
            for seq in missing if stream is self.video else ():
                self.pass_on(now_s, lambda at_s, s=seq: self.asked(s, at_s))
        self.at(now_s + LOOK_S, self.look)

    def pull(self, now_s: float) -> None:
        self.feed.pull(960, now_s + LEAD_S)
        self.at(now_s + SOUND_S, self.pull)

    def draw(self, now_s: float) -> None:
        picture = self.feed.newest()
        if picture is not None and (not self.shown or self.shown[-1][1] is not picture):
            self.sent_s[id(picture)] = picture.pts / 90_000
            self.shown.append((now_s, picture))
        self.at(now_s + DRAW_S, self.draw)


def main() -> None:
    server, loss, seeds = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    for seed in range(seeds):
        seen = VirtualClass(server, Radio(loss), seed).run(30)
        waits_s = [wait_s for _, wait_s in seen.frozen]
        sys.stdout.write(
            f"seed {seed}: frozen {sum(waits_s):.2f} s, longest {max(waits_s, default=0):.2f} s,"
            f" of it {sum(w for a, w in seen.frozen if a < BEGIN_S):.2f} s in the first"
            f" {BEGIN_S:.0f} s; latency {seen.latency_s:.3f} s\n"
        )


if __name__ == "__main__":
    main()
