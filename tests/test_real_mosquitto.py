"""Rides on their way through a real mosquitto: plain, with MQTT 5, with passwords and with TLS."""

import asyncio
import contextlib
import gc
import json
import subprocess

import httpx
import pytest
from gym_scene import Gym, told_ride, until
from sqlite_utils import Database

from firmware_app.clock import MachineClock
from firmware_app.errors import PartLost
from firmware_app.journal import Journal
from firmware_app.link import Link
from firmware_app.settings import Mqtt
from firmware_app.sockets import Hub
from firmware_app.wire import Audit, Command, FromGateway, Live, Reader, RideId, SyncState
from gateway.mqtt import connected
from gateway.topics import Cmd, pack

RIDE = "000001_ab_b1"


@pytest.fixture
def gym(tmp_path):
    gym = Gym(tmp_path)
    yield gym
    gym.stop()


def write(gym, messages, name=RIDE):
    with Journal(gym.journals / f"{name}.jsonl") as journal:
        for message in messages:
            journal.append(message)


async def tell(gym, seconds=0.0, until_true=lambda: True):
    """Run the bike's own link until its journals are kept and something else is true."""
    link = Link(gym.journals, gym.run / "gateway.sock", MachineClock())
    running = asyncio.create_task(link.run(lambda: None))
    await asyncio.to_thread(until, lambda: link.kept and until_true())
    await asyncio.sleep(seconds)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def stored(gym, ride=RIDE):
    path = f"/api/rides/b1/{ride}"
    return until(lambda: (told := gym.ask_studio(path)).get("confirmed") and told)


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_ride_reaches_the_studio_and_the_box_knows_that_it_did(gym, protocol):
    gym.mqtt = f'protocol = "{protocol}"\n'
    gym.mosquitto()
    gym.studio()
    gym.gateway()
    write(gym, told_ride())
    asyncio.run(tell(gym))
    summary = stored(gym)
    assert (summary["duration_s"], summary["cadence_mean_rpm"], summary["rider"]) == (
        90.0,
        90.0,
        "Sagar",
    )
    until(lambda: gym.ask_gateway(f"/api/rides/{RIDE}")["confirmed"])
    until(lambda: gym.ask_gateway("/health")["sync"] == "ok")
    assert gym.ask_gateway("/health")["unsynced"] == 0
    at_home = gym.ask_gateway(f"/api/rides/{RIDE}")
    assert summary | {"confirmed_utc": ""} == at_home | {"confirmed_utc": ""}
    assert gym.end("gateway") == 0
    assert gym.end("studio") == 0


def test_a_gym_without_a_broker_keeps_its_rides_and_sends_them_when_it_is_back(gym):
    gym.gateway()
    gym.studio()
    write(gym, told_ride())
    asyncio.run(tell(gym))
    health = gym.ask_gateway("/health")
    assert (health["sync"], health["unsynced"]) == ("offline", 6)  # with the gateway's start
    until(lambda: "Connection refused" in gym.ask_gateway("/health")["parts"]["broker"])
    gym.mosquitto()
    assert stored(gym)["confirmed"]
    gym.kill("broker")
    until(lambda: gym.ask_gateway("/health")["sync"] == "offline")
    write(gym, told_ride("000002_ab_b1"), "000002_ab_b1")
    asyncio.run(tell(gym))
    gym.mosquitto()
    assert stored(gym, "000002_ab_b1")["confirmed"]
    lost = (gym.folder / "gateway.log").read_text().count("event=part_lost part=broker")
    assert lost == 2  # said once each time it went, however often it was tried


def test_a_studio_that_is_away_is_waited_for_and_nothing_is_deleted_before_it_is_back(gym):
    gym.mosquitto()
    gym.gateway()
    write(gym, told_ride())
    asyncio.run(tell(gym))
    until(lambda: gym.ask_gateway("/health")["parts"]["studio"] == "the studio does not answer")
    assert gym.ask_gateway("/health")["unsynced"] == 6
    assert gym.ask_gateway(f"/api/rides/{RIDE}")["confirmed"] is False
    gym.studio()
    assert stored(gym)["confirmed"]
    until(lambda: gym.ask_gateway("/health")["unsynced"] == 0)


@pytest.mark.parametrize("limit", ["message_size_limit", "max_packet_size"])
def test_a_record_that_this_broker_never_takes_holds_up_nothing_and_is_kept_whole(gym, limit):
    """mosquitto drops what is over the one in silence, and hangs up at what is over the other."""
    gym.mosquitto(f"allow_anonymous true\n{limit} 2000\n")
    gym.studio()
    gym.gateway()
    long = Audit(t_s=1.0, what="settings changed", who="ssh", detail="x" * 4000)
    write(gym, [long, *told_ride()])
    asyncio.run(tell(gym))
    until(lambda: gym.ask_gateway("/health")["unsynced"] == 0, 90)
    with contextlib.closing(Database(gym.folder / "studio.db")) as db:
        kinds = [kind for (kind,) in db.execute("select kind from record order by seq")]
    assert kinds == ["audit", "gap", "interval", "interval", "interval", "cue", "summary"]
    gym.kill("gateway")
    with contextlib.closing(Database(gym.folder / "state" / "gateway" / "gateway.db")) as db:
        ((source, line),) = db.execute("select source, line from dead").fetchall()
    assert source == "outbox"
    assert json.loads(line)["body"]["detail"] == "x" * 4000


def test_the_live_lane_the_counts_the_screen_and_a_command(gym):
    gym.mosquitto()
    gym.studio()
    gym.gateway()

    async def scene():
        heard = []
        reader = Reader(FromGateway)
        hub = Hub(gym.run / "ride.sock", lambda line: heard.append(reader.read(line)))
        await hub.open()
        clock = MachineClock()

        async def ride():
            while True:
                live = Live(
                    t_s=clock.monotonic(),
                    ride=RideId(RIDE),
                    class_id="42",
                    rider_pseudonym="p-1",
                    phase="riding",
                    cadence_rpm=86.0,
                    states={"shrug": "fault", "sway": "ok"},
                    parts={"camera": "ok"},
                )
                hub.tell(live)
                await asyncio.sleep(0.3)

        riding = asyncio.create_task(ride())
        topics = (("fitness/class/42/#", 0), ("fleet/v1/b1/#", 1))
        async with connected(Mqtt(url=gym.url), "listener", topics) as line:
            in_counts = "1 rider out of position: 1 shoulders"
            await asyncio.to_thread(
                until, lambda: gym.ask_studio("/api/class/42")["sentence"] == in_counts
            )
            cmd = Cmd(command="c-1", kind="message", text="Welcome")
            line.publish("fleet/v1/b1/cmd", pack(cmd), qos=1)
            passed = {}
            async with asyncio.timeout(10):
                wanted = {
                    "fleet/v1/b1/cmd/ack",
                    "fleet/v1/b1/status",
                    "fitness/class/42/form/p-1",
                    "fitness/class/42/aggregate",
                }
                while not wanted <= passed.keys():
                    for message in await line.heard(0.5):
                        passed[message.topic] = json.loads(message.payload)
            live = gym.ask_gateway("/api/live")
            await asyncio.to_thread(
                until, lambda: any(isinstance(m, SyncState) and m.sync == "ok" for m in list(heard))
            )
            gym.kill("gateway")
            async with asyncio.timeout(10):
                while passed["fleet/v1/b1/status"]["online"]:
                    for message in await line.heard(0.5):
                        passed[message.topic] = json.loads(message.payload)
        riding.cancel()
        await hub.close()
        await asyncio.sleep(0.1)
        return heard, passed, live

    heard, passed, live = asyncio.run(scene())
    assert [said.text for said in heard if isinstance(said, Command)] == ["Welcome"]
    assert passed["fleet/v1/b1/cmd/ack"]["taken"] is True
    assert passed["fitness/class/42/aggregate"]["out_of_position"] == {"shrug": 1}
    assert "ride" not in passed["fitness/class/42/form/p-1"]
    assert live["live"]["cadence_rpm"] == 86.0


def test_the_board_renews_itself_and_an_open_page_does_not_keep_the_studio_from_stopping(gym):
    gym.mosquitto()
    gym.studio()
    url = f"http://127.0.0.1:{gym.studio_port}/events"
    with httpx.stream("GET", url, timeout=10) as events:
        lines = (line for line in events.iter_lines() if line)
        first, second = next(lines), next(lines)
        assert first.startswith("data: <")
        assert second.startswith("data: <section")
        assert gym.end("studio") == 0


def test_a_wrong_password_is_told_and_the_right_one_lets_the_box_in(gym):
    users = gym.folder / "users"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "b1", "right"], check=True)
    users.chmod(0o644)
    gym.mosquitto(f"allow_anonymous false\npassword_file {users}\n")
    secret = gym.folder / "secret"
    secret.write_text("wrong\n")
    mqtt = Mqtt(url=gym.url, username="b1", password_file=str(secret))

    async def come():
        async with connected(mqtt, "bikebox-b1", ()):
            return "in"

    with pytest.raises(PartLost, match="username, password_file"):
        asyncio.run(come())
    secret.write_text("right\n")
    assert asyncio.run(come()) == "in"
    secret.unlink()
    with pytest.raises(PartLost, match="password_file"):
        asyncio.run(come())


def test_a_box_may_speak_for_itself_only_and_is_told_so_with_mqtt_5(gym):
    users, rights = gym.folder / "users", gym.folder / "rights"
    for name in ("b1", "studio"):
        new = () if users.exists() else ("-c",)
        subprocess.run(["mosquitto_passwd", "-b", *new, users, name, "right"], check=True)
    rights.write_text("user studio\ntopic readwrite #\npattern write fleet/v1/%u/#\n")
    for file in (users, rights):
        file.chmod(0o644)
    gym.mosquitto(f"allow_anonymous false\npassword_file {users}\nacl_file {rights}\n")
    secret = gym.folder / "secret"
    secret.write_text("right\n")

    def mqtt(name):
        return Mqtt(url=gym.url, protocol="5", username=name, password_file=str(secret))

    async def scene():
        everything = (("fleet/v1/#", 1),)
        async with (
            connected(mqtt("studio"), "studio", everything) as studio,
            connected(mqtt("b1"), "bikebox-b1", ()) as box,
        ):
            box.publish("fleet/v1/b2/up", b"forged", qos=1)
            await box.heard(0.5)
            refused = box.refused
            box.publish("fleet/v1/b1/up", b"own", qos=1)
            return refused, [heard.payload for heard in await studio.heard(3.0)]

    refused, heard = asyncio.run(scene())
    assert "look at its access list" in refused
    assert heard == [b"own"]


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def certificates(tmp_path):
    """An authority of the gym's own, a broker and a box that it knows, and a stranger it does not.

    old.crt is the broker's, and has run out.
    """
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj")
    for ca, name in (("ca", "gym"), ("stranger", "stranger")):
        files = ("-keyout", f"{ca}.key", "-out", f"{ca}.crt")
        openssl(tmp_path, *new, f"/CN={name}", "-x509", "-days", "2", *files)
    (tmp_path / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    for name in ("broker", "b1"):
        openssl(tmp_path, *new, f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
        more = ("-extfile", "san", "-in", f"{name}.csr", "-out", f"{name}.crt")
        openssl(tmp_path, "x509", "-req", *signed, *more)
    signed = ("-CA", "ca.crt", "-CAkey", "ca.key", "-days", "0", "-extfile", "san")
    openssl(tmp_path, "x509", "-req", *signed, "-in", "broker.csr", "-out", "old.crt")
    return tmp_path


# paho leaves the socket of a handshake that failed to the garbage collector
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_with_tls_only_a_box_with_a_certificate_gets_in_and_only_to_a_broker_it_trusts(
    gym, certificates
):
    at = certificates
    gym.mosquitto(
        f"cafile {at}/ca.crt\ncertfile {at}/broker.crt\nkeyfile {at}/broker.key\n"
        "require_certificate true\nuse_identity_as_username true\nallow_anonymous false\n"
    )
    url = f"mqtts://127.0.0.1:{gym.broker_port}"
    own = {"cert_file": f"{at}/b1.crt", "key_file": f"{at}/b1.key"}

    def come(to=url, **files):
        return asyncio.run(let_in(Mqtt(url=to, **files)))

    assert come(ca_file=f"{at}/ca.crt", **own) == "in"
    with pytest.raises(PartLost, match="not trusted"):
        come(**own)
    with pytest.raises(PartLost, match="client certificate"):
        come(ca_file=f"{at}/ca.crt")
    with pytest.raises(PartLost, match="ca_file"):
        come(ca_file=f"{at}/none.crt")
    stranger = {"cert_file": f"{at}/stranger.crt", "key_file": f"{at}/stranger.key"}
    with pytest.raises(PartLost, match=r"stranger\.crt: expired, of another authority"):
        come(ca_file=f"{at}/ca.crt", **stranger)
    with pytest.raises(PartLost, match="write that name"):
        come(f"mqtts://localhost:{gym.broker_port}", ca_file=f"{at}/ca.crt", **own)
    with pytest.raises(PartLost, match="write mqtts://"):
        come(f"mqtt://127.0.0.1:{gym.broker_port}")
    gc.collect()


# paho leaves the socket of a handshake that failed to the garbage collector
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")
def test_a_broker_without_tls_or_with_a_certificate_that_has_run_out_is_told(gym, certificates):
    at = certificates
    url = f"mqtts://127.0.0.1:{gym.broker_port}"
    gym.mosquitto()
    with pytest.raises(PartLost, match="no TLS with"):
        asyncio.run(let_in(Mqtt(url=url, ca_file=f"{at}/ca.crt")))
    gym.kill("broker")
    gym.mosquitto(f"certfile {at}/old.crt\nkeyfile {at}/broker.key\nallow_anonymous true\n")
    with pytest.raises(PartLost, match="clock right"):
        asyncio.run(let_in(Mqtt(url=url, ca_file=f"{at}/ca.crt")))
    gc.collect()


async def let_in(mqtt):
    async with connected(mqtt, "bikebox-b1", ()):
        return "in"
