"""Power cuts and crashes at any moment: no record is lost, none is there twice.

mosquitto runs as Debian sets it up, with a snapshot every half hour: when it is killed it forgets
what it has acknowledged. Deleting records on its word would lose hundreds here.
"""

import asyncio
import random
from collections import Counter

import pytest
from gym_scene import Gym, interval, told_ride, until
from sqlite_utils import Database

from firmware_app.clock import MachineClock
from firmware_app.journal import Journal
from firmware_app.link import Link
from firmware_app.supervise import keep_going
from firmware_app.wire import RideId

RIDE = RideId("000001_ab_b1")
INTERVALS = 500
A_SECOND = 50
KILLS = ("gateway", "broker", "studio", "gateway", "broker", "studio", "gateway")


@pytest.fixture
def gym(tmp_path):
    gym = Gym(tmp_path)
    yield gym
    gym.stop()


async def ride(gym):
    """Tell one long ride, a little at a time, whoever listens."""
    start, *_, end = told_ride(intervals=INTERVALS)
    with Journal(gym.journals / f"{RIDE}.jsonl") as journal:
        link = Link(gym.journals, gym.run / "gateway.sock", MachineClock())
        delivery = asyncio.create_task(keep_going("gateway", link.run, MachineClock()))
        journal.append(start)
        for n in range(INTERVALS):
            journal.append(interval(RIDE, n))
            journal.flush()
            await asyncio.sleep(1 / A_SECOND)
        journal.append(end)
        journal.sync()
        size = journal.path.stat().st_size
        await asyncio.to_thread(until, lambda: link.kept.get(journal.path.name) == size, 30)
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)


async def kill_about(gym, chance):
    """Kill one after another without a warning, and start it again after a while."""
    start = {"gateway": gym.gateway, "broker": gym.mosquitto, "studio": gym.studio}
    for name in KILLS:
        await asyncio.sleep(chance.uniform(0.3, 1.2))
        gym.kill(name)
        await asyncio.sleep(chance.uniform(0.0, 0.8))
        await asyncio.to_thread(start[name])


def test_nothing_is_lost_or_doubled_whoever_is_killed(gym):
    chance = random.Random(11)

    async def scene():
        gym.mosquitto()
        gym.studio()
        gym.gateway()
        await asyncio.gather(ride(gym), kill_about(gym, chance))

    asyncio.run(scene())
    until(lambda: gym.ask_gateway("/health")["unsynced"] == 0, 30)
    told = gym.ask_studio(f"/api/rides/b1/{RIDE}")
    until(lambda: gym.ask_gateway(f"/api/rides/{RIDE}")["confirmed"])
    for name in ("gateway", "studio"):
        gym.kill(name)
    at_home = Database(gym.folder / "state" / "gateway" / "gateway.db")
    assert [n for (n,) in at_home.execute("select n from interval order by n")] == list(
        range(INTERVALS)
    )
    at_home.close()
    studio = Database(gym.folder / "studio.db")
    stored = Counter(
        n
        for (n,) in studio.execute(
            "select json_extract(body, '$.n') from record where kind = 'interval'"
        )
    )
    seqs = [seq for (seq,) in studio.execute("select seq from record order by seq")]
    studio.close()
    assert stored == Counter(range(INTERVALS))
    assert seqs == list(range(1, INTERVALS + 3))  # the gateway's start, intervals, one summary
    assert told["duration_s"] == 30.0 * INTERVALS
    assert told["complete"]
