"""The demo's bike: real settings, and real parts in place of embedded ones where asked for."""

import argparse
from pathlib import Path

import pytest

from firmware_app.commands import class_server
from firmware_app.commands import demo as command
from firmware_app.demo.plan import Ports, Wish, parts, settings_text
from firmware_app.demo.show import clear, free_ports
from firmware_app.errors import BadInput
from firmware_app.settings import read_settings

WISH = Wish(
    out=Path("out"),
    seconds=60,
    headless=True,
    video=Path("rider.mp4"),
    crank=Path("rider.json.gz"),
    rpm=80,
    view="side",
    rider='Ada "the wheel"',
    models=Path("models"),
    media=Path("class.mp4"),
    whep="",
    token="t0ken",  # noqa: S106 - opens nothing
    broker="",
    record=None,
)
PORTS = Ports(1001, 1002, 1003, 1004)


def test_the_demo_writes_settings_that_a_bike_would_accept():
    settings = read_settings(settings_text(WISH, PORTS, Path("box")))
    assert settings.rider == 'Ada "the wheel"'
    assert settings.vision.view == "side"
    assert settings.player.whep_url.startswith("http://127.0.0.1:1004/")
    assert settings.mqtt.url == "mqtt://127.0.0.1:1001"
    assert settings.crank.sim_pulses == "rider.json.gz"


def test_without_a_label_the_crank_turns_steadily():
    settings = read_settings(settings_text(WISH._replace(crank=None), PORTS, Path("box")))
    assert (settings.crank.sim_pulses, settings.crank.sim_rpm) == ("", 80)


def test_a_real_class_and_broker_replace_the_embedded_ones():
    real = WISH._replace(whep="https://class.example/whep/7", broker="mqtt://broker.example:1883")
    settings = read_settings(settings_text(real, PORTS, Path("box")))
    assert settings.player.whep_url == "https://class.example/whep/7"
    assert settings.mqtt.url == "mqtt://broker.example:1883"
    names = {part.name for part in parts(real, PORTS, Path("box"), 1.0)}
    assert names == {"vision", "player", "ride", "gateway", "studio"}


def test_every_service_of_a_bike_plays_in_the_demo_and_camera_and_crank_start_together():
    cast = parts(WISH, PORTS, Path("box"), 12.5)
    assert {part.name for part in cast} == {
        *("vision", "ride", "player", "gateway", "studio"),
        *("class-server", "broker"),
    }
    timed = [part.words for part in cast if "--start-at" in part.words]
    starts = [words[words.index("--start-at") + 1] for words in timed]
    assert starts == ["12.500", "12.500"]


def test_only_a_window_ends_the_demo_when_it_is_closed():
    window = parts(WISH._replace(headless=False), PORTS, Path("box"), 1.0)
    assert [part.name for part in window if part.vital] == ["player"]
    assert not [part for part in parts(WISH, PORTS, Path("box"), 1.0) if part.vital]


def test_what_an_earlier_demo_left_is_taken_away_and_nothing_else(tmp_path):
    earlier = ("screen-cue-3.png", "summary.json", "ride.fit")
    for name in (*earlier, "holiday.png", "logs/ride.log"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    clear(tmp_path)
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"holiday.png", "logs/ride.log"}


def test_the_ports_are_free_and_differ():
    assert len(set(free_ports())) == 4


def test_the_recorded_rider_ships_with_its_crank():
    assert (command.RIDES / "front.mp4").is_file()
    assert (command.RIDES / "front.json.gz").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--video", "nowhere.mp4"], "--video nowhere.mp4: there is no such file"),
        (["--seconds", "1"], "5 to 7200"),
    ],
)
def test_a_wish_that_cannot_be_met_is_told_before_anything_starts(words, said):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    with pytest.raises(BadInput, match=said):
        command.run(parser.parse_args(words))


def test_a_token_that_begins_with_a_dash_reaches_the_class_server():
    dashed = WISH._replace(token="-" + WISH.token)
    (server,) = (p for p in parts(dashed, PORTS, Path("box"), 1.0) if p.name == "class-server")
    parser = argparse.ArgumentParser()
    class_server.arguments(parser)
    assert parser.parse_args(server.words[1:]).token == dashed.token
