"""A gym with certificates and a real broker: who is let in, and what arrives from who is not."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from gym_scene import BIKEBOX, Gym, free_port, told_ride, until
from msgspec import structs
from test_real_mosquitto import RIDE, tell, write

from firmware_app.errors import PartLost
from firmware_app.settings import Mqtt, load_settings
from gateway.mqtt import connected

CONFIG = Path(__file__).parents[1] / "config" / "broker"


class Fleet(Gym):
    """A gym that is its own authority, and boxes that have claimed their names."""

    def __init__(self, folder):
        super().__init__(folder)
        self.ca = folder / "ca"
        (folder / "passphrase").write_text("a drawer with a key\n")
        self.say("studio", "ca", "init", "--to", self.ca, "--broker", "127.0.0.1", "localhost",
                 "--gym", "Spin City", "--passphrase-file", folder / "passphrase")  # fmt: skip
        self.say("studio", "ca", "issue", "an.ear", "--to", self.ca)

    @property
    def url(self):
        return f"mqtts://127.0.0.1:{self.broker_port}"

    def say(self, *words, code=0):
        said = subprocess.run(
            [*BIKEBOX, *map(str, words)], capture_output=True, text=True, check=False
        )
        assert said.returncode == code, said.stderr
        return said.stdout if code == 0 else said.stderr

    def studio(self):
        port_file = self.folder / "studio.port"
        port_file.unlink(missing_ok=True)
        self.gym_toml = self.folder / "gym.toml"
        self.gym_toml.write_text(
            f'gym = "Spin City"\nport = 0\ndatabase = "{self.folder}/studio.db"\n'
            f'[mqtt]\nurl = "{self.url}"\nca_file = "{self.ca}/ca.pem"\n'
            f'cert_file = "{self.ca}/studio.pem"\nkey_file = "{self.ca}/studio.key"\n'
            f'[identity]\nca_file = "{self.ca}/ca.pem"\nkey_file = "{self.ca}/issuer.key"\n'
            f'folder = "{self.folder}"\nbroker_url = "{self.url}"\nprograms = ["an.ear"]\n'
        )
        self.start(
            "studio", *BIKEBOX, "studio", "--config", self.gym_toml, "--port-file", port_file
        )
        self.studio_port = self._port(port_file)
        until((self.folder / "broker" / "changed").exists)

    def operator(self, *words, code=0):
        return self.say("studio", "--config", self.gym_toml, *words, code=code)

    @property
    def studio_url(self):
        return f"http://127.0.0.1:{self.studio_port}"

    def claim(self, box, *more):
        return self.operator("claim", "--box", box, *more).splitlines()[0]

    def config_of(self, box):
        return self.folder / box / "bikebox.toml"

    def provision(self, box, code, name="", exit_code=0):
        """Provision a new card; name: of its folder."""
        folder = self.folder / (name or box)
        folder.mkdir(exist_ok=True)
        config = folder / "bikebox.toml"
        if not config.exists():
            config.write_text(
                f'box = "new"\n[paths]\nrun = "{folder}/run"\nstate = "{folder}/state"\n'
                "[gateway]\nport = 0\n"
            )
        return self.say(
            "provision", "--config", config, "--folder", folder / "identity",
            "--key-file", folder / "identity" / "key.pem",
            "--studio", self.studio_url, "--claim", code, code=exit_code,
        )  # fmt: skip

    def files_in_place(self, text):
        """Put the shipped configuration's paths where this test has its files."""
        return (
            text.replace("/etc/mosquitto/bikebox/acl", f"{self.folder}/broker/acl")
            .replace("/etc/mosquitto/bikebox/crl.pem", f"{self.folder}/broker/crl.pem")
            .replace("/etc/mosquitto/bikebox/", f"{self.ca}/")
            .replace("/var/lib/mosquitto/", f"{self.folder}/")
            .replace("listener 8883", f"listener {self.broker_port} 127.0.0.1\nuser root")
            .replace("bikebox/nats-users.conf", "broker/nats-users.conf")
            .replace("/etc/nats/bikebox/", f"{self.ca}/")
            .replace("/var/lib/nats", f"{self.folder}/nats")
            .replace("0.0.0.0:8883", f"127.0.0.1:{self.broker_port}")
            .replace("127.0.0.1:4222", f"127.0.0.1:{free_port()}")
        )

    def mosquitto(self):
        config = self.folder / "mosquitto.conf"
        config.write_text(self.files_in_place((CONFIG / "mosquitto.conf").read_text()))
        self.start("broker", "mosquitto", "-c", config)
        self._until_open(self.broker_port)

    def nats(self):
        config = self.folder / "nats.conf"
        config.write_text(self.files_in_place((CONFIG / "nats.conf").read_text()))
        self.start("broker", Path(sys.executable).with_name("nats-server"), "-c", config)
        self._until_open(self.broker_port)

    def mqtt_of(self, box, **changed):
        """What a box's own settings say of the broker."""
        return structs.replace(load_settings(self.config_of(box)).mqtt, **changed)

    @property
    def ear(self):
        """A program of the gym that hears everything."""
        return Mqtt(
            url=self.url, ca_file=f"{self.ca}/ca.pem",
            cert_file=f"{self.ca}/an.ear.pem", key_file=f"{self.ca}/an.ear.key",
        )  # fmt: skip


@pytest.fixture
def fleet(tmp_path):
    fleet = Fleet(tmp_path)
    yield fleet
    fleet.stop()


async def say_as(mqtt, name, topic, payload):
    """Come as somebody and say something; "" when nothing was against it, else why not."""
    try:
        async with connected(mqtt, name, ()) as line:
            line.publish(topic, payload, qos=1)
            await line.heard(0.4)
            return line.refused
    except PartLost as error:
        return str(error)


@contextlib.asynccontextmanager
async def listening(fleet):
    """Hear everything at the broker; yields a function that tells what came since."""
    async with connected(fleet.ear, "ear", (("#", 1),)) as line:
        await line.heard(0.5)

        async def came():
            found = []
            while news := await line.heard(0.7):
                found += [(heard.topic, heard.payload) for heard in news]
            return found

        yield came


# paho leaves the socket of a handshake that failed to the garbage collector
ignores_sockets = pytest.mark.filterwarnings(
    "ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning"
)


def ride_of(fleet, box):
    """Start a box's gateway and let it deliver a ride."""
    fleet.start("gateway", *BIKEBOX, "gateway", "--config", fleet.config_of(box))
    run = fleet.folder / box / "run"
    until((run / "gateway.port").exists)
    fleet.gateway_port = int((run / "gateway.port").read_text())
    at = SimpleNamespace(run=run, journals=fleet.folder / box / "state" / "journals")
    at.journals.mkdir(parents=True)
    write(at, told_ride(box=box))
    asyncio.run(tell(at))


def test_a_box_with_a_certificate_delivers_its_rides(fleet):
    fleet.studio()
    assert "This box is b1 of Spin City" in fleet.provision("b1", fleet.claim("b1"))
    fleet.mosquitto()
    ride_of(fleet, "b1")
    until(lambda: fleet.ask_studio(f"/api/rides/b1/{RIDE}").get("confirmed"))
    until(lambda: fleet.ask_gateway("/health")["sync"] == "ok")
    assert fleet.ask_gateway("/health")["parts"]["certificate"] == "ok"


@ignores_sockets
def test_of_who_is_not_the_box_nothing_arrives(fleet):
    fleet.studio()
    for box in ("b1", "b2"):
        fleet.provision(box, fleet.claim(box))
    fleet.mosquitto()
    rogue = fleet.folder / "rogue"
    fleet.say("studio", "ca", "init", "--to", rogue, "--broker", "localhost",
              "--passphrase-file", fleet.folder / "passphrase")  # fmt: skip
    fleet.say("studio", "ca", "issue", "b1", "--to", rogue)
    fleet.say("studio", "ca", "issue", "b1", "--to", fleet.folder / "ca", "--days", "0.00001")
    old = {"cert_file": f"{fleet.folder}/ca/b1.pem", "key_file": f"{fleet.folder}/ca/b1.key"}
    b1, b2 = fleet.mqtt_of("b1"), fleet.mqtt_of("b2")
    bare = fleet.mqtt_of("b1", cert_file="", key_file="")
    forged = fleet.mqtt_of("b1", cert_file=f"{rogue}/b1.pem", key_file=f"{rogue}/b1.key")
    plain = Mqtt(url=f"mqtt://127.0.0.1:{fleet.broker_port}")
    tries = {
        "another box's topic": (b2, "fleet/v1/b1/up"),
        "another box's commands": (b2, "fleet/v1/b1/cmd"),
        "another box's status": (b2, "fleet/v1/b1/status"),
        "the studio's watermark": (b2, "fleet/v1/b2/ack"),
        "no certificate": (bare, "fleet/v1/b1/up"),
        "a rogue certificate": (forged, "fleet/v1/b1/up"),
        "a certificate that has run out": (fleet.mqtt_of("b1", **old), "fleet/v1/b1/up"),
        "plain MQTT": (plain, "fleet/v1/b1/up"),
    }

    async def scene():
        arrived = {}
        async with listening(fleet) as came:
            for name, (mqtt, topic) in tries.items():
                for protocol in ("3.1.1", "5"):
                    as_it = structs.replace(mqtt, protocol=protocol)
                    await say_as(as_it, "bikebox-b1", topic, b"forged")
                arrived[name] = await came()
            await say_as(b1, "bikebox-b1", "fleet/v1/b1/up", b"own")
            arrived["its own"] = await came()
        return arrived

    arrived = asyncio.run(scene())
    assert arrived.pop("its own") == [("fleet/v1/b1/up", b"own")]
    assert arrived == {name: [] for name in tries}


def test_a_box_cannot_throw_out_another_by_its_name(fleet):
    fleet.studio()
    for box in ("b1", "b2"):
        fleet.provision(box, fleet.claim(box))
    fleet.mosquitto()
    b1, b2 = fleet.mqtt_of("b1"), fleet.mqtt_of("b2")

    async def scene():
        async with listening(fleet) as came, connected(b1, "bikebox-b1", ()) as line:
            await say_as(b2, "bikebox-b1", "fleet/v1/b2/up", b"mine")
            await line.heard(0.2)
            line.publish("fleet/v1/b1/up", b"still here", qos=1)
            return await came()

    assert asyncio.run(scene()) == [("fleet/v1/b2/up", b"mine"), ("fleet/v1/b1/up", b"still here")]


@ignores_sockets
def test_who_is_revoked_is_out_within_seconds_connected_or_not(fleet):
    fleet.studio()
    for box in ("b1", "b2"):
        fleet.provision(box, fleet.claim(box))
    fleet.mosquitto()
    b1, b2 = fleet.mqtt_of("b1"), fleet.mqtt_of("b2")
    changed = fleet.folder / "broker" / "changed"

    async def scene():
        arrived = []
        async with listening(fleet) as came, connected(b2, "bikebox-b2", ()) as line:
            line.publish("fleet/v1/b2/up", b"before", qos=1)
            arrived += await came()
            before = changed.stat().st_mtime_ns
            await asyncio.to_thread(fleet.operator, "revoke", "b2", "--why", "stolen")
            await asyncio.to_thread(until, lambda: changed.stat().st_mtime_ns != before)
            fleet.running["broker"].send_signal(signal.SIGHUP)  # systemctl reload mosquitto
            await asyncio.sleep(0.3)
            with contextlib.suppress(PartLost):
                line.publish("fleet/v1/b2/up", b"while connected", qos=1)
                await line.heard(0.3)
            assert await say_as(b2, "bikebox-b2", "fleet/v1/b2/up", b"again")
            await say_as(b1, "bikebox-b1", "fleet/v1/b1/up", b"b1 is well")
            arrived += await came()
        return arrived

    assert asyncio.run(scene()) == [
        ("fleet/v1/b2/up", b"before"),
        ("fleet/v1/b1/up", b"b1 is well"),
    ]
    assert "b2, 1 certificates: stolen" in fleet.operator("audit")
    boxes = fleet.operator("boxes")
    assert "b1                               certificate until" in boxes
    assert "b2                               revoked 20" in boxes


@ignores_sockets
def test_nats_lets_in_by_certificate_too_and_forgets_who_was_revoked(fleet):
    fleet.studio()
    for box in ("b1", "b2"):
        fleet.provision(box, fleet.claim(box))
    users = fleet.folder / "broker" / "nats-users.conf"
    until(lambda: "CN=b2" in users.read_text())
    fleet.nats()

    async def scene():
        arrived = {}
        async with listening(fleet) as came:
            b1, b2 = fleet.mqtt_of("b1"), fleet.mqtt_of("b2")
            await say_as(b1, "bikebox-b1", "fleet/v1/b1/up", b"own")
            arrived["own topic"] = await came()
            await say_as(b2, "bikebox-b2", "fleet/v1/b1/up", b"forged")
            arrived["another's"] = await came()
            bare = fleet.mqtt_of("b1", cert_file="", key_file="")
            await say_as(bare, "bikebox-b1", "fleet/v1/b1/up", b"forged")
            arrived["no certificate"] = await came()
            fleet.operator("revoke", "b2")
            await asyncio.to_thread(until, lambda: "CN=b2" not in users.read_text())
            fleet.running["broker"].send_signal(signal.SIGHUP)
            await asyncio.sleep(0.5)
            await say_as(b2, "bikebox-b2", "fleet/v1/b2/up", b"again")
            arrived["revoked"] = await came()
            await say_as(b1, "bikebox-b1", "fleet/v1/b1/up", b"well")
            arrived["the other"] = await came()
        return arrived

    assert asyncio.run(scene()) == {
        "own topic": [("fleet/v1/b1/up", b"own")],
        "another's": [],
        "no certificate": [],
        "revoked": [],
        "the other": [("fleet/v1/b1/up", b"well")],
    }


def test_a_code_is_good_once_and_every_other_try_is_in_the_audit(fleet):
    fleet.studio()
    code = fleet.claim("b1")
    fleet.provision("b1", code)
    key = fleet.folder / "b1" / "identity" / "key.pem"
    assert oct(key.stat().st_mode & 0o777) == "0o600"
    assert "by this claim already" in fleet.provision("b1", code)
    # a second box with the same code
    assert "used by another box" in fleet.provision("b1", code, "thief", exit_code=78)
    wrong = code[:4] + "-0000-0000-0000-0000"
    assert "not the one that was made" in _unwrap(
        fleet.provision("b1", wrong, "liar", exit_code=78)
    )
    # a box does not get the broker's name, nor one that every machine has
    assert "broker is reached" in fleet.operator("claim", "--box", "localhost", code=78)
    # a box that has a name already is not claimed by mistake
    assert "--replace" in fleet.operator("claim", "--box", "b1", code=78)
    fleet.provision("b1", fleet.claim("b1", "--replace"), "new-card")
    audit = fleet.operator("audit")
    for what in ("claim_made", "claimed", "claim_twice", "claim_wrong"):
        assert what in audit
    assert "127.0.0.1" in audit
    secret = code.replace("-", "")[4:]
    for file in fleet.folder.glob("*"):
        if file.is_file():
            text = file.read_bytes()
            assert secret.encode() not in text.replace(b"-", b""), file


def _unwrap(text):
    return " ".join(text.split())


def test_the_first_boot_file_and_a_certificate_renewed_over_the_old_one(fleet):
    fleet.studio()
    box = fleet.folder / "b1"
    box.mkdir()
    first_boot = fleet.folder / "bikebox-first-boot.toml"
    first_boot.write_text(
        f'[identity]\nstudio = "{fleet.studio_url}"\nclaim = "{fleet.claim("b1").lower()}"\n'
    )
    fleet.say("provision", "--config", box / "bikebox.toml", "--folder", box / "identity",
              "--from", first_boot)  # fmt: skip
    settings = load_settings(box / "bikebox.toml")
    assert (settings.box, settings.mqtt.url) == ("b1", fleet.url)
    assert settings.mqtt.key_file == "/run/credentials/bikebox-gateway.service/mqtt-key"
    assert settings.gateway.access_file == "/run/credentials/bikebox-gateway.service/access"
    before = (box / "identity" / "cert.pem").read_bytes()
    key = (box / "identity" / "key.pem").read_bytes()
    renew = ("provision", "--renew", "--config", box / "bikebox.toml")
    assert "not due yet" in fleet.say(*renew)
    assert "good for a long time" in _unwrap(fleet.say(*renew, "--now", code=78))
    assert (box / "identity" / "cert.pem").read_bytes() == before
    assert (box / "identity" / "key.pem").read_bytes() == key
    assert "renewal_early" in fleet.operator("audit")
    openssl = ("openssl", "verify", "-CAfile", box / "identity" / "ca.pem")
    said = subprocess.run(
        [*openssl, box / "identity" / "cert.pem"], capture_output=True, text=True, check=False
    )
    assert said.stdout.endswith("OK\n"), said.stderr
