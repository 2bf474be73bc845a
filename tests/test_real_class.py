"""The demo's class and a watching player as processes: no network, server killed, bad Wi-Fi."""

import signal
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.whep.island import BIKEBOX, Island, became, stop

URL = "http://127.0.0.1:8080/whep"


@pytest.fixture
def island(tmp_path: Path):
    with Island(tmp_path) as made:
        yield made


def test_three_bikes_and_their_class_meet_with_no_network_but_loopback(island: Island):
    server = island.start_class()
    bikes = [(name, island.watch(URL, 6, name)) for name in ("left", "middle", "right")]
    for name, process in bikes:
        told = island.result(process, name)
        last = told[-1]
        assert last["rss_mb"] - told[2]["rss_mb"] < 15
        assert last["state"] == "playing"
        assert last["first_s"] < 3
        assert last["pictures"] / (6 - last["first_s"]) >= 25
        assert last["heard_share"] > 0.6
    stop(server)
    assert server.returncode == 0
    assert island.said("class").count("viewer_left viewers=0") == 1


def test_a_killed_class_is_named_and_comes_back_by_itself(island: Island):
    server = island.start_class()
    bike = island.watch(URL, 14)
    assert became(lambda: '"state": "playing"' in island.said("watch"), 10)
    stop(server, signal.SIGKILL)
    assert became(lambda: "the class picture has stopped" in island.said("watch"), 5)
    island.start_class("again")
    told = island.result(bike)
    states = [line["state"] for line in told]
    assert states[-1] == "playing"
    assert "reconnecting" in states
    assert "refused" not in states
    assert told[-1]["shown"] > 60


def test_a_bad_wifi_costs_a_rider_next_to_nothing(island: Island):
    lossy = str(Path(__file__).parent / "whep" / "lossy_class.py")
    cache = str(Path(__file__).parents[1] / ".cache" / "class")
    words = ("class-server", "--port", "8080", "--token", "secret", "--cache", cache)
    island.start("class", [sys.executable, lossy, "0.02", *words])
    island.wait_for("class", "The class is at")
    last = island.result(island.watch(URL, 8))[-1]
    assert last["shown"] / (8 - last["first_s"]) > 27
    assert last["longest_s"] < 0.5
    assert last["held_s"] < 0.4


def test_a_class_that_changes_its_size_in_mid_stream_is_played_on(island: Island, tmp_path: Path):
    media = tmp_path / "sizes.ts"
    two_sizes(media)
    island.start_class("class", "--media", str(media))
    last = island.result(island.watch(URL, 7))[-1]
    assert last["state"] == "playing"
    assert sorted(last["sizes"]) == [[320, 180], [640, 360]]
    assert last["shown"] > 150


def test_a_port_that_is_taken_is_told_to_the_technician(island: Island):
    island.start_class()
    second = island.start("second", [*BIKEBOX, "class-server", "--port", "8080"])
    assert second.wait(30) == 78
    assert "cannot listen on 127.0.0.1:8080" in island.said("second")


def two_sizes(path: Path) -> None:
    """Write a film that is 640x360 for two seconds and 320x180 for two."""
    with av.open(str(path), "w", format="mpegts") as out:
        video = out.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        video.codec_context.time_base = Fraction(1, 30)
        audio = out.add_stream("libopus", rate=48000)
        audio.codec_context.layout = "stereo"
        packets = []
        for part, (width, height) in enumerate([(640, 360), (320, 180)]):
            encoder = av.CodecContext.create("libx264", "w")
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
            encoder.time_base = Fraction(1, 30)
            encoder.options = {"tune": "zerolatency", "profile": "baseline", "g": "30"}
            for number in [*range(60), None]:
                frame = None
                if number is not None:
                    frame = av.VideoFrame(width, height, "yuv420p")
                    frame.pts, frame.time_base = part * 60 + number, Fraction(1, 30)
                for packet in encoder.encode(frame):
                    packet.stream = video
                    packets.append(packet)
        for number in range(200):
            frame = av.AudioFrame("flt", "stereo", 960)
            frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, Fraction(1, 48000)
            packets += audio.encode(frame)
        packets.sort(key=lambda packet: packet.dts * packet.time_base)
        for packet in packets:
            out.mux(packet)
