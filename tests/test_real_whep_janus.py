"""The player takes a class from a server that is not ours: Janus, the counter-offer (406) flow."""

import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_app.sim.class_media import make_class
from tests.whep.island import Island, need

HERE = Path(__file__).parent / "whep" / "janus"
SECONDS = 8.0
URL = "http://127.0.0.1:17090/whep/endpoint/class42"


@pytest.fixture
def class_of_janus(tmp_path: Path):
    janus = need("janus", "janus")
    ffmpeg = need("ffmpeg", "ffmpeg")
    node = need("node", "nodejs npm")
    front = installed(need("npm", "npm"))
    media = make_class(Path(".cache/class").absolute())
    with Island(tmp_path) as island:
        island.add_address("10.77.0.1/24")
        settings = tmp_path / "janus"
        write_settings(settings)
        island.start("janus", [janus, "-F", str(settings), "-o"])
        island.wait_for("janus", "WebSockets thread started")
        island.start("front", [node, str(front / "server.js")])
        island.wait_for("front", "READY")
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


def installed(npm: str) -> Path:
    """Install the WHEP server in front of Janus, once, by its lock."""
    home = Path(".cache/janus-whep").absolute()
    home.mkdir(parents=True, exist_ok=True)
    lock = HERE / "package-lock.json"
    done = home / "node_modules" / ".installed"
    shutil.copytree(HERE, home, dirs_exist_ok=True)
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional"]
        made = subprocess.run(
            words, cwd=home, check=False, capture_output=True, text=True, timeout=240
        )
        if made.returncode:
            pytest.fail(f"npm could not install janus-whep-server: {made.stderr[-1500:]}")
        done.write_bytes(lock.read_bytes())
    return home


def write_settings(folder: Path) -> None:
    """Copy Janus' settings to a folder, with its places filled in."""
    plugins = next(Path("/usr/lib").glob("*/janus/plugins"), None)
    if plugins is None:
        pytest.fail("Janus has no plugins: apt-get install -y --no-install-recommends janus")
    folder.mkdir()
    for settings in HERE.glob("*.jcfg"):
        text = settings.read_text().replace("@HERE@", str(folder))
        (folder / settings.name).write_text(text.replace("@JANUS@", str(plugins.parent)))


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
