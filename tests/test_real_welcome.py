"""A technician holds codes to the camera of a real vision service, which has no other way out."""

import socket

import av
import pytest

from firmware_app.clock import MachineClock
from gateway.identity.shown import Shown, Wifi
from gateway.shown_codes import codes_shown
from tests.test_real_vision import ALONE, bike  # noqa: F401 - a fixture
from tests.test_shown_codes import CLAIM, CODE, held

WIFI = "WIFI:T:WPA;S:Gym North;P:secret;;"
FPS = 10


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A video of somebody who holds up a page from a shirt, then the Wi-Fi's code, then a claim."""
    path = tmp_path_factory.mktemp("codes") / "shown.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.bit_rate = 640, 480, 4_000_000
        for words in ("https://a.shirt.example", WIFI, CLAIM):
            picture = av.VideoFrame.from_ndarray(held(words), format="bgr24")
            for _ in range(8 * FPS):
                out.mux(stream.encode(picture))
        out.mux(stream.encode())
    return path


def test_a_wifi_and_a_claim_are_read_by_who_asked_and_nobody_else_hears_of_them(bike, shown):  # noqa: F811 - the fixture
    vision = bike(shown).start(alone=ALONE)
    vision.listen(bool)
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(str(vision.socket))
        told = []
        for code in codes_shown(vision.socket, MachineClock()):
            told += [code] if code not in told else []
            if isinstance(code, Shown):
                break
        other.settimeout(1)
        heard = other.recv(1 << 20)
    assert told == [
        Wifi("Gym North", "secret"),
        Shown("http://studio.north.example:8790", CODE),
    ]
    assert b'"CameraState"' in heard
    assert b"secret" not in heard
    assert b"CodeShown" not in heard
    assert vision.stop()[0] == 0
