"""What a rider sees of the class while it comes, stops and comes back."""

import asyncio
import contextlib
import inspect
import random
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from firmware_app.clock import MachineClock
from firmware_app.player.class_feed import (
    FIRST_PICTURE_S,
    LOST_S,
    OTHER_WAY_S,
    QUIET_S,
    ClassFeed,
    judge,
)
from firmware_app.player.class_session import ClassSession
from firmware_app.player.whep import Answered, Countered, IceServer, NoClass
from firmware_app.player.whep_http import Whep


@pytest.mark.parametrize(
    ("open_s", "quiet_s", "state"),
    [
        (0.0, None, "connecting"),
        (FIRST_PICTURE_S - 0.1, None, "connecting"),
        (FIRST_PICTURE_S, None, "lost"),
        (100.0, 0.1, "playing"),
        (100.0, QUIET_S, "reconnecting"),
        (100.0, LOST_S - 0.1, "reconnecting"),
        (100.0, LOST_S, "lost"),
    ],
)
def test_a_class_that_stops_is_named_soon_and_given_up_later(open_s, quiet_s, state):
    assert judge(open_s, quiet_s)[0] == state


def test_a_bike_without_a_class_is_silent_and_dark():
    feed = ClassFeed("", "", MachineClock())
    assert feed.state == ("off", "")
    assert feed.newest() is None
    assert not feed.pull(960).any()
    assert feed.pull(960).shape == (960, 2)
    assert feed.pull(960).dtype == np.float32


# against a server that answers as it likes ------------------------------------------------------


def states_against(answer: bytes, seconds: float = 0.5, url: str = "") -> tuple[ClassFeed, int]:
    """Run a feed against canned bytes; return it as it was, and how often it asked."""

    async def scene() -> tuple[ClassFeed, int]:
        asked = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal asked
            asked += 1
            with contextlib.suppress(OSError):
                await reader.read(1)
                writer.write(answer)
                await writer.drain()
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        feed = ClassFeed(url or f"http://127.0.0.1:{port}/whep", "t", MachineClock())
        running = asyncio.create_task(feed.run())
        await asyncio.sleep(seconds)
        assert not running.done()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        server.close()
        return feed, asked

    return asyncio.run(scene())


def reply(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        (reply("404 Not Found"), "waiting", "has not started"),
        (reply("401 Unauthorized"), "refused", "token"),
        (reply("500 Oops"), "waiting", "cannot serve"),
        (reply("200 OK", b"<html></html>"), "connecting", "a web page"),
        (reply("201 Created", b"v=0\r\nm=nonsense\r\n"), "connecting", "SDP cannot be used"),
        (reply("201 Created", b"v=0\nm=video 9 RTP/AVP 96\na=rtpmap:x\n"), "connecting", "SDP"),
        (reply("406 No", b"v=0\nm=x\n", "Location: /s"), "connecting", "SDP cannot be used"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "connecting", "hung up"),
        (b"", "connecting", "hung up"),
    ],
)
def test_a_strange_server_is_a_sentence_on_the_screen(answer: bytes, state: str, words: str):
    feed, _ = states_against(answer)
    assert feed.state[0] == state
    assert words in feed.state[1]


def test_a_refused_bike_does_not_hammer_the_server():
    _, asked = states_against(reply("403 Forbidden"), seconds=2.0)
    assert asked == 1


def test_a_class_that_has_not_begun_is_asked_for_again():
    _, asked = states_against(reply("404 Not Found"), seconds=2.5)
    assert 2 <= asked <= 5


def test_an_https_address_of_an_http_server_is_told():
    async def scene() -> tuple[str, str]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(reply("400 Bad Request"))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Whep(f"https://127.0.0.1:{port}/whep", "") as whep:
            said = await whep.join("v=0")
        server.close()
        assert isinstance(said, NoClass)
        return said.state, said.why

    state, why = asyncio.run(scene())
    assert state == "connecting"
    assert "does not speak TLS" in why


class Canned(Whep):
    """A server that answers with one SDP, whatever it is offered."""

    def __init__(self, said: Answered | Countered) -> None:
        super().__init__("http://class/whep", "")
        self._said = said

    async def join(self, offer: str) -> Answered | Countered | NoClass:  # noqa: ARG002 - canned
        return self._said

    async def answer(self, session: str, sdp: str) -> NoClass | None:  # noqa: ARG002 - canned
        return None


async def true_offer() -> str:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    peer.addTransceiver("audio", "sendonly")
    peer.addTransceiver("video", "sendonly")
    await peer.setLocalDescription(await peer.createOffer())
    sdp: str = peer.localDescription.sdp
    await peer.close()
    return sdp


def test_dropping_our_own_offer_for_the_servers_is_not_the_end_of_the_class():
    async def scene() -> tuple[NoClass | None, bool]:
        said = Countered(await true_offer(), "/s")
        session = ClassSession(Canned(said), lambda *_: None, lambda *_: None)
        refused = await session.open()
        await asyncio.sleep(0.1)
        ended = session.ended.is_set()
        await session.close()
        return refused, ended

    assert asyncio.run(scene()) == (None, False)


def test_servers_of_the_settings_and_of_the_class_are_offered_together():
    ours, theirs = IceServer("stun:ours.gym"), IceServer("turn:theirs.gym", "u", "p")

    async def scene(said) -> tuple[ClassSession, list[str]]:
        session = ClassSession(Canned(said), lambda *_: None, lambda *_: None, (ours,))
        session._peer = RTCPeerConnection(RTCConfiguration([]))  # gathers nothing from far away
        await session.open()
        await session.close()
        return session, [one.url for one in session.servers]

    offer = asyncio.run(true_offer())
    answer = Answered(offer.replace("actpass", "active"), "/s", (theirs, ours))
    session, urls = asyncio.run(scene(answer))
    assert urls == ["stun:ours.gym", "turn:theirs.gym"]
    assert session.knows_more  # the offer had left already
    session, _ = asyncio.run(scene(Answered(answer.sdp, "/s", (ours,))))
    assert not session.knows_more


def test_a_way_that_only_the_class_server_knew_of_is_tried_soon():
    assert judge(4.0, None)[0] == "connecting"
    assert judge(4.0, None, OTHER_WAY_S)[0] == "lost"


def test_broken_sdp_never_ends_the_player():
    async def scene() -> int:
        chance = random.Random(7)
        whole = await true_offer()
        answers = whole.replace("actpass", "active").replace("sendonly", "recvonly")
        refused = 0
        for turn in range(60):
            lines = (whole if turn % 2 else answers).split("\r\n")
            for _ in range(chance.randint(1, 4)):
                at = chance.randrange(len(lines))
                word = lines[at]
                cut = chance.randint(0, len(word))
                lines[at] = chance.choice([word[:cut], word[cut:], word + word, "a=", "m=video"])
            text = "\r\n".join(lines)
            said = Countered(text, "/s") if turn % 2 else Answered(text, "/s")
            session = ClassSession(Canned(said), lambda *_: None, lambda *_: None)
            refused += isinstance(await session.open(), NoClass)
            await session.close()
        return refused

    assert asyncio.run(scene()) > 5


def test_the_player_page_can_rely_on_the_feed():
    wanted: dict[str, Callable[..., object] | Awaitable[object]] = {
        name: getattr(ClassFeed, name) for name in ("run", "newest", "pull")
    }
    assert inspect.iscoroutinefunction(wanted["run"])
