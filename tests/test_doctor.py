"""The doctor sees what is wrong with a box and says what to do, whatever is missing."""

import contextlib
import http.server
import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from firmware_app.cli import main
from firmware_app.commands.doctor import examine, in_words
from firmware_app.doctor import devices, machine, network, services, software, upkeep
from firmware_app.doctor.finding import Finding
from firmware_app.settings import (
    Crank,
    Gateway,
    Identity,
    Mqtt,
    Paths,
    Player,
    Settings,
    Speech,
    Vision,
)
from firmware_app.vision.lux import LuxMeter
from firmware_app.wire import CameraState, Hud, encode
from gateway.identity.authority import Wanted, issue, make_root, new_key, pem


@pytest.fixture
def root(tmp_path):
    """A machine with nothing in it."""
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def lay(root, path, text=""):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def box(tmp_path, **sections) -> Settings:
    paths = Paths(run=str(tmp_path), state=str(tmp_path), models=str(tmp_path / "models"))
    return Settings(box="bike1", paths=paths, **sections)


@contextlib.contextmanager
def telling(door, *messages):
    """Serve a Unix socket that tells each visitor these messages."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(door))
        server.listen()

        def serve():
            visitor, _ = server.accept()
            with visitor:
                visitor.sendall(b"".join(map(encode, messages)))

        served = threading.Thread(target=serve)
        served.start()
        yield
        served.join(5)


@contextlib.contextmanager
def health(answer: bytes):
    """Serve /health on loopback; gives the port."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 404)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_words):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        served = threading.Thread(target=server.handle_request)
        served.start()
        yield server.server_port
        served.join(5)


@contextlib.contextmanager
def nobody():
    """Give a port on loopback at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


# the whole box -----------------------------------------------------------------------------------


def test_a_bare_machine_is_examined_to_the_end(tmp_path, root):
    config = tmp_path / "bikebox.toml"
    with nobody() as port:
        config.write_text(
            f'box = "bike1"\n[paths]\nrun = "{tmp_path}"\nstate = "{tmp_path}/none"\n'
            f'models = "{tmp_path}"\n[vision]\ncamera = "{tmp_path}/camera"\n'
            f"[gateway]\nport = {port}\n"
        )
        found = list(examine(config, root))
    parts = [finding.part for finding in found]
    assert parts == [
        "settings", "python", "system", "power", "clock", "release", "certificate", "card", "disk",
        "models", "camera", "light", "crank", "screen", "speaker", "voice",
        "bikebox-vision.service", "bikebox-ride.service", "bikebox-player.service",
        "bikebox-gateway.service", "vision", "ride", "class", "broker", "gateway",
    ]  # fmt: skip
    wrong = {finding.part for finding in found if finding.state == "bad"}
    assert {"models", "camera", "crank", "speaker", "vision", "ride", "gateway"} <= wrong
    for finding in found:
        assert bool(finding.remedy) == (finding.state == "bad"), finding


def test_a_misspelt_setting_is_named_and_the_machine_is_still_looked_at(tmp_path, root):
    config = tmp_path / "bikebox.toml"
    config.write_text('box = "bike1"\n[vision]\ncamra = "/dev/video0"')
    first, *others = examine(config, root)
    assert first.state == "bad"
    assert 'no setting is called "camra"' in first.seen
    assert 'did you mean "camera"?' in first.remedy
    parts = [finding.part for finding in others]
    assert parts == ["python", "system", "power", "clock", "release"]


def test_a_box_without_settings_is_told_where_they_come_from(tmp_path, capsys):
    assert main(["doctor", "--config", str(tmp_path / "none.toml")]) == 1
    said = capsys.readouterr().out
    assert said.startswith("NOT settings")
    assert "-> Copy config/bikebox.toml there" in said
    assert "Not well: settings" in said


def test_a_program_gets_the_same_as_a_person(tmp_path, capsys):
    assert main(["doctor", "--json", "--config", str(tmp_path / "none.toml")]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert report["findings"][0]["part"] == "settings"
    assert report["findings"][0]["remedy"].startswith("Copy config/bikebox.toml there")


def test_the_remedy_stands_below_what_was_seen():
    lines = in_words(Finding("speaker", "bad", "no sound card", "plug it in")).splitlines()
    assert lines[0].split() == ["NOT", "speaker", "no", "sound", "card"]
    assert lines[1].strip() == "-> plug it in"
    assert len(in_words(Finding("clock", "ok", "set")).splitlines()) == 1


# the machine -------------------------------------------------------------------------------------


def test_a_python_that_no_lock_is_for_is_named():
    assert machine.look_at_python((3, 11)).state == "ok"
    assert machine.look_at_python((3, 13)).state == "ok"
    assert machine.look_at_python((3, 12)).state == "bad"


def test_a_pi_is_named_and_its_32_bit_system_refused(root):
    lay(root, "proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0")
    lay(root, "etc/os-release", 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    good = machine.look_at_system(root, "aarch64")
    assert good.state == "ok"
    assert good.seen == (
        "Debian GNU/Linux 12 (bookworm) on aarch64, Raspberry Pi 5 Model B Rev 1.0"
    )
    assert "64-bit" in machine.look_at_system(root, "armv7l").remedy


def test_a_weak_supply_is_named(root):
    where = "sys/devices/platform/soc/soc:firmware/get_throttled"
    for reported, state, words in (
        ("0\n", "ok", "enough"),
        ("50005\n", "bad", "now"),
        ("50000\n", "bad", "since the start"),
        ("nonsense", "unused", "does not tell"),
    ):
        lay(root, where, reported)
        found = machine.look_at_power(root)
        assert (found.state, words in found.seen) == (state, True)


def test_a_clock_that_no_network_has_set_is_named(root):
    assert machine.look_at_clock(root).state == "unused"
    (root / "run/systemd/system").mkdir(parents=True)
    assert "timedatectl" in machine.look_at_clock(root).remedy
    lay(root, "run/systemd/timesync/synchronized")
    assert machine.look_at_clock(root).state == "ok"


def test_a_full_card_is_named_with_what_is_needed(tmp_path):
    assert machine.look_at_disk(tmp_path / "not" / "there", 1).state == "ok"
    full = machine.look_at_disk(tmp_path, 10**9)
    assert full.state == "bad"
    assert "keep_mb" in full.remedy


# what is plugged in ------------------------------------------------------------------------------


def test_a_camera_that_is_not_there_and_a_file_that_is_none(tmp_path):
    absent = devices.look_at_camera(Vision(camera=str(tmp_path / "camera")))
    assert "no such file" in absent.seen
    assert "plug the camera in" in absent.remedy
    wrong = devices.look_at_camera(Vision(camera="/dev/null"))
    assert wrong.state == "bad"
    assert "no camera" in wrong.seen


def test_a_recording_is_a_camera_too(tmp_path):
    (tmp_path / "ride.mp4").touch()
    assert devices.look_at_camera(Vision(camera=str(tmp_path / "ride.mp4"))).state == "ok"


def test_a_light_meter_must_be_the_camera_that_was_calibrated(monkeypatch, tmp_path):
    file = tmp_path / "lux.json"
    box = Settings(box="b1", vision=Vision(lux_file=str(file)))
    assert software.look_at_lux(Settings(box="b1")).state == "unused"
    assert "bikebox calibrate" in software.look_at_lux(box).remedy
    meter = LuxMeter(camera="Cam 1", lux_seconds=2.0, gamma=2.2, gains=((0.0, 1.0),))
    file.write_bytes(msgspec.json.encode(meter))
    monkeypatch.setattr(software, "name_of", lambda _path: "Cam 2")
    assert '"Cam 2" is plugged in' in software.look_at_lux(box).seen
    monkeypatch.setattr(software, "name_of", lambda _path: "Cam 1")
    assert software.look_at_lux(box).state == "ok"


def test_a_crank_needs_a_pin_and_lgpio_unless_it_is_simulated(root):
    assert devices.look_at_crank(Crank(sim_rpm=80), root).state == "unused"
    assert "Raspberry Pi" in devices.look_at_crank(Crank(), root).remedy
    lay(root, "dev/gpiochip0")
    assert "python3-lgpio" in devices.look_at_crank(Crank(), root, lgpio=False).remedy
    assert devices.look_at_crank(Crank(), root, lgpio=True).seen.startswith("GPIO17")


def test_a_screen_is_seen_where_it_is_connected(root, monkeypatch):
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    assert devices.look_at_screen(root).seen == "no graphics here"
    lay(root, "sys/class/drm/card1-HDMI-A-1/status", "disconnected\n")
    assert devices.look_at_screen(root).seen == "none at 1 connectors"
    lay(root, "sys/class/drm/card1-HDMI-A-2/status", "connected\n")
    assert devices.look_at_screen(root) == Finding("screen", "ok", "connected to HDMI-A-2")


def test_a_speaker_is_named(root):
    assert devices.look_at_speaker(root).state == "bad"
    lay(root, "proc/asound/cards", "--- no soundcards ---\n")
    assert devices.look_at_speaker(root).state == "bad"
    lay(
        root,
        "proc/asound/cards",
        " 0 [Device         ]: USB-Audio - USB Audio Device\n                      at usb-1\n",
    )
    assert devices.look_at_speaker(root).seen == "USB Audio Device"


# what is installed -------------------------------------------------------------------------------


def test_missing_models_come_with_the_line_that_fetches_them(tmp_path):
    found = software.look_at_models(box(tmp_path))
    assert found.state == "bad"
    assert found.remedy == f"fetch it with: bikebox models --to {tmp_path / 'models'}"


def test_a_damaged_model_is_not_taken_for_a_whole_one(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "pose_detection.tflite").write_bytes(b"half of it")
    found = software.look_at_models(box(tmp_path))
    assert "damaged" in found.seen
    assert "bikebox models" in found.remedy


def test_a_box_without_a_voice_is_told_what_to_install(tmp_path, monkeypatch):
    assert software.look_at_voice(box(tmp_path)).seen.startswith("espeak-ng en")
    wanted = box(tmp_path, speech=Speech(engine="piper"))
    assert "no Piper" in software.look_at_voice(wanted).seen
    monkeypatch.setenv("PATH", "")
    assert software.look_at_voice(box(tmp_path)).remedy == "apt install espeak-ng"


# what keeps it in order --------------------------------------------------------------------------


def updater(root, **told):
    """Lay out an updater that tells this."""
    blank = {"version": "26.11.0", "state": "idle", "bad": [], "why": ""}
    lay(root, upkeep.UPDATER, f"#!/bin/sh\necho '{json.dumps(blank | told)}'\n")
    (root / upkeep.UPDATER).chmod(0o755)


def test_the_release_that_runs_is_told_and_why_a_newer_one_does_not(root):
    assert upkeep.look_at_release(root).state == "unused"
    updater(root)
    assert upkeep.look_at_release(root) == Finding("release", "ok", "26.11.0")
    updater(root, state="probation")
    assert upkeep.look_at_release(root).seen == "26.11.0, probation"
    updater(root, version=None)
    assert "fleet provision --bundle" in upkeep.look_at_release(root).remedy
    went_back = [{"version": "26.12.0", "why": "camera lost"}]
    updater(root, bad=went_back, why="26.12.0 was put back: camera lost")
    found = upkeep.look_at_release(root)
    assert (found.state, found.seen) == ("bad", "26.11.0; 26.12.0 was put back: camera lost")
    by_hand = [{"version": "26.12.0", "why": "rolled back by Ada"}]
    updater(root, bad=by_hand, why="26.12.0 was put back: rolled back by Ada")
    assert upkeep.look_at_release(root).state == "ok"
    updater(root, version="26.12.1", bad=went_back)
    assert upkeep.look_at_release(root) == Finding("release", "ok", "26.12.1")


def test_an_updater_that_answers_root_only_says_so(root):
    lay(root, upkeep.UPDATER, "#!/bin/sh\necho only root may ask >&2; exit 78\n")
    (root / upkeep.UPDATER).chmod(0o755)
    found = upkeep.look_at_release(root)
    assert (found.state, found.seen) == ("bad", "only root may ask")


@pytest.fixture
def certified(tmp_path):
    """A box whose certificate begins on 2026-01-01 and is good for 90 days."""
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    root = make_root("Gym", begins)
    made = issue(Wanted("bike1", 90), new_key().public_key(), root, begins)
    (tmp_path / "cert.pem").write_text(pem(made))
    return box(tmp_path, identity=Identity(folder=str(tmp_path)))


@pytest.mark.parametrize(
    ("days", "state", "seen", "remedy"),
    [
        (-2, "bad", "not valid before 2025-12-31", "clock"),
        (10, "ok", "bike1, until 2026-04-01, 80 days", ""),
        (70, "ok", "bike1, until 2026-04-01, 20 days", ""),
        (80, "bad", "should have been renewed", "systemctl start renew-bikebox"),
        (91, "bad", "run out", "bikebox studio claim --box NAME"),
    ],
)
def test_a_certificate_is_told_with_its_end_and_what_to_do_near_it(
    certified, days, state, seen, remedy
):
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)
    found = upkeep.look_at_certificate(certified, now)
    assert (found.state, seen in found.seen, remedy in found.remedy) == (state, True, True), found


def test_a_certificate_of_another_box_or_that_is_none_or_is_missing_is_told(certified, tmp_path):
    now = datetime(2026, 1, 10, tzinfo=UTC)
    other = msgspec.structs.replace(certified, box="bike2")
    assert "but this box is bike2" in upkeep.look_at_certificate(other, now).seen
    (tmp_path / "cert.pem").write_text("no")
    assert "not a certificate" in upkeep.look_at_certificate(certified, now).seen
    (tmp_path / "cert.pem").unlink()
    assert upkeep.look_at_certificate(certified, now).state == "unused"
    named = msgspec.structs.replace(certified, mqtt=Mqtt(url="mqtts://b", cert_file="/x"))
    assert upkeep.look_at_certificate(named, now).state == "bad"


@pytest.fixture
def card(root):
    """Lay out a machine whose card is mounted with these options."""

    def lay_out(options, errors=0, swap=""):
        lay(root, "proc/mounts", f"/dev/mmcblk0p2 / ext4 {options} 0 0\ntmpfs /run tmpfs rw 0 0\n")
        lay(root, "proc/swaps", f"Filename Type Size Used Priority\n{swap}\n")
        lay(root, "sys/fs/ext4/mmcblk0p2/errors_count", f"{errors}\n")
        lay(root, "sys/fs/ext4/mmcblk0p2/session_write_kbytes", "12345\n")
        return upkeep.look_at_card(root, Path("/var/lib/bikebox"))

    return lay_out


def test_a_card_that_is_sound_and_spared_tells_what_was_written(card):
    sound = Finding("card", "ok", "mmcblk0p2, ext4, 12 MB written since it was mounted")
    assert card("rw,noatime") == sound
    assert card("rw,noatime", swap="/dev/zram0 partition 1 0 100") == sound


@pytest.mark.parametrize(
    ("more", "seen"),
    [
        ({"options": "rw,relatime"}, "without noatime"),
        ({"options": "ro,noatime"}, "read-only"),
        ({"options": "rw,noatime,data=writeback"}, "data=writeback"),
        ({"errors": 3}, "3 errors"),
        ({"swap": "/var/swap file 1 0 -2"}, "swap on it, /var/swap"),
    ],
)
def test_a_card_that_wears_out_or_has_given_up_is_told(card, more, seen):
    found = card(**{"options": "rw,noatime", **more})
    assert (found.state, seen in found.seen) == ("bad", True), found


def test_what_is_in_memory_or_on_a_partition_of_its_own_is_looked_at_as_such(root):
    lay(root, "proc/mounts", "/dev/a / ext4 rw,relatime 0 0\n/dev/b /var ext4 rw,noatime 0 0\n")
    assert upkeep.look_at_card(root, Path("/var/lib/bikebox")).state == "ok"
    lay(root, "proc/mounts", "overlay / overlay rw 0 0\n")
    found = upkeep.look_at_card(root, Path("/var/lib/bikebox"))
    assert found == Finding("card", "unused", "/var/lib/bikebox is on overlay")


# what runs ---------------------------------------------------------------------------------------


def test_vision_that_sees_tells_how_fast(tmp_path):
    settings = box(tmp_path)
    state = CameraState(t_s=0.0, ok=True, model="full", fps=29.6, p95_ms=58)
    with telling(settings.vision_socket, state):
        found = services.look_at_vision(settings)
    assert found == Finding("vision", "ok", "full, 30 poses/s, p95 58 ms")


def test_vision_without_a_camera_says_why(tmp_path):
    settings = box(tmp_path)
    with telling(settings.vision_socket, CameraState(t_s=0.0, ok=False, why="camera unplugged")):
        found = services.look_at_vision(settings)
    assert (found.state, found.seen) == ("bad", "camera unplugged")


def test_a_crank_that_gives_no_pulses_is_the_rides_finding(tmp_path):
    settings = box(tmp_path)
    with telling(settings.ride_socket, Hud(t_s=0.0, phase="waiting", crank="lost")):
        found = services.look_at_ride(settings)
    assert found.state == "bad"
    assert "turn the crank" in found.remedy


def test_a_ride_that_lives_tells_the_cadence(tmp_path):
    settings = box(tmp_path)
    with telling(settings.ride_socket, Hud(t_s=0.0, phase="riding", cadence_rpm=88.4)):
        found = services.look_at_ride(settings)
    assert found == Finding("ride", "ok", "riding, 88 rpm, camera ok")


def test_a_service_that_is_down_and_one_that_is_silent(tmp_path):
    settings = box(tmp_path)
    assert "journalctl -u bikebox-vision" in services.look_at_vision(settings).remedy
    with telling(settings.ride_socket):
        assert services.look_at_ride(settings).seen.endswith("no word of the ride")


def asked(tmp_path, answer, **sections):
    with health(json.dumps(answer).encode() if isinstance(answer, dict) else answer) as port:
        return list(services.look_at_gateway(box(tmp_path, gateway=Gateway(port=port), **sections)))


HEALTH = {"parts": {"ride": "ok"}, "unsynced": 3, "oldest_age_s": 5.0, "last_confirmed_utc": None}


def test_the_gateway_speaks_for_its_parts(tmp_path):
    found, _ = asked(tmp_path, HEALTH)
    assert found == Finding("gateway", "ok", "all parts well")
    found, _ = asked(tmp_path, HEALTH | {"parts": {"ride": "ok", "broker": "no route"}})
    assert (found.state, found.seen) == ("bad", "broker: no route")


def test_rides_that_wait_for_hours_are_told_and_those_of_the_moment_are_not(tmp_path):
    at = Mqtt(url="mqtt://broker")
    _, found = asked(tmp_path, HEALTH)
    assert found == Finding("sync", "unused", "no broker: 3 records are kept here")
    _, found = asked(tmp_path, HEALTH | {"last_confirmed_utc": "2026-11-25T10:00:00Z"}, mqtt=at)
    seen = "3 records still to be confirmed, the last 2026-11-25T10:00 UTC"
    assert found == Finding("sync", "ok", seen)
    _, found = asked(tmp_path, HEALTH | {"oldest_age_s": 7200.0}, mqtt=at)
    assert (found.state, found.seen) == ("bad", "3 records wait, the oldest for 2 h")


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", b'{"parts": 1, "unsynced": 0}'])
def test_something_else_at_the_gateways_port_is_not_taken_for_it(answer, tmp_path):
    (found,) = asked(tmp_path, answer)
    assert found.state == "bad"
    assert "not a health" in found.seen


def test_a_gateway_that_is_down_is_named(tmp_path):
    with nobody() as port:
        (found,) = services.look_at_gateway(box(tmp_path, gateway=Gateway(port=port)))
    assert "connection refused" in found.seen


def test_a_machine_without_systemd_is_not_blamed(root):
    assert services.look_at_unit("ride", root).state == "unused"


# what is elsewhere -------------------------------------------------------------------------------


def test_a_broker_that_answers_and_one_that_does_not(tmp_path):
    assert network.look_at_broker(box(tmp_path)).state == "unused"
    with socket.create_server(("127.0.0.1", 0)) as broker:
        url = f"mqtt://127.0.0.1:{broker.getsockname()[1]}"
        assert network.look_at_broker(box(tmp_path, mqtt=Mqtt(url=url))).state == "ok"
    with nobody() as port:
        url = f"mqtt://127.0.0.1:{port}"
        found = network.look_at_broker(box(tmp_path, mqtt=Mqtt(url=url)))
    assert "connection refused" in found.seen
    assert "[mqtt] url" in found.remedy


def test_a_class_server_that_speaks_no_tls_is_named(tmp_path):
    with health(b"") as port:
        url = f"https://127.0.0.1:{port}/whep"
        found = network.look_at_class(box(tmp_path, player=Player(whep_url=url)))
    assert found.state == "bad"
    assert "whep_ca_file" in found.remedy


@pytest.mark.parametrize("url", ["here", "mqtt://", "ftp://host", "mqtt://host:99999"])
def test_an_address_that_is_none_is_quoted(url, tmp_path):
    found = network.look_at_broker(box(tmp_path, mqtt=Mqtt(url=url)))
    assert found.state == "bad"
    assert f'"{url}"' in found.seen


def test_a_certificate_authority_that_is_not_there_is_no_crash(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as broker:
        url = f"mqtts://127.0.0.1:{broker.getsockname()[1]}"
        settings = box(tmp_path, mqtt=Mqtt(url=url, ca_file=str(tmp_path / "none.pem")))
        assert "no such file" in network.look_at_broker(settings).seen
