"""The player takes a class from a server that is not ours: Janus, the counter-offer (406) flow."""

from pathlib import Path

import pytest

from firmware_app.sim.class_media import make_class
from tests.whep.island import Island, need
from tests.whep.janus_class import start_janus

SECONDS = 8.0
URL = "http://127.0.0.1:17090/whep/endpoint/class42"


@pytest.fixture
def class_of_janus(tmp_path: Path):
    ffmpeg = need("ffmpeg", "ffmpeg")
    media = make_class(Path(".cache/class").absolute())
    with Island(tmp_path) as island:
        island.add_address("10.77.0.1/24")
        start_janus(island, tmp_path)
        island.start("teacher", teacher(ffmpeg, media))
        yield island


def test_a_class_of_janus_is_seen_heard_and_left(class_of_janus: Island):
    island = class_of_janus
    told = island.result(island.watch(URL, SECONDS))
    last = told[-1]
    assert last["state"] == "playing", (told, island.said("front"))
    assert last["pictures"] / (SECONDS - last["first_s"]) >= 25
    assert last["sizes"] == [[1280, 720]]
    assert last["heard_share"] > 0.5
    assert last["loudest"] > 0.05
    island.wait_for("front", "Terminating WHEP session", 3)


def test_a_class_of_janus_refuses_a_wrong_token(class_of_janus: Island):
    last = class_of_janus.result(class_of_janus.watch(URL, 3, token="wrong"))[-1]  # noqa: S106
    assert last["state"] == "refused"
    assert "token" in last["why"]


def teacher(ffmpeg: str, media: Path) -> list[str]:
    """Return the command that sends the class to Janus as RTP, untouched."""
    return [
        *(ffmpeg, "-hide_banner", "-loglevel", "warning", "-re"),
        *("-stream_loop", "-1", "-i", str(media)),
        *("-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-payload_type", "96"),
        *("-f", "rtp", "rtp://127.0.0.1:15004?pkt_size=1200"),
        *("-map", "0:a", "-c", "copy", "-payload_type", "111"),
        *("-f", "rtp", "rtp://127.0.0.1:15002?pkt_size=1200"),
    ]
