"""NATS as the gym's broker: the bikes speak MQTT, and an agent listens in NATS's own tongue."""

import asyncio
import json

import nats
import pytest
from gym_scene import Gym, free_port, told_ride, until

from firmware_app.clock import MachineClock
from firmware_app.journal import Journal
from firmware_app.link import Link
from firmware_app.sockets import Hub
from firmware_app.wire import FromGateway, Live, Reader, RideId

RIDE = "000001_ab_b1"


@pytest.fixture
def gym(tmp_path):
    gym = Gym(tmp_path)
    yield gym
    gym.stop()


async def ride_in(gym, seconds_apart=0.2):
    """Be the ride service of a rider in class 42; yield for ever."""
    reader = Reader(FromGateway)
    heard = []
    hub = Hub(gym.run / "ride.sock", lambda line: heard.append(reader.read(line)))
    await hub.open()
    clock = MachineClock()
    link = Link(gym.journals, gym.run / "gateway.sock", clock)
    delivery = asyncio.create_task(link.run(lambda: None))
    try:
        while True:
            live = Live(
                t_s=clock.monotonic(),
                ride=RideId(RIDE),
                class_id="42",
                rider_pseudonym="p-1",
                phase="riding",
                cadence_rpm=86.0,
                states={"shrug": "fault"},
            )
            hub.tell(live)
            await asyncio.sleep(seconds_apart)
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
        await hub.close()


def test_an_agent_on_nats_hears_the_class_the_counts_and_the_records_of_every_box(gym):
    side = free_port()
    gym.nats(side=side)
    gym.studio()
    gym.gateway()
    with Journal(gym.journals / f"{RIDE}.jsonl") as journal:
        for message in told_ride(RIDE):
            journal.append(message)

    async def scene():
        client = await nats.connect(f"nats://127.0.0.1:{side}")
        heard = {}

        async def hear(message):
            heard[message.subject] = json.loads(message.data)

        for subject in ("fitness.class.42.>", "fleet.v1.>"):
            await client.subscribe(subject, cb=hear)
        riding = asyncio.create_task(ride_in(gym))
        wanted = {
            "fitness.class.42.form.p-1",
            "fitness.class.42.aggregate",
            "fleet.v1.b1.up",
            "fleet.v1.b1.ack",
        }
        async with asyncio.timeout(20):
            while not wanted <= heard.keys():  # noqa: ASYNC110 - the world outside says nothing
                await asyncio.sleep(0.1)
        riding.cancel()
        await asyncio.gather(riding, return_exceptions=True)
        await client.close()
        return heard

    heard = asyncio.run(scene())
    assert heard["fitness.class.42.form.p-1"]["states"] == {"shrug": "fault"}
    assert heard["fitness.class.42.aggregate"]["out_of_position"] == {"shrug": 1}
    until(lambda: gym.ask_gateway("/health")["unsynced"] == 0)
    assert gym.ask_studio(f"/api/rides/b1/{RIDE}")["confirmed"]
