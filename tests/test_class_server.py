"""The demo's class: what it answers, what it plays, and that it comes round without a seam."""

import asyncio
import itertools
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.sdp import SessionDescription

from firmware_app.clock import HandClock
from firmware_app.errors import BadInput
from firmware_app.sim.class_loop import AUDIO_HZ, VIDEO_HZ, ClassLoop, LoopTrack, Viewing
from firmware_app.sim.class_media import FPS, LOOP_S, make_class, speak_over
from firmware_app.sim.class_music import BEATS, RPM, SAMPLE_HZ, music
from firmware_app.sim.class_server import MOST_VIEWERS, ClassServer


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_class(tmp_path_factory.mktemp("class"))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def loop(media: Path, clock: HandClock) -> ClassLoop:
    return ClassLoop(media, clock)


async def offer(*kinds: str) -> tuple[RTCPeerConnection, str]:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for kind in kinds:
        peer.addTransceiver(kind, "recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    return peer, peer.localDescription.sdp


def ask(server: ClassServer, method: str, path: str, **more):
    async def once():
        transport = httpx.ASGITransport(server.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://class") as http:
            return await http.request(method, path, **more)

    return asyncio.run(once())


SDP = {"Content-Type": "application/sdp"}


# the WHEP side ----------------------------------------------------------------------------------


def test_a_viewer_joins_with_an_offer_and_leaves_with_a_delete(loop: ClassLoop):
    server = ClassServer(loop, "secret")
    bearer = {"Authorization": "Bearer secret"}

    async def visit():
        peer, sdp = await offer("audio", "video")
        transport = httpx.ASGITransport(server.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://class") as http:
            joined = await http.post("/whep", content=sdp, headers={**SDP, **bearer})
            during = server.viewers
            gone = await http.delete(joined.headers["location"], headers=bearer)
            again = await http.delete(joined.headers["location"], headers=bearer)
        await peer.close()
        return joined, during, gone, again

    joined, during, gone, again = asyncio.run(visit())
    assert joined.status_code == 201
    assert joined.headers["content-type"] == "application/sdp"
    answer = SessionDescription.parse(joined.text)
    codecs = {media.kind: media.rtp.codecs[0].name for media in answer.media}
    assert codecs == {"audio": "opus", "video": "H264"}
    assert {media.direction for media in answer.media} == {"sendonly"}
    assert (during, gone.status_code, again.status_code) == (1, 200, 404)
    assert (server.viewers, server.left) == (0, 1)


@pytest.mark.parametrize(
    "said", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}]
)
def test_nobody_watches_without_the_token(loop: ClassLoop, said: dict[str, str]):
    server = ClassServer(loop, "secret")
    refused = ask(server, "POST", "/whep", content="v=0", headers={**SDP, **said})
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert ask(server, "DELETE", "/whep/session/x", headers=said).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("POST", "/elsewhere", {"headers": SDP, "content": "v=0"}, 404),
        ("DELETE", "/whep/session/unknown", {}, 404),
        ("GET", "/whep", {}, 405),
        ("POST", "/whep", {"json": {}}, 415),
        ("POST", "/whep", {"headers": SDP}, 400),
        ("POST", "/whep", {"headers": SDP, "content": "hello"}, 400),
        ("POST", "/whep", {"headers": SDP, "content": b"\xff\xfe"}, 400),
        ("POST", "/whep", {"headers": SDP, "content": "v=0\r\n" * 20_000}, 413),
    ],
)
def test_what_is_no_offer_is_told_so(loop: ClassLoop, method, path, more, status):
    server = ClassServer(loop)
    assert ask(server, method, path, **more).status_code == status
    assert server.viewers == 0


def test_a_viewer_that_cannot_play_h264_is_told_so(loop: ClassLoop):
    async def vp8_only():
        peer, sdp = await offer("audio", "video")
        await peer.close()
        return sdp.replace("H264", "H999")

    said = ask(ClassServer(loop), "POST", "/whep", content=asyncio.run(vp8_only()), headers=SDP)
    assert said.status_code == 400
    assert "H.264" in said.text


def test_a_full_class_says_when_to_come_again(loop: ClassLoop):
    server = ClassServer(loop)
    server._viewers = dict.fromkeys(map(str, range(MOST_VIEWERS)))
    said = ask(server, "POST", "/whep", content="v=0", headers=SDP)
    assert (said.status_code, said.headers["retry-after"]) == (503, "5")


# what it plays ----------------------------------------------------------------------------------


def test_the_class_is_made_once(media: Path):
    before = media.stat().st_mtime_ns
    assert make_class(media.parent) == media
    assert media.stat().st_mtime_ns == before


def test_every_bike_can_begin_within_a_second(loop: ClassLoop):
    keys = [item.at / VIDEO_HZ for item in loop.video if item.key]
    assert keys[0] == 0
    assert max(np.diff([*keys, loop.length_s])) <= 1.0
    assert len(loop.video) == LOOP_S * FPS


def test_picture_and_sound_come_round_together(loop: ClassLoop):
    assert loop.length_s == LOOP_S
    assert len(loop.audio) == LOOP_S * 50
    assert BEATS / LOOP_S * 60 == RPM


def played(loop: ClassLoop, clock: HandClock, kind, packets: int):
    async def take():
        track = LoopTrack(kind, Viewing(loop))
        out = []
        for _ in range(packets):
            packet = await track.recv()
            out.append((clock.monotonic(), float(packet.pts * packet.time_base), bytes(packet)))
        return out

    return asyncio.run(take())


@pytest.mark.parametrize(("kind", "hz"), [("video", FPS), ("audio", 50)])
def test_time_goes_on_where_the_class_comes_round(loop: ClassLoop, clock: HandClock, kind, hz):
    clock.advance(LOOP_S - 2.5)
    out = played(loop, clock, kind, hz * 5)
    steps = [after[1] - before[1] for before, after in itertools.pairwise(out)]
    assert steps == pytest.approx([1 / hz] * len(steps), abs=1e-4)
    lag = [at_s - pts_s for at_s, pts_s, _ in out]
    assert max(lag) - min(lag) < 1e-3


def test_a_bike_that_comes_late_sees_the_present_and_begins_at_a_key_frame(
    loop: ClassLoop, clock: HandClock
):
    clock.advance(1000.4)
    assert loop.begin_at_s() == pytest.approx(1000.0)
    (first, *_) = played(loop, clock, "video", 2)
    begin = next(item for item in loop.video if item.at == (1000 % LOOP_S) * VIDEO_HZ)
    assert begin.key
    assert first[2] == begin.data


def test_the_seam_of_the_sound_cannot_be_heard(loop: ClassLoop):
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate = AUDIO_HZ
    decoder.layout = "stereo"
    decoder.format = "s16"
    blocks = []
    for number, item in enumerate([*loop.audio[-25:], *loop.audio[:25]]):
        packet = av.Packet(item.data)
        packet.pts = number * 960
        blocks += [frame.to_ndarray().reshape(-1, 2) for frame in decoder.decode(packet)]
    sound = np.concatenate(blocks)[:, 0] / 32768
    middle = sound[len(sound) // 2 - 4800 : len(sound) // 2 + 4800]
    # the instructor is silent there: it must be the music alone, run round
    truth = np.roll(music()[:, 0], SAMPLE_HZ // 2)[: len(sound)]
    at = int(np.argmax(np.correlate(truth, middle, mode="valid")))  # the codec's delay
    same = truth[at : at + len(middle)]
    assert np.sqrt(((middle - same) ** 2).mean()) < 0.1 * np.sqrt((same**2).mean())


def test_the_instructor_is_heard_over_the_music():
    quiet = music()
    spoken = np.full(SAMPLE_HZ, 0.5, np.float32)
    mixed = speak_over(quiet, [(10.0, spoken)])
    voice = slice(10 * SAMPLE_HZ, 11 * SAMPLE_HZ)
    under = mixed[voice] - 0.5
    assert np.abs(under).mean() < 0.4 * np.abs(quiet[voice]).mean()
    far = slice(20 * SAMPLE_HZ, 30 * SAMPLE_HZ)
    assert np.abs(mixed[far] - quiet[far]).max() < 1e-3


# another file -----------------------------------------------------------------------------------


def test_a_file_that_is_no_class_is_refused_in_words(tmp_path: Path, clock: HandClock):
    nothing = tmp_path / "none.mp4"
    with pytest.raises(BadInput, match="none.mp4"):
        ClassLoop(nothing, clock)
    text = tmp_path / "notes.mp4"
    text.write_text("not a film")
    with pytest.raises(BadInput, match="cannot be read as a class"):
        ClassLoop(text, clock)


def test_a_film_without_sound_is_refused_in_words(clock: HandClock):
    silent = Path(__file__).parent.parent / "firmware_app/sim/class_media/instructor_720p30.mp4"
    with pytest.raises(BadInput, match="sound"):
        ClassLoop(silent, clock)
