"""The camera as a light meter: true within its calibration, silent outside of it."""

from types import SimpleNamespace

import cv2
import msgspec
import numpy as np
import pytest

from firmware_app.commands import calibrate
from firmware_app.errors import BadInput
from firmware_app.hardware import Exposure, Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.lux import fit, read_meter
from firmware_app.vision.seeing import Light

NAME = "Gym Cam 4711"
SCENE = np.random.default_rng(1).uniform(0.05, 0.6, (48, 64, 1)).repeat(3, axis=2)
"""What of the light comes back from each place."""


class Camera:
    """A USB camera before an unchanged scene: lux to grey levels, with automatic exposure."""

    def __init__(self, lux, *, tells=True, gamma=2.2, db_a_step=0.05, gain_told=True):
        self.lux, self.tells, self.gamma, self.db_a_step = lux, tells, gamma, db_a_step
        self.gain_told = gain_told
        self.automatic, self.steps, self.gain = True, 312.0, 0.0
        self.told = (self.steps, self.gain)
        self.random = np.random.default_rng(2)
        self.released = False

    def brightness(self, steps, gain):
        return SCENE * self.lux * steps * 10 ** (gain * self.db_a_step / 20) / 60_000

    def grab(self):
        if self.automatic:
            self.gain = 0.0
            self.steps = min(312.0, 312.0 * 0.2 / self.brightness(312.0, 0.0).mean())
            while self.steps == 312.0 and self.brightness(312.0, self.gain).mean() < 0.2:
                self.gain = min(self.gain + 4, 255.0)
                if self.gain == 255.0:
                    break
            if self.tells:
                self.told = (self.steps, self.gain)
        return True

    def retrieve(self, _into):
        light = np.clip(self.brightness(self.steps, self.gain), 0, 1)
        noise = self.random.normal(0, 1.5, light.shape)
        return True, np.clip(light ** (1 / self.gamma) * 255 + noise, 0, 255).astype(np.uint8)

    def get(self, what):
        if what == cv2.CAP_PROP_GAIN:
            return self.told[1] if self.gain_told else -1.0
        return {cv2.CAP_PROP_EXPOSURE: self.told[0]}[what]

    def set(self, what, value):
        if what == cv2.CAP_PROP_AUTO_EXPOSURE:
            self.automatic = value == calibrate.AUTOMATIC
        elif what == cv2.CAP_PROP_EXPOSURE:
            self.steps = value
        else:
            self.gain = value
        if not self.automatic:
            self.told = (self.steps, self.gain)
        return True

    def release(self):
        self.released = True

    def look(self, name=NAME):
        """Return a picture of its own exposure, and that exposure as it is told."""
        self.automatic = True
        self.grab()
        return self.retrieve(None)[1], Exposure(name, self.told[0] / 10_000, self.told[1])


@pytest.fixture(scope="module")
def meter():
    return fit(list(calibrate.shots(Camera(300), NAME)), 300)


@pytest.mark.parametrize("lux", [20, 50, 120, 300, 900])
def test_the_light_is_told_within_a_tenth_however_the_camera_exposes_itself(meter, lux):
    assert meter.lux(*Camera(lux).look()) == pytest.approx(lux, rel=0.1)


def test_what_grey_levels_and_gain_are_worth_is_measured_not_believed():
    odd = {"gamma": 1.8, "db_a_step": 0.08}
    meter = fit(list(calibrate.shots(Camera(300, **odd), NAME)), 300)
    assert meter.gamma == pytest.approx(1.8, abs=0.15)
    assert meter.lux(*Camera(40, **odd).look()) == pytest.approx(40, rel=0.1)


def test_another_camera_a_burnt_picture_and_an_unknown_gain_give_no_lux(meter):
    picture, exposure = Camera(300).look()
    assert meter.lux(picture, exposure._replace(camera="Gym Cam 4712")) is None
    assert meter.lux(picture, exposure._replace(gain=500.0)) is None
    assert meter.lux(np.full_like(picture, 255), exposure) is None
    assert meter.lux(np.full_like(picture, 3), exposure) is None


def test_a_camera_that_does_not_tell_what_its_automatic_does_is_refused():
    with pytest.raises(BadInput, match="does not tell what its automatic does"):
        list(calibrate.shots(Camera(300, tells=False), NAME))


def test_a_camera_without_a_gain_to_ask_for_is_refused():
    with pytest.raises(BadInput, match="does not tell exposure and gain"):
        list(calibrate.shots(Camera(300, gain_told=False), NAME))


def test_light_that_changes_meanwhile_is_noticed():
    shots = list(calibrate.shots(Camera(300), NAME))
    flicker = [
        shot._replace(shares=np.roll(shot.shares, 25 * (n % 2))) for n, shot in enumerate(shots)
    ]
    with pytest.raises(BadInput, match="of the same light differ by"):
        fit(flicker, 300)


def test_the_calibration_is_kept_in_a_file_and_the_camera_given_back(monkeypatch, tmp_path, capsys):
    camera = Camera(300)
    monkeypatch.setattr(calibrate, "open_device", lambda _settings: camera)
    monkeypatch.setattr(calibrate, "name_of", lambda _path: NAME)
    (tmp_path / "bikebox.toml").write_text('box = "b1"\n')
    args = SimpleNamespace(lux=300.0, to=tmp_path / "lux.json", config=tmp_path / "bikebox.toml")
    assert calibrate.run(args) == 0
    assert camera.automatic
    assert camera.released
    assert f'lux_file = "{args.to}"' in capsys.readouterr().err
    assert read_meter(args.to).lux(*Camera(75).look()) == pytest.approx(75, rel=0.1)


def test_a_file_that_is_no_calibration_says_what_to_do(tmp_path):
    (tmp_path / "lux.json").write_bytes(msgspec.json.encode({"lux": 300}))
    with pytest.raises(BadInput, match="bikebox calibrate"):
        read_meter(tmp_path / "lux.json")


class Nobody:
    """A tracker that finds nobody."""

    def see(self, *_):
        return None


def test_the_eye_tells_lux_only_of_a_calibrated_camera(meter):
    picture, exposure = Camera(150).look()
    frame = Frame(picture, 1.0, 0, exposure=exposure)
    calibrated, plain = (Eye(Nobody(), Light(), None, m) for m in (meter, None))
    for eye in (calibrated, plain):
        eye.tell(frame, None)
        eye.tell(frame._replace(t_s=1.1, exposure=None), None)
    assert calibrated.lux == pytest.approx(150, rel=0.1)
    assert plain.lux is None
