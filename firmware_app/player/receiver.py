"""Our receiver for aiortc: nothing in it can grow, and a lost packet is asked for until it is late.

aiortc 1.16's own asks once, waits for up to 512 packets behind one that is lost, plays sound 200 ms
late for good after the first loss, and keeps every frame nobody reads. This one takes its place
between the same hooks and hands each decoded frame to whoever was named with give_to().
"""

import asyncio
import contextlib
from collections.abc import Callable

import aiortc.rtcpeerconnection
from aiortc import RTCRtpReceiver
from aiortc.codecs import depayload, is_rtx
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
    unwrap_rtx,
)

from firmware_app.clock import Clock, MachineClock
from firmware_app.player.decoding import Decoded, Decoding, beginning
from firmware_app.player.rtp_frames import Frame, Piece, RtpFrames, rising
from firmware_app.player.stream_clock import Moment, StreamClock

VIDEO_WAIT_S = 0.5
"""Three repetitions of a server that repeats a packet every 200 ms; then the picture jumps, and is
smeared until the next key frame."""
AUDIO_WAIT_S = 0.06
"""Sound is not asked for again; this is for packets that were overtaken."""
LOOK_S = 0.005
KEY_EVERY_S = 0.5
"""Least time between two requests for a key frame."""
NTP_UNIX_S = 2_208_988_800
REPORTS_AT_ONCE = 3
"""Sender reports answered without delay: from our answer a server learns how far away we are, and
Janus repeats nothing before it knows."""

Give = Callable[[Decoded, Moment | None], None]
"""Takes a decoded frame, on a decoder's thread, and when it was captured."""


def use_our_receiver() -> None:
    """Let every peer connection of this process receive by ClassReceiver; may be called twice."""
    setattr(aiortc.rtcpeerconnection, "RTCRtpReceiver", ClassReceiver)  # noqa: B010 - not exported


class ClassReceiver(RTCRtpReceiver):
    """One stream, sound or pictures, from SRTP to decoded frames."""

    def __init__(self, kind: str, transport: RTCDtlsTransport) -> None:
        super().__init__(kind, transport)
        self._video = kind == "video"
        self._clock: Clock = MachineClock()
        self._give: Give = lambda _frame, _moment: None
        self._hardware = False
        self._parameter_sets = b""
        self._decoding: Decoding | None = None
        self._codecs: dict[int, RTCRtpCodecParameters] = {}
        self._original_ssrc: dict[int, int] = {}
        self._ssrc: int | None = None
        self._codec: RTCRtpCodecParameters | None = None
        self._frames = self._new_frames()
        self._look: asyncio.TimerHandle | None = None
        self._key_asked_s = float("-inf")
        self._our_ssrc: int | None = None
        self._moments: StreamClock | None = None
        self._bitrate = RemoteBitrateEstimator()
        self._statistics: dict[int, StreamStatistics] = getattr(  # noqa: B009 - private
            self, "_RTCRtpReceiver__remote_streams"
        )
        """aiortc's own, from which it writes its receiver reports."""
        self._sending: set[asyncio.Task[None]] = set()
        self._losses = 0
        self._reported: tuple[int, float] | None = None
        """The sender's last report: the middle of its NTP time, and when it came."""
        self._answered = 0

    def give_to(self, give: Give, *, hardware: bool = False, parameter_sets: bytes = b"") -> None:
        """Name who gets the decoded frames, and whether the machine's own decoder is tried.

        parameter_sets are those that the sender may never send (H.264, Annex B).
        """
        self._give = give
        self._hardware = hardware
        self._parameter_sets = parameter_sets

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Begin; called by aiortc when the connection stands."""
        if self._decoding is None:
            for codec in parameters.codecs:
                if codec.payloadType is not None:
                    self._codecs[codec.payloadType] = codec
            for encoding in parameters.encodings:
                if encoding.rtx:
                    self._original_ssrc[encoding.rtx.ssrc] = encoding.ssrc
            kind = "video" if self._video else "audio"
            self._decoding = Decoding(
                kind, self._decoded, hardware=self._hardware, head=self._parameter_sets
            )
        await super().receive(parameters)

    async def stop(self) -> None:
        """End for good; called by aiortc."""
        self._handle_disconnect()
        await super().stop()

    def _handle_disconnect(self) -> None:
        if self._look is not None:
            self._look.cancel()
        if self._decoding is not None:
            self._decoding.stop()
            self._decoding = None
        super()._handle_disconnect()

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self._our_ssrc = ssrc
        super()._set_rtcp_ssrc(ssrc)

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpByePacket):
            return  # a publisher that changes its camera says so too; the watchdog knows better
        if isinstance(packet, RtcpSrPacket) and packet.ssrc == self._ssrc and self._moments:
            info = packet.sender_info
            if info.ntp_timestamp:  # 0: the sender has no clock (RFC 3550 section 6.4.1)
                self._moments.report(info.rtp_timestamp, info.ntp_timestamp / 2**32 - NTP_UNIX_S)
            self._reported = (info.ntp_timestamp >> 16 & 0xFFFFFFFF, self._clock.monotonic())
            if self._answered < REPORTS_AT_ONCE:
                self._answered += 1
                await self._send(self._report())
        await super()._handle_rtcp_packet(packet)

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        codec = self._codecs.get(packet.payload_type)
        if codec is None or self._decoding is None:
            return
        await self._estimate_bitrate(packet, arrival_time_ms)
        if packet.ssrc not in self._statistics:
            self._statistics[packet.ssrc] = StreamStatistics(codec.clockRate)
        self._statistics[packet.ssrc].add(packet)
        again = is_rtx(codec)
        if again:
            # a server that does not say whose repetitions these are has one stream here
            ssrc = self._original_ssrc.get(packet.ssrc, self._ssrc)
            original = codec.parameters.get("apt")
            if ssrc is None or len(packet.payload) < 2 or original not in self._codecs:
                return
            packet = unwrap_rtx(packet, payload_type=original, ssrc=ssrc)
            codec = self._codecs[original]
        if packet.ssrc != self._ssrc:
            self._ssrc, self._moments = packet.ssrc, StreamClock(codec.clockRate)
            self._reported, self._answered = None, 0
            self._frames, self._losses = self._new_frames(), 0
        try:
            data = depayload(codec, packet.payload) if packet.payload else b""
        except ValueError:
            data = b""  # a kind of packet that this reader does not know is there, and no use
        self._codec = codec
        last = bool(packet.marker)
        opens, first = beginning(codec.name, data)
        piece = Piece(packet.sequence_number, packet.timestamp, last, data, again, opens, first)
        now_s = self._clock.monotonic()
        if self._moments is not None:
            self._moments.arrive(packet.timestamp, now_s)
        self._decode(self._frames.add(piece, now_s))
        if self._frames.waiting and self._look is None:
            self._look = asyncio.get_running_loop().call_later(LOOK_S, self._look_again)
        await self._ask_for_key()

    def _look_again(self) -> None:
        self._look = None
        if self._decoding is None:
            return
        freed, asked = self._frames.late(self._clock.monotonic())
        self._decode(freed)
        if self._frames.waiting:
            self._look = asyncio.get_running_loop().call_later(LOOK_S, self._look_again)
        if self._video and asked and self._ssrc is not None:
            sending = asyncio.create_task(self._ask_for(self._ssrc, asked))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)

    async def _ask_for(self, ssrc: int, asked: list[int]) -> None:
        for part in rising(asked):
            await self._send_rtcp_nack(ssrc, part)

    def _decode(self, frames: list[Frame]) -> None:
        if self._decoding is None or self._codec is None:
            return
        for frame in frames:
            self._decoding.put(self._codec, frame)
        if self._frames.losses > self._losses:
            self._decoding.key_wanted = True
        self._losses = self._frames.losses

    def _decoded(self, frame: Decoded, ticks: int) -> None:
        moment = self._moments.moment(ticks) if self._moments is not None else None
        if moment is not None:
            moment = moment._replace(spare_s=self._frames.spare_s(self._clock.monotonic()))
        self._give(frame, moment)

    async def _ask_for_key(self) -> None:
        now_s = self._clock.monotonic()
        if (
            self._video
            and self._decoding is not None
            and self._decoding.key_wanted
            and self._ssrc is not None
            and now_s - self._key_asked_s >= KEY_EVERY_S
        ):
            self._decoding.key_wanted = False
            self._key_asked_s = now_s
            if self._our_ssrc is not None:
                await self._send(
                    self._report(), RtcpPsfbPacket(RTCP_PSFB_PLI, self._our_ssrc, self._ssrc)
                )

    def _report(self) -> RtcpRrPacket:
        """Return what we have received of the stream (RFC 3550 section 6.4.2)."""
        reports = []
        stream = self._statistics.get(self._ssrc or 0)
        if stream is not None:
            lsr, came_s = self._reported or (0, 0.0)
            since_s = self._clock.monotonic() - came_s if self._reported else 0.0
            reports.append(
                RtcpReceiverInfo(
                    ssrc=self._ssrc or 0,
                    fraction_lost=0,  # aiortc's own reports tell it, and it is counted between them
                    packets_lost=stream.packets_lost,
                    highest_sequence=stream.max_seq or 0,
                    jitter=stream.jitter,
                    lsr=lsr,
                    dlsr=int(since_s * 65536),
                )
            )
        return RtcpRrPacket(ssrc=self._our_ssrc or 0, reports=reports)

    async def _send(self, *packets: AnyRtcpPacket) -> None:
        """Send one compound packet, which begins with a report (RFC 3550 section 6.1).

        Janus 1.1.2 finds the stream that a request is about by that report.
        """
        with contextlib.suppress(ConnectionError):
            await self.transport._send_rtp(b"".join(map(bytes, packets)))  # noqa: SLF001 - as aiortc

    async def _estimate_bitrate(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        """Tell the sender how much gets through (REMB), as aiortc's receiver does."""
        if not self._video or packet.extensions.abs_send_time is None or self._our_ssrc is None:
            return
        estimate = self._bitrate.add(
            abs_send_time=packet.extensions.abs_send_time,
            arrival_time_ms=arrival_time_ms,
            payload_size=len(packet.payload) + packet.padding_size,
            ssrc=packet.ssrc,
        )
        if estimate is not None:
            remb = RtcpPsfbPacket(
                fmt=RTCP_PSFB_APP,
                ssrc=self._our_ssrc,
                media_ssrc=0,
                fci=pack_remb_fci(*estimate),
            )
            await self._send_rtcp(remb)

    def _new_frames(self) -> RtpFrames:
        wait_s = VIDEO_WAIT_S if self._video else AUDIO_WAIT_S
        return RtpFrames(wait_s, pictures=self._video)
