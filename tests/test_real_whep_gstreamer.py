"""The player takes a class from a server that is not ours: GStreamer's webrtcbin, the 201 flow."""

import subprocess
from pathlib import Path

import pytest

from firmware_app.sim.class_media import make_class
from tests.whep.island import Island, need

REMEDY = (
    "apt-get install -y --no-install-recommends python3-gi gir1.2-gst-plugins-bad-1.0"
    " gir1.2-gst-plugins-base-1.0 gstreamer1.0-nice gstreamer1.0-plugins-good"
    " gstreamer1.0-plugins-bad"
)
SERVER = Path(__file__).parent / "whep" / "gst_server.py"
ELEMENTS = ("webrtcbin", "nicesink", "rtph264pay", "rtpopuspay", "qtdemux", "h264parse", "dtlsenc")
SECONDS = 8.0


@pytest.fixture
def class_of_gstreamer(tmp_path: Path):
    python = need("/usr/bin/python3", "python3 python3-gi")
    look = (
        "import gi; gi.require_version('GstWebRTC', '1.0'); gi.require_version('GstSdp', '1.0');"
        "from gi.repository import Gst, GstWebRTC, GstSdp; Gst.init(None);"
        f"gone = [one for one in {ELEMENTS} if not Gst.ElementFactory.find(one)];"
        "raise SystemExit(f'GStreamer lacks {gone}' if gone else 0)"
    )
    seen = subprocess.run(
        [python, "-c", look], check=False, capture_output=True, text=True, timeout=60
    )
    if seen.returncode:
        pytest.fail(f"{seen.stderr.strip().splitlines()[-1]}: {REMEDY}")
    media = make_class(Path(".cache/class").absolute())
    with Island(tmp_path) as island:
        island.add_address("10.77.0.1/24")
        island.start("server", [python, str(SERVER), "127.0.0.1:17091", str(media)])
        island.wait_for("server", "READY")
        yield island


def test_a_class_of_gstreamer_is_seen_heard_and_left(class_of_gstreamer: Island):
    island = class_of_gstreamer
    told = island.result(island.watch("http://127.0.0.1:17091/whep", SECONDS))
    last = told[-1]
    assert last["state"] == "playing", told
    assert last["pictures"] / (SECONDS - last["first_s"]) >= 25
    assert last["sizes"] == [[1280, 720]]
    assert last["heard_share"] > 0.5
    assert last["loudest"] > 0.05
    island.wait_for("server", "LEFT /session/0 Bearer secret", 3)


def test_a_class_of_gstreamer_refuses_a_wrong_token(class_of_gstreamer: Island):
    island = class_of_gstreamer
    url = "http://127.0.0.1:17091/whep"
    last = island.result(island.watch(url, 3, token="wrong"))[-1]  # noqa: S106 - it is wrong
    assert last["state"] == "refused"
    assert "token" in last["why"]
