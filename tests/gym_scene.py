"""A gym in small: broker, studio and gateway as real processes, and a bike that tells a ride."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import httpx

from firmware_app.wire import CueGiven, Interval, RideEnded, RideId, RideStarted

NATS_SERVER = Path(sys.executable).with_name("nats-server")
BIKEBOX = (sys.executable, "-m", "firmware_app.cli")


def told_ride(name="000001_ab_b1", box="b1", intervals=3, ended=True):
    """What a bike tells of one ride, in order."""
    ride = RideId(name)
    told = [
        RideStarted(
            t_s=100.0,
            ride=ride,
            box=box,
            boot_id="boot-1",
            wall_utc="2026-04-17T18:00:00+00:00",
            rider="Sagar",
            rider_pseudonym="p-1",
            class_id="42",
        )
    ]
    told += [interval(ride, n) for n in range(intervals)]
    told.append(
        CueGiven(
            t_s=140.0,
            ride=ride,
            cue=1,
            rule="shrug",
            kind="correct",
            words="Sagar, drop your shoulders",
            outcome="spoken",
            ride_s=40.0,
        )
    )
    if ended:
        told.append(
            RideEnded(
                t_s=100.0 + 30 * intervals,
                ride=ride,
                intervals=intervals,
                strength="A quiet upper body",
                next_thing="Let the shoulders drop",
            )
        )
    return told


def interval(ride, n, **changed):
    figures = {
        "t_s": 130.0 + 30 * n,
        "from_s": 100.0 + 30 * n,
        "riding_s": 30.0,
        "turns": 42.0,
        "pedalling_s": 28.0,
        "watched_s": 25.0,
        "in_position_s": 20.0,
        "fault_s": {"shrug": 4.0, "head_drop": 1.0},
        "episodes": {"shrug": 1, "head_drop": 1},
        "unseen_s": {"knees_in": 30.0, "sway": 15.0},
    }
    return Interval(ride=ride, n=n, **(figures | changed))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as door:
        return door.getsockname()[1]


class Node(NamedTuple):
    """Where one server of a NATS cluster listens."""

    mqtt: int
    route: int
    port: int


def three_nodes():
    """Return three servers of a cluster that is to be started, by name."""
    return {f"node{n}": Node(free_port(), free_port(), free_port()) for n in (1, 2, 3)}


class Gym:
    """Starts, kills and asks; stop() ends all that it started and nothing else."""

    def __init__(self, folder: Path, box="b1") -> None:
        self.folder = folder
        self.box = box
        self.broker_port = free_port()
        self.way_port = 0
        self.mqtt = ""
        self.database = ""
        self.servers: list[str] = []
        self.running: dict[str, subprocess.Popen] = {}

    @property
    def url(self):
        """The broker, or the way to it when that is given."""
        return f"mqtt://127.0.0.1:{self.way_port or self.broker_port}"

    @property
    def run(self):
        return self.folder / "run"

    @property
    def journals(self):
        return self.folder / "state" / "journals"

    def mosquitto(self, more=""):
        """Debian's broker with its usual persistence: a snapshot every half hour."""
        assert shutil.which("mosquitto"), "mosquitto is not installed: apt install mosquitto"
        kept = self.folder / "mosquitto"
        kept.mkdir(exist_ok=True)
        config = self.folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.broker_port} 127.0.0.1\nuser root\nset_tcp_nodelay true\n"
            f"persistence true\npersistence_location {kept}/\n{more or 'allow_anonymous true'}\n"
        )
        self.start("broker", "mosquitto", "-c", config)
        self._until_open(self.broker_port)

    def nats(self, more="", side=""):
        """NATS with JetStream on disk, spoken to in MQTT 3.1.1; side: its own clients' port."""
        config = self.folder / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{side or -1}"\nserver_name: gym\n'
            f'jetstream {{ store_dir: "{self.folder}/nats" }}\n'
            f'mqtt {{ listen: "127.0.0.1:{self.broker_port}" }}\n{more}'
        )
        self.start("broker", NATS_SERVER, "-c", config)
        self._until_open(self.broker_port)

    def node(self, n, nodes):
        """Start one of a cluster of NATS servers; nodes is name to Node."""
        mqtt_port, route_port, port = nodes[n]
        routes = ", ".join(f'"nats://127.0.0.1:{node.route}"' for node in nodes.values())
        config = self.folder / f"{n}.conf"
        config.write_text(
            f'listen: "127.0.0.1:{port}"\nserver_name: {n}\n'
            f'jetstream {{ store_dir: "{self.folder}/{n}" }}\n'
            f'cluster {{ name: gym, listen: "127.0.0.1:{route_port}", routes: [{routes}] }}\n'
            f'mqtt {{ listen: "127.0.0.1:{mqtt_port}", stream_replicas: 3 }}\n'
        )
        self.start(n, NATS_SERVER, "-c", config)

    def own_broker(self):
        port_file = self.folder / "broker.port"
        self.start("broker", *BIKEBOX, "broker", "--port-file", port_file)
        self.broker_port = self._port(port_file)

    def studio(self, name="studio", *, wait=True):
        """Start the studio, or one of several that share a database and a stream."""
        port_file, config = self.folder / f"{name}.port", self.folder / f"{name}.toml"
        port_file.unlink(missing_ok=True)
        database = self.database or self.folder / "studio.db"
        config.write_text(
            f'studio = "{name}"\nport = 0\ndatabase = "{database}"\n'
            f'[mqtt]\nurl = "{self.url}"\n{self.mqtt}[stream]\nservers = {self.servers}\n'
        )
        self.start(name, *BIKEBOX, "studio", "--config", config, "--port-file", port_file)
        if wait:
            self.studio_port = self._port(port_file)

    def gateway(self, *under, wait=True):
        """Start the gateway; under: a command that starts it in its turn."""
        port_file = self.run / "gateway.port"
        port_file.unlink(missing_ok=True)
        config = self.folder / "bikebox.toml"
        config.write_text(
            f'box = "{self.box}"\n[paths]\nrun = "{self.run}"\nstate = "{self.folder}/state"\n'
            f'[gateway]\nport = 0\n[mqtt]\nurl = "{self.url}"\n{self.mqtt}'
        )
        self.start("gateway", *under, *BIKEBOX, "gateway", "--config", config)
        if wait:
            self.gateway_port = self._port(port_file)

    def ask_gateway(self, path):
        return httpx.get(f"http://127.0.0.1:{self.gateway_port}{path}", timeout=5).json()

    def ask_studio(self, path):
        return httpx.get(f"http://127.0.0.1:{self.studio_port}{path}", timeout=5).json()

    def kill(self, name):
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def end(self, name):
        """Ask it to stop, as systemd does; return its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(10)

    def stop(self):
        for name in list(self.running):
            self.kill(name)

    def start(self, name, *command):
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def _until_open(self, port):
        until(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None)

    def _port(self, path):
        until(path.exists)
        return int(path.read_text())


def until(true, seconds=20.0):
    """Wait for something in another process; fail with what it said last."""
    deadline, last = time.perf_counter() + seconds, None
    while time.perf_counter() < deadline:
        try:
            last = true()
        except (OSError, httpx.HTTPError, json.JSONDecodeError, KeyError) as error:
            last = error
        else:
            if last:
                return last
        time.sleep(0.05)
    raise AssertionError(f"still {last!r} after {seconds} s")
