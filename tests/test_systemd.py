"""The units as systemd reads them: what each service may touch, and nothing else."""

import configparser
import gzip
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware_app.settings import Settings
from gateway.commands.access import ON_A_BIKE
from gateway.commands.provision import CREDENTIALS
from gateway.studio.settings import GymSettings

UNITS = Path(__file__).parents[1] / "systemd"
SERVICES = ("vision", "ride", "player", "gateway", "studio")
MOST_EXPOSED = {"vision": 0.7, "ride": 0.7, "player": 1.6, "gateway": 1.0, "studio": 1.0}
"""systemd's own score; 9.6 is a unit that forbids nothing."""


@pytest.fixture
def folder(tmp_path):
    """The units as installed, with a program that is there."""
    folder = tmp_path / "units"
    shutil.copytree(UNITS, folder)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/bikebox/current/bin/bikebox", "/bin/true"))
    return folder


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Every KEY=VALUE of a unit and of what all units share; a key may come more than once."""
    texts = (UNITS / "bikebox-.service.d" / "closed.conf").read_text() + unit.read_text()
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^([A-Za-z]+)=(.*)$", texts, re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def unit(service: str) -> Path:
    return UNITS / f"bikebox-{service}.service"


def test_systemd_has_nothing_to_say_against_the_units(folder):
    names = [*(f"bikebox-{service}.service" for service in SERVICES), "bikebox.target"]
    names += ["renew-bikebox.service", "renew-bikebox.timer", "broker-bikebox.path"]
    names += ["log-bikebox.service", "log-bikebox.timer"]
    names += ["welcome-bikebox.service", "welcome-bikebox.timer"]
    names += ["broker-bikebox.service"]
    seen = subprocess.run(
        ["systemd-analyze", "verify", *(folder / name for name in names)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (seen.stdout + seen.stderr, seen.returncode) == ("", 0)


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_is_more_exposed_than_it_was(service, folder):
    seen = subprocess.run(
        [
            "systemd-analyze", "security", "--offline=true", "--no-pager",
            folder / f"bikebox-{service}.service",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    exposure = float(re.search(r"exposure level for .*: ([\d.]+)", seen.stdout).group(1))
    assert exposure <= MOST_EXPOSED[service]


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_is_watched_and_comes_back_by_itself(service):
    said = settings_of(unit(service))
    assert said["Type"] == ["notify"]
    assert 10 <= int(said["WatchdogSec"][0]) <= 60
    assert said["Restart"] == ["always"]
    assert said["StartLimitIntervalSec"] == ["0"]
    assert said["RestartPreventExitStatus"] == ["78"]
    program, name, *_ = said["ExecStart"][0].split()
    assert (program, name) == ("/opt/bikebox/current/bin/bikebox", service)
    assert said["User"] == [f"bikebox-{service}"]


@pytest.mark.parametrize("service", ["vision", "ride"])
def test_who_sees_the_rider_has_no_network(service):
    said = settings_of(unit(service))
    assert said["PrivateNetwork"] == ["yes"]
    assert said["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert said["IPAddressDeny"] == ["any"]


def test_vision_has_nowhere_to_keep_a_picture():
    said = settings_of(unit("vision"))
    assert said["ProtectSystem"] == ["strict"]
    assert said["ReadWritePaths"] == ["/run/bikebox"]
    assert not said.keys() & {"StateDirectory", "CacheDirectory", "LogsDirectory"}


def test_each_service_opens_only_its_own_devices():
    opened = {
        service: sorted(d.split()[0] for d in settings_of(unit(service)).get("DeviceAllow", []))
        for service in SERVICES
    }
    assert opened == {
        "vision": ["char-video4linux"],
        "ride": ["char-gpiochip"],
        "player": ["char-alsa", "char-drm", "char-input"],
        "gateway": [],
        "studio": [],
    }


@pytest.mark.parametrize("service", SERVICES)
def test_no_unit_hides_the_processor_from_the_pose_model(service):
    assert "ProcSubset" not in settings_of(unit(service))


def test_the_target_starts_all_that_a_bike_needs():
    target = configparser.ConfigParser(interpolation=None)
    target.read(UNITS / "bikebox.target")
    wanted = target["Unit"]["Wants"].split()
    services = [f"bikebox-{name}.service" for name in SERVICES if name != "studio"]
    assert wanted == [
        *services,
        "welcome-bikebox.timer",
        "renew-bikebox.timer",
        "log-bikebox.timer",
    ]
    for name in SERVICES:
        moves_with_it = settings_of(unit(name)).get("PartOf") == ["bikebox.target"]
        assert moves_with_it == (name != "studio")


def test_every_service_finds_its_user_and_the_sockets_folder(tmp_path):
    (tmp_path / "etc").mkdir()
    for program, file in (("sysusers", "sysusers.conf"), ("tmpfiles", "tmpfiles.conf")):
        create = ["--create"] if program == "tmpfiles" else []
        said = subprocess.run(
            [f"systemd-{program}", f"--root={tmp_path}", *create, UNITS / file],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert said.returncode == 0, said.stderr
    users = {line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    groups = {line.split(":")[0] for line in (tmp_path / "etc/group").read_text().splitlines()}
    assert users == {f"bikebox-{service}" for service in SERVICES}
    needed = {"bikebox"}
    for service in SERVICES:
        needed.update(*map(str.split, settings_of(unit(service)).get("SupplementaryGroups", [])))
    assert needed <= groups
    sockets = tmp_path / "run/bikebox"
    assert oct(sockets.stat().st_mode & 0o7777) == oct(0o3770)


def test_the_camera_has_a_name_that_outlives_being_unplugged():
    rules = (UNITS / "70-bikebox.rules").read_text()
    camera = next(line for line in rules.splitlines() if "video4linux" in line)
    assert 'SYMLINK+="bikebox/camera"' in camera
    assert 'ATTR{index}=="0"' in camera


def test_keys_come_to_the_gateway_from_where_provisioning_puts_them():
    loaded = settings_of(unit("gateway"))["LoadCredential"]
    assert f"mqtt-key:{Settings(box='b').identity.folder}/key.pem" in loaded
    assert CREDENTIALS == "/run/credentials/bikebox-gateway.service"
    assert f"access:{ON_A_BIKE}" in loaded


def test_the_certificate_is_looked_at_every_day_and_the_broker_told_when_the_studio_writes():
    renew = (UNITS / "renew-bikebox.service").read_text()
    assert "ExecStart=/opt/bikebox/current/bin/bikebox provision --renew\n" in renew
    assert "OnCalendar=daily\n" in (UNITS / "renew-bikebox.timer").read_text()
    written = f"{GymSettings().broker_folder}/changed"
    assert f"PathChanged={written}\n" in (UNITS / "broker-bikebox.path").read_text()


def test_the_end_of_the_log_is_kept_packed_and_bounded(tmp_path):
    program = (UNITS / "keep-log").read_text()
    boot = "0123456789abcdef0123456789abcdef"
    said = f'case "$*" in *export*) echo _BOOT_ID={boot};; *_BOOT_ID={boot}) seq 100;; esac'
    (tmp_path / "journalctl").write_text(f"#!/bin/sh\n{said}\n")
    (tmp_path / "journalctl").chmod(0o755)
    kept = tmp_path / "kept"
    kept.mkdir()
    for n in range(8):
        (kept / f"start-{n}.log.gz").write_bytes(b"older")
        os.utime(kept / f"start-{n}.log.gz", (n, n))
    for _ in range(2):
        subprocess.run(
            ["sh", "-c", program], check=True,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "LOGS_DIRECTORY": str(kept)},
        )  # fmt: skip
    names = sorted(path.name for path in kept.glob("*.log.gz"))
    assert len(names) == 5
    assert {"start-7.log.gz", f"{boot}.log.gz"} <= set(names)
    assert gzip.decompress((kept / f"{boot}.log.gz").read_bytes()).endswith(b"100\n")
    assert "Storage=volatile" in (UNITS / "journald.conf").read_text()
