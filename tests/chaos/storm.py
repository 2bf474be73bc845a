"""A seeded storm over a gym: all that runs is killed -9, the network cut, disks wiped and torn."""

import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from tests.chaos.tally import tally
from tests.chaos.way import Way
from tests.gym_scene import Gym, three_nodes, until
from tests.postgres_scene import Postgres

DEEDS = {
    "ride": 4,
    "gateway": 5,
    "torn store": 1,
    "studio": 5,
    "broker": 4,
    "wiped broker": 1,
    "database": 1,
    "box": 1,
    "cut": 3,
    "mute": 1,
}
"""What happens, and how often against the others; box is the whole box at once, a pulled plug; the
database is a process of its own in a cluster only."""
PAUSE_S = (0.1, 1.3)
AWAY_S = (0.0, 0.8)
RECORDS_A_SECOND = 12.0
SETTLE_S = 90.0


class Storm:
    """A gym of a few boxes, each with a rider who never tires."""

    def __init__(self, folder: Path, seed: int, broker: str, boxes: int) -> None:
        self.chance = random.Random(seed)
        self.gym = Gym(folder)
        self._nodes = three_nodes()
        self._brokers, self.studios, self._postgres = ["broker"], ["studio"], None
        self._kind = broker
        self._deeds = dict(DEEDS)
        if broker == "cluster":
            self._brokers, self.studios = list(self._nodes), ["studio1", "studio2", "studio3"]
            self._postgres = Postgres()
            self.gym.database = self._postgres.database()
            self.gym.servers = [f"nats://127.0.0.1:{node.port}" for node in self._nodes.values()]
        else:
            del self._deeds["database"]
        self._way = Way(self._doors)
        self.gym.way_port = self._way.port
        self.boxes = [self.gym] + [Gym(folder / f"b{n}", f"b{n}") for n in range(2, boxes + 1)]
        for box in self.boxes:
            box.folder.mkdir(parents=True, exist_ok=True)
            box.way_port = self._way.port
        self.kills = 0
        self.deeds: Counter[str] = Counter()
        self.most_mb: dict[str, int] = {}

    def run(self, kills: int) -> None:
        """Let it blow until this many processes are dead, then let all come to rest."""
        for name in self._brokers:
            self._start_broker(name)
        for name in self.studios:
            self.gym.studio(name)
        for box in self.boxes:
            box.gateway()
            self._ride(box)
        while self.kills < kills:
            time.sleep(self.chance.uniform(*PAUSE_S))
            (deed,) = self.chance.choices(list(self._deeds), list(self._deeds.values()))
            self.deeds[deed] += 1
            self._do(deed, self.chance.choice(self.boxes))
        self._settle()

    def tally(self):
        folders = {box.box: box.folder for box in self.boxes}
        return tally(self.gym.database or str(self.gym.folder / "studio.db"), folders)

    def stop(self) -> None:
        for box in self.boxes:
            box.stop()
        self._way.close()
        if self._postgres is not None:
            self._postgres.stop()

    def _do(self, deed, box):
        away_s = self.chance.uniform(*AWAY_S)
        match deed:
            case "ride":
                self._kill(box, "ride")
                time.sleep(away_s)
                self._ride(box)
            case "gateway":
                self._kill(box, "gateway")
                time.sleep(away_s)
                box.gateway(wait=False)
            case "torn store":
                self._kill(box, "gateway")
                _tear(box.folder / "state" / "gateway.db")
                box.gateway(wait=False)
            case "box":
                self._kill(box, "ride")
                self._kill(box, "gateway")
                time.sleep(away_s)
                self._ride(box)
                box.gateway(wait=False)
            case "studio":
                name = self.chance.choice(self.studios)
                self._kill(self.gym, name)
                time.sleep(away_s)
                self.gym.studio(name, wait=False)
            case "database":
                self._postgres.kill()
                self.kills += 1
                time.sleep(away_s)
                self._postgres.start()
            case "broker" | "wiped broker":
                name = self.chance.choice(self._brokers)
                self._kill(self.gym, name)
                if deed == "wiped broker":
                    disk = name if self._kind == "cluster" else self._kind
                    shutil.rmtree(self.gym.folder / disk, ignore_errors=True)
                time.sleep(away_s)
                self._start_broker(name)
            case "cut" | "mute":
                getattr(self._way, deed)()
                time.sleep(away_s * 2)
                self._way.mend()

    def _doors(self):
        ports = [node.mqtt for node in self._nodes.values()]
        return random.sample(ports, 3) if self._kind == "cluster" else [self.gym.broker_port]

    def _start_broker(self, name):
        if self._kind == "cluster":
            self.gym.node(name, self._nodes)
        else:
            getattr(self.gym, self._kind)()

    def _ride(self, box):
        program = (sys.executable, "-m", "tests.chaos.rider")
        box.start("ride", *program, box.folder, box.box, str(RECORDS_A_SECOND))

    def _kill(self, box, name):
        process = box.running[name]
        if process.poll() is not None:
            raise AssertionError(f"{name} had died by itself: {box.folder}/{name}.log tells why")
        self._weigh(box, name)
        box.kill(name)
        self.kills += 1

    def _weigh(self, box, name):
        status = Path(f"/proc/{box.running[name].pid}/status").read_text()
        peak_mb = int(status.split("VmHWM:")[1].split()[0]) // 1024
        self.most_mb[name] = max(self.most_mb.get(name, 0), peak_mb)

    def _settle(self):
        if self._postgres is not None:
            until(self._postgres.answers, SETTLE_S)
        for box in self.boxes:
            (box.folder / "enough").touch()
        for box in self.boxes:
            until(lambda box=box: box.running["ride"].poll() == 0, SETTLE_S)
            box.gateway_port = box._port(box.run / "gateway.port")
            until(lambda box=box: box.ask_gateway("/health")["unsynced"] == 0, SETTLE_S)
        for name in ("gateway", *self.studios):
            self._weigh(self.gym, name)


def _tear(database):
    """Break a box's database beyond reading; the journals are whole."""
    for path in database.parent.glob(f"{database.name}*"):
        if "broken" not in path.name:
            path.write_bytes(b"torn" * 1024)
