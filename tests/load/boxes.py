"""Ten thousand boxes send a summary each through a cluster to three studios; one of each dies.

python -m tests.load.boxes [--boxes N]
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from pathlib import Path

import msgspec
import psycopg

from firmware_app.errors import PartLost
from firmware_app.settings import Mqtt
from firmware_app.summary import summarise
from gateway.mqtt import connected
from gateway.topics import Up, box_topic, pack
from tests.chaos.way import Way
from tests.gym_scene import Gym, three_nodes, told_ride
from tests.postgres_scene import Postgres

ON_THEIR_WAY = 1000
AGAIN_S = 10.0


def records(boxes):
    """Return box to its one record."""
    made = {}
    for n in range(boxes):
        box = f"box{n}"
        summary = msgspec.to_builtins(summarise(told_ride(f"000001_ab_{box}", box)))
        up = Up(
            box=box,
            epoch=f"e{n}",
            seq=1,
            low=1,
            t_s=1.0,
            wall_utc="",
            kind="summary",
            body=summary,
        )
        made[box] = pack(up)
    return made


async def send(url, waiting):
    """Send each record until the studio has confirmed it; empties waiting."""
    sent_s: dict[str, float] = {}
    while waiting:
        try:
            async with connected(Mqtt(url=url), "boxes", (("fleet/v1/+/ack", 1),)) as line:
                sent_s.clear()
                while waiting:
                    _more(line, waiting, sent_s)
                    for heard in await line.heard(0.05):
                        box = heard.topic.split("/")[2]
                        if json.loads(heard.payload)["upto"] >= 1:
                            waiting.pop(box, None)
                            sent_s.pop(box, None)
        except PartLost:
            await asyncio.sleep(0.5)


def _more(line, waiting, sent_s):
    now_s = time.monotonic()
    for box in [box for box, at_s in sent_s.items() if now_s - at_s > AGAIN_S]:
        del sent_s[box]
    for box, payload in waiting.items():
        if len(sent_s) >= ON_THEIR_WAY:
            return
        if box not in sent_s:
            sent_s[box] = now_s
            line.publish(box_topic(box, "up"), payload, qos=1)


async def scene(gym, nodes, url, boxes):
    waiting = records(boxes)
    sending = asyncio.create_task(send(url, waiting))
    while len(waiting) > boxes * 0.7:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.05)
    gym.kill("node2")
    gym.kill("studio2")
    await asyncio.sleep(3)
    gym.node("node2", nodes)
    gym.studio("studio2", wait=False)
    await sending


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.load.boxes", description=__doc__)
    parser.add_argument("--boxes", type=int, default=10_000)
    args = parser.parse_args()
    nodes = three_nodes()
    postgres = Postgres()
    with tempfile.TemporaryDirectory() as folder:
        gym = Gym(Path(folder))
        gym.database = postgres.database()
        gym.servers = [f"nats://127.0.0.1:{node.port}" for node in nodes.values()]
        way = Way(lambda: random.sample([node.mqtt for node in nodes.values()], 3))
        gym.way_port = way.port
        try:
            for name in nodes:
                gym.node(name, nodes)
            for n in (1, 2, 3):
                gym.studio(f"studio{n}")
            began_s = time.perf_counter()
            asyncio.run(asyncio.wait_for(scene(gym, nodes, gym.url, args.boxes), 300))
            took_s = time.perf_counter() - began_s
            (rows, kept, rides) = stored(gym.database)
        finally:
            gym.stop()
            way.close()
            postgres.stop()
    sys.stdout.write(
        f"{args.boxes} boxes in {took_s:.0f} s, a server and a studio killed meanwhile: lost"
        f" {args.boxes - kept} doubled {rows - kept}, {rides} rides\n"
    )
    return int((rows, kept, rides) != (args.boxes,) * 3)


def stored(database):
    """Return how many records, boxes and rides stand in the tables."""
    with psycopg.connect(database) as connection:
        return connection.execute(
            "select count(*), count(distinct box), (select count(*) from ride) from record"
        ).fetchone()


if __name__ == "__main__":
    sys.exit(main())
