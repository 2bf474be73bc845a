"""What a gym may set, and what it is told when it sets it wrongly."""

import tomllib
from pathlib import Path

import pytest

from firmware_app.clock import HandClock
from firmware_app.errors import BadSetting
from firmware_app.settings import load_as, read_as, read_settings, sections
from gateway.service import GatewayService
from gateway.studio.service import StudioService
from gateway.studio.settings import GymSettings

GYM_TOML = Path("config/gym.toml")


def test_the_file_in_config_shows_every_setting_with_its_default():
    assert load_as(GymSettings, GYM_TOML) == GymSettings()
    shown = tomllib.loads(GYM_TOML.read_text())
    for name, section in sections(GymSettings).items():
        assert set(section.__struct_fields__) - {"mqtt"} == set(
            (shown[name] if name else shown).keys()
        ) - {"mqtt"}


def test_a_misspelt_setting_is_named_with_the_right_one():
    with pytest.raises(BadSetting, match='did you mean "database"'):
        read_as(GymSettings, 'databse = "x"', "gym.toml")
    with pytest.raises(BadSetting, match=r"config/gym\.toml"):
        read_as(GymSettings, 'port = "many"', "gym.toml")


def test_a_broker_that_cannot_be_one_stops_both_sides_at_the_start(tmp_path):
    wrong = read_as(GymSettings, '[mqtt]\nurl = "gym-server"', "gym.toml")
    with pytest.raises(BadSetting, match="mqtt://HOST:1883"):
        StudioService(wrong, HandClock())
    text = f'box = "b1"\n[paths]\nstate = "{tmp_path}"\n[mqtt]\nurl = "gym-server"'
    with pytest.raises(BadSetting, match="mqtt://HOST:1883"):
        GatewayService(read_settings(text), HandClock())
