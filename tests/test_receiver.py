"""Our receiver between aiortc's hooks: what it makes of a sender's reports."""

import asyncio
from types import SimpleNamespace

import pytest
from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket

from firmware_app.player.receiver import NTP_UNIX_S, ClassReceiver
from firmware_app.player.stream_clock import StreamClock

SSRC, TICKS, WALL_S = 7, 90_000, 1_800_000_000


def captured_s(ntp_timestamp: int) -> float | None:
    """Return when the picture of a sender's report was captured, by that report."""
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    transport = SimpleNamespace(state="connected", _stats_id="t", _send_rtp=send)
    receiver = ClassReceiver("video", transport)
    receiver._ssrc, receiver._our_ssrc, receiver._moments = SSRC, 1, StreamClock(90_000)
    receiver._moments.arrive(TICKS, 5.0)
    info = RtcpSenderInfo(ntp_timestamp, TICKS, packet_count=1, octet_count=1)
    asyncio.run(receiver._handle_rtcp_packet(RtcpSrPacket(SSRC, info)))
    assert len(sent) == 1  # answered at once: the server learns how far away we are
    return receiver._moments.moment(TICKS).captured_s


def test_a_senders_report_tells_when_a_picture_was_captured():
    assert captured_s((WALL_S + NTP_UNIX_S) << 32) == pytest.approx(WALL_S)


def test_a_sender_without_a_clock_is_not_believed():
    assert captured_s(0) is None
