"""A code that is held to the camera gives a box its Wi-Fi or its name, and nothing else leaves."""

import io

import cv2
import numpy as np
import pytest
import segno

from firmware_app.errors import BadInput, MissingPart
from firmware_app.vision.codes import Codes
from firmware_app.wire import LONGEST_CODE
from gateway.identity.claim import make_code
from gateway.identity.shown import Shown, Wifi, claim_words, read_shown
from gateway.wifi import connection, join

CODE = "7X4T-0000-1111-2222-3333"
CLAIM = claim_words("http://studio.north.example:8790", CODE)


def held(words, side_px=260, turned_deg=0.0, blur_px=0, light=1.0):
    """A camera's picture of a code on a phone, held in front of somebody's shirt."""
    png = io.BytesIO()
    segno.make(words, error="m", micro=False).save(png, kind="png", scale=8, border=4)
    code = cv2.imdecode(np.frombuffer(png.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    code = cv2.resize(code, (side_px, side_px), interpolation=cv2.INTER_AREA)
    noise = np.random.default_rng(1)
    picture = noise.integers(60, 110, (480, 640, 3), np.uint8)
    turn = cv2.getRotationMatrix2D((side_px / 2, side_px / 2), turned_deg, 1.0)
    turn[:, 2] += (320 - side_px / 2, 240 - side_px / 2)
    there = cv2.warpAffine(np.full_like(code, 255), turn, (640, 480))
    picture = np.where(there > 0, cv2.warpAffine(code, turn, (640, 480)), picture)
    if blur_px:
        picture = cv2.GaussianBlur(picture, (blur_px, blur_px), 0)
    return (picture * light).astype(np.uint8)


@pytest.mark.parametrize(
    "how",
    [{}, {"side_px": 190}, {"turned_deg": 12.0}, {"blur_px": 3}, {"light": 0.4}],
    ids=str,
)
def test_a_claim_on_a_phone_is_read(how):
    codes = Codes()
    codes.ask(10.0)
    assert codes.look(held(CLAIM, **how), 0.0) == CLAIM


def test_nothing_is_looked_for_unless_somebody_asked_and_no_longer_than_asked():
    codes = Codes()
    picture = held(CLAIM)
    assert codes.look(picture, 0.0) == ""
    codes.ask(10.0)
    assert codes.look(picture, 10.0) == ""
    codes.ask(20.0)
    assert codes.look(picture, 11.0) == CLAIM
    assert codes.look(picture, 12.0) == "", "one is enough"


@pytest.mark.parametrize(
    "words",
    ["https://a.shirt.example", "hello", "wifi:T:WPA;S:a;;", "BIKEBOX:" + "x" * LONGEST_CODE],
)
def test_any_other_code_is_nobodys_business(words):
    codes = Codes()
    codes.ask(10.0)
    assert codes.look(held(words, side_px=400), 0.0) == ""


def test_a_picture_without_a_code_says_nothing():
    codes = Codes()
    codes.ask(10.0)
    for n, picture in enumerate((np.zeros((480, 640, 3), np.uint8), held(CLAIM)[:, :310])):
        assert codes.look(picture, float(n)) == ""


@pytest.mark.parametrize(
    ("words", "wifi"),
    [
        ("WIFI:T:WPA;S:Gym North;P:secret word;;", Wifi("Gym North", "secret word")),
        ("WIFI:S:a\\;b\\\\;T:SAE;P:c\\:d\\,;H:true;;", Wifi("a;b\\", "c:d,", "sae", hidden=True)),
        ("WIFI:T:nopass;S:open;;", Wifi("open", "", "")),
    ],
)
def test_a_phones_wifi_code_is_read_as_it_was_meant(words, wifi):
    assert read_shown(words) == wifi


def test_a_claims_code_names_the_studio_and_proves_itself_complete():
    made = make_code()
    assert read_shown(claim_words("https://s:8790", made)) == Shown("https://s:8790", made)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("WIFI:T:WEP;S:old;P:x;;", "of kind WEP"),
        ("WIFI:T:WPA;P:x;;", "without a name"),
        ("BIKEBOX:ftp://s#" + CODE, "neither"),
        ("BIKEBOX:http://s#7X4T", "has 4"),
        ("BIKEBOX:", "neither"),
        ("anything", "neither"),
    ],
)
def test_a_code_of_no_use_is_refused_with_the_reason(words, why):
    with pytest.raises(BadInput, match=why):
        read_shown(words)


def test_the_file_for_networkmanager_can_hold_any_name_and_password(tmp_path):
    text = connection(Wifi("é;[x]", " a\\b", hidden=True))
    assert "ssid=195;169;59;91;120;93;\n" in text
    assert "psk=\\sa\\\\b\n" in text
    assert "hidden=true\n" in text
    assert "wifi-security" not in connection(Wifi("open", "", ""))
    file = tmp_path / "bikebox.nmconnection"
    join(Wifi("Gym", "secret"), file)
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert list(tmp_path.iterdir()) == [file]
    with pytest.raises(MissingPart, match="no NetworkManager"):
        join(Wifi("Gym", "secret"), tmp_path / "none/x")
