"""Class servers have habits: what each says in its own way is understood, and the class is seen.

The class is our class server's own; what it says is changed on the way, as other servers say it.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from firmware_app.clock import MachineClock
from firmware_app.player.class_session import ClassSession
from firmware_app.player.loopback import offer_loopback
from firmware_app.player.sdp_given import parameter_sets, readable_answer
from firmware_app.player.whep import Countered
from firmware_app.player.whep_http import Whep
from firmware_app.sim.class_loop import ClassLoop
from firmware_app.sim.class_media import make_class
from firmware_app.sim.class_server import ClassServer

Change = Callable[[str], str]


class Habits(httpx.AsyncBaseTransport):
    """The class server, heard through somebody who says it otherwise."""

    def __init__(self, server: ClassServer, change: Change) -> None:
        self._server = httpx.ASGITransport(server.app())
        self._change = change

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        said = await self._server.handle_async_request(request)
        body = self._change((await said.aread()).decode())
        headers = {k: v for k, v in said.headers.items() if k in ("location", "content-type")}
        return httpx.Response(said.status_code, headers=headers, text=body)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_class(tmp_path_factory.mktemp("class"))


def watch(media: Path, change: Change, want: set[str]) -> set[str]:
    """Return what came of the class, within five seconds."""

    async def scene() -> set[str]:
        offer_loopback()
        came: set[str] = set()
        all_there = asyncio.Event()
        loop = asyncio.get_running_loop()

        def take(kind: str) -> None:
            came.add(kind)
            if came >= want:
                loop.call_soon_threadsafe(all_there.set)

        server = ClassServer(ClassLoop(media, MachineClock()))
        async with Whep("http://class/whep", "", transport=Habits(server, change)) as whep:
            session = ClassSession(whep, lambda *_: take("picture"), lambda *_: take("sound"))
            assert await session.open() is None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(all_there.wait(), 5)
            await session.close()
        return came

    return asyncio.run(scene())


def without(*starts: str) -> Change:
    """Leave out the lines that begin so."""
    return lambda sdp: "".join(
        line for line in sdp.splitlines(keepends=True) if not line.startswith(starts)
    )


def other_h264(fmtp: str) -> Change:
    return lambda sdp: re.sub(
        r"(a=fmtp:\d+ )[^\r\n]*profile-level-id[^\r\n]*", rf"\g<1>{fmtp}", sdp
    )


def refused(kind: str) -> Change:
    """Refuse a medium by the least that RFC 9429 asks for."""

    def change(sdp: str) -> str:
        session, *media = re.split(r"(?=^m=)", sdp, flags=re.MULTILINE)
        mids = [re.search(r"a=mid:(\S+)", one)[1] for one in media]
        pairs = list(zip(mids, media, strict=True))
        kept = [mid for mid, one in pairs if not one.startswith(f"m={kind}")]
        session = re.sub(r"a=group:BUNDLE .*", f"a=group:BUNDLE {' '.join(kept)}\r", session)
        least = f"m={kind} 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"
        return session + "".join(
            least + f"a=mid:{mid}\r\n" if one.startswith(f"m={kind}") else one for mid, one in pairs
        )

    return change


def credentials_for_all(sdp: str) -> str:
    """Say ICE's and DTLS's credentials once, for the whole session."""
    own = ("a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=setup")
    lines = [line for line in sdp.splitlines(keepends=True) if line.startswith(own)]
    first = dict.fromkeys(lines)
    return re.sub(r"^(t=.*\r?\n)", rf"\1{''.join(first)}", without(*own)(sdp), flags=re.MULTILINE)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(without("a=ssrc", "a=msid"), id="names no SSRC"),
        pytest.param(without("a=mid"), id="names no medium"),
        pytest.param(without("a=rtcp-mux", "a=rtcp:"), id="says nothing of RTCP"),
        pytest.param(without("a=rtcp-fb"), id="repeats nothing"),
        pytest.param(lambda sdp: re.sub(r"a=rtpmap:\d+ rtx.*\r\n", "", sdp), id="no RTX"),
        pytest.param(other_h264("profile-level-id=42e01f"), id="one NAL unit a packet"),
        pytest.param(without("a=fmtp"), id="says nothing of H.264"),
        pytest.param(other_h264("packetization-mode=1;profile-level-id=640032"), id="high"),
        pytest.param(other_h264("packetization-mode=1;profile-level-id=4D0028"), id="main"),
        pytest.param(
            other_h264("packetization-mode=1; profile-level-id=42C02A"), id="spaces, 42C0"
        ),
        pytest.param(credentials_for_all, id="credentials for the session"),
        pytest.param(lambda sdp: sdp.replace("\r\n", "\n"), id="bare newlines"),
    ],
)
def test_a_server_that_says_it_in_its_own_way_is_understood(media: Path, change: Change):
    assert watch(media, change, {"picture", "sound"}) == {"picture", "sound"}


@pytest.mark.parametrize(("gone", "left"), [("audio", "picture"), ("video", "sound")])
def test_a_class_of_pictures_or_of_sound_alone_is_taken(media: Path, gone: str, left: str):
    assert watch(media, refused(gone), {left}) == {left}


def test_an_answer_without_anything_is_told():
    with pytest.raises(ValueError, match="neither picture nor sound"):
        readable_answer("v=0\r\nm=video 0 UDP/TLS/RTP/SAVPF 0\r\n", "v=0\r\n")


def test_parameter_sets_that_are_only_told_are_read():
    sdp = (
        "a=fmtp:99 packetization-mode=1;sprop-parameter-sets=Z0LAHg==,aM4=;profile-level-id=42c01e"
    )
    assert parameter_sets(sdp) == b"\0\0\0\1\x67\x42\xc0\x1e\0\0\0\1\x68\xce"
    assert parameter_sets("a=fmtp:99 sprop-parameter-sets=Z") == b""
    assert parameter_sets("v=0") == b""


class Offering(Whep):
    """A server that makes the offer, and keeps our answer."""

    def __init__(self, offer: str) -> None:
        super().__init__("http://class/whep", "")
        self._offer = offer
        self.answered = ""

    async def join(self, offer: str) -> Countered:  # noqa: ARG002 - it has its own
        return Countered(self._offer, "http://class/session")

    async def answer(self, session: str, sdp: str) -> None:  # noqa: ARG002 - as above
        self.answered = sdp

    async def leave(self, session: str) -> None:
        """Nothing to leave."""


def test_of_two_pictures_and_two_sounds_the_first_are_taken():
    async def scene() -> str:
        peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for kind in ("video", "audio", "video", "audio"):
            peer.addTransceiver(kind, "sendonly")
        await peer.setLocalDescription(await peer.createOffer())
        server = Offering(re.sub(r"a=rtpmap:\d+ VP8.*\r\n", "", peer.localDescription.sdp))
        session = ClassSession(server, lambda *_: None, lambda *_: None)
        assert await session.open() is None
        await session.close()
        await peer.close()
        return server.answered

    said = re.findall(r"^a=(recvonly|inactive)", asyncio.run(scene()), re.MULTILINE)
    assert said == ["recvonly", "recvonly", "inactive", "inactive"]
