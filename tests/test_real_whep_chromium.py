"""A browser teaches: Chromium publishes live into Janus' room, with pictures of several sizes."""

from pathlib import Path

import pytest

from tests.whep.island import Island, need
from tests.whep.janus_class import start_janus

PAGE = Path(__file__).parent / "whep" / "browser_teacher.html"
URL = "http://127.0.0.1:17090/whep/endpoint/room"
SECONDS = 12.0


@pytest.mark.parametrize("codec", ["H264", "VP8"])
def test_a_class_taught_from_a_browser_is_played_whatever_size_it_sends(tmp_path: Path, codec: str):
    with Island(tmp_path) as island:
        island.add_address("10.77.0.1/24")
        start_janus(island, tmp_path)
        island.start("teacher", browser(tmp_path, codec))
        island.wait_for("teacher", "TEACHER connected")
        last = island.result(island.watch(URL, SECONDS))[-1]
    print(codec, last)  # noqa: T201 - shown by -s and when it fails
    assert last["state"] == "playing"
    assert last["first_s"] < 3
    assert len(last["sizes"]) >= 2
    assert last["shown"] / (SECONDS - last["first_s"]) > 15  # a busy machine's fake camera
    assert last["heard_share"] > 0.3  # it beeps once a second


def browser(folder: Path, codec: str) -> list[str]:
    """Return the command that teaches."""
    return [
        *(need("chromium", "chromium"), "--headless=new", "--no-sandbox", "--disable-gpu"),
        *("--no-first-run", f"--user-data-dir={folder / 'browser'}", "--mute-audio"),
        *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        *("--enable-logging=stderr", "--v=0", f"file://{PAGE}#{codec}"),
    ]
