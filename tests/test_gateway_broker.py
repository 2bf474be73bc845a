"""The demo's own broker, as a process of its own, with the client that boxes use."""

import asyncio

import pytest
from gym_scene import BIKEBOX, Gym, until

from firmware_app.settings import Mqtt
from gateway.mqtt import Will, connected


@pytest.fixture
def gym(tmp_path):
    gym = Gym(tmp_path)
    gym.own_broker()
    yield gym
    gym.stop()


async def hear(line, topic):
    async with asyncio.timeout(5):
        while True:
            for heard in await line.heard(0.5):
                if heard.topic == topic:
                    return heard


def test_what_is_retained_is_there_for_who_comes_later_and_a_silent_end_is_told(gym):
    async def scene():
        mqtt = Mqtt(url=gym.url)
        async with connected(mqtt, "box", (), will=Will("fleet/v1/b1/status", b"gone")) as box:
            box.publish("fleet/v1/b1/ack", b"7", qos=1, retain=True)
            async with connected(mqtt, "studio", (("fleet/v1/+/#", 1),)) as studio:
                retained = await hear(studio, "fleet/v1/b1/ack")
                box.publish("fleet/v1/b1/up", b"now", qos=1)
                now = await hear(studio, "fleet/v1/b1/up")
                box._client.socket().shutdown(2)  # the power goes
                gone = await hear(studio, "fleet/v1/b1/status")
        return retained, now, gone

    retained, now, gone = asyncio.run(scene())
    assert (retained.payload, retained.retained) == (b"7", True)
    assert (now.payload, now.retained) == (b"now", False)
    assert gone.payload == b"gone"


def test_it_stops_when_asked_and_says_nothing_on_the_way(gym):
    assert gym.end("broker") == 0
    assert (gym.folder / "broker.log").read_text() == ""


def test_it_does_not_open_its_doors_to_the_network(tmp_path):
    gym = Gym(tmp_path)
    gym.start("broker", *BIKEBOX, "broker", "--host", "0.0.0.0")  # noqa: S104 - to be refused
    assert gym.running["broker"].wait(20) == 78
    until(lambda: "run mosquitto" in (tmp_path / "broker.log").read_text())
