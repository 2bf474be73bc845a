"""A stock card becomes a bike: a pure plan, its shell run, fleet.toml written with care."""

import base64
import contextlib
import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from firmware_app.errors import BadInput, BadSetting
from firmware_app.settings import read_settings
from firmware_app.wire import Hud, encode
from gateway.busy import update_at_work
from gateway.fleet.box_plan import (
    BUSY,
    WORKSHOP,
    BoxFacts,
    File,
    guarded,
    mark,
    plan_box,
    put,
    settings_text,
    why_not,
    write_toml,
)
from gateway.fleet.inventory import read_inventory
from gateway.fleet.pinning import with_host_key
from gateway.fleet.spare_fstab import spared
from gateway.fleet.wanted import debian_packages, wanted

ROOT = Path(__file__).parents[1]
LOOK = ROOT / "gateway/fleet/look_on_box.py"
FLEET = """
[technicians]
sagar = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFuoAg3H7pXb2Io1nY0tJZ7m2Tq0dP1o1mE8n0l0QhXk sagar"
[release_keys]
present = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
[gyms.north]
title = "Gym North"
credentials = "secrets"
settings = { mqtt = { url = "mqtt://north:1883" } }
[gyms.north.bikes]
# the row by the door
n1 = { address = "10.0.0.1", groups = ["canary"] }   # the canary
n2 = { address = "10.0.0.2" }
"""
STOCK = BoxFacts(
    system="Debian GNU/Linux 12 (bookworm)", codename="bookworm", machine="aarch64",
    python="3.11", hostname="raspberrypi", packages=("python3",),
    fstab="proc /proc proc defaults 0 0\nPARTUUID=1-02 / ext4 defaults,relatime 0 1\n",
    swap_file=True,
)  # fmt: skip


@pytest.fixture
def fleet(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/whep-token").write_text("a secret")
    file = tmp_path / "fleet.toml"
    file.write_text(FLEET)
    return file


def wants(file, name="n1"):
    inventory = read_inventory(file.read_text())
    return wanted(inventory.bikes[name], inventory, file)


def as_wanted(wants, facts=STOCK):
    """The facts of a box on which every step has been done."""
    return msgspec.structs.replace(
        facts,
        hostname=wants.name,
        packages=wants.packages,
        files={file.path: file.digest for file in wants.files},
        technicians=wants.technicians,
        updater=f"bikebox-updater-{wants.updater_fingerprint}",
        inbox="2770 bikebox-technician",
        settings=settings_text(facts, wants),
        fstab=spared(facts.fstab),
        swap_file=False,
    )


def words(steps):
    return [step.words for step in steps]


def test_a_stock_card_needs_every_step_in_a_technicians_order(fleet):
    steps = words(plan_box(STOCK, wants(fleet)))
    assert steps[0].startswith("install Debian's espeak-ng fonts-inter")
    assert steps[1:] == [
        "call it n1",
        "let sagar in",
        "write /etc/sudoers.d/50-bikebox",
        "write /etc/ssh/sshd_config.d/50-bikebox.conf",
        "write /etc/bikebox/release-keys/present.pub",
        "write /etc/bikebox/credentials/whep-token",
        "install the updater",
        "let technicians send releases",
        "mount the card noatime",
        "no swap file on the card",
        "write /etc/bikebox/bikebox.toml",
    ]


def test_a_box_that_is_as_it_shall_be_needs_no_step(fleet):
    assert plan_box(as_wanted(wants(fleet)), wants(fleet)) == []


def test_one_thing_that_changed_is_one_step(fleet):
    there = as_wanted(wants(fleet))
    fleet.write_text(FLEET.replace("mqtt://north:1883", "mqtt://south:1883"))
    assert words(plan_box(there, wants(fleet))) == ["write /etc/bikebox/bikebox.toml"]
    fleet.write_text(FLEET.replace("sagar =", "grace ="))
    assert words(plan_box(there, wants(fleet))) == ["let grace in", "let sagar in no longer"]


def test_another_system_is_told_what_it_should_be():
    assert why_not(STOCK) == ""
    old = msgspec.structs.replace(STOCK, machine="armv7l")
    assert "put the 64-bit Raspberry Pi OS Lite (Bookworm or Trixie) on the card" in why_not(old)


def test_the_settings_are_checked_before_a_box_is_touched(fleet):
    fleet.write_text(FLEET.replace("url =", "ulr ="))
    with pytest.raises(BadSetting, match=r'n1: \[mqtt\] no setting is called "ulr"; did you mean'):
        plan_box(STOCK, wants(fleet))


def test_what_the_boxs_own_identity_wrote_into_its_settings_stays(fleet):
    own = (
        'box = "n1"\nrider = "old"\n[mqtt]\nurl = "mqtts://studio:8883"\nlive = false\n'
        'key_file = "/run/k"\n[identity]\nstudio = "http://studio"\n'
        '[gateway]\naccess_file = "/run/a"\nlan = true\n'
    )
    facts = msgspec.structs.replace(STOCK, settings=own)
    text = settings_text(facts, wants(fleet))
    assert 'key_file = "/run/k"' in text
    assert 'studio = "http://studio"' in text
    assert 'access_file = "/run/a"' in text
    assert "lan" not in text
    assert 'url = "mqtt://north:1883"' in text, "fleet.toml goes before"
    assert "old" not in text
    assert "live" not in text


def test_settings_that_say_the_same_in_another_order_are_left_alone(fleet):
    there = as_wanted(wants(fleet))
    claimed = f'{there.settings}[identity]\nstudio = "http://s"\n'
    claimed = claimed.replace("[mqtt]\n", '[mqtt]\nkey_file = "/run/k"\n')
    assert plan_box(msgspec.structs.replace(there, settings=claimed), wants(fleet)) == []


def test_settings_are_written_so_that_they_are_read_as_they_were():
    told = {"box": "b", "gym": 'The "Gym" \\ é \x7f', "coach": {"target_rpm": [80.0, 95]},
            "gateway": {"port": 1}, "mqtt": {"live": False}}  # fmt: skip
    read = read_settings(write_toml(told))
    assert (read.gym, read.coach.target_rpm) == (told["gym"], (80.0, 95.0))
    assert (read.gateway.port, read.mqtt.live) == (1, False)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LABEL=r / ext4 defaults 0 1\n", "LABEL=r / ext4 defaults,noatime 0 1\n"),
        ("LABEL=r / ext4 defaults,noatime 0 1\n", "LABEL=r / ext4 defaults,noatime 0 1\n"),
        ("a /boot/firmware vfat defaults 0 2\n", "a /boot/firmware vfat defaults 0 2\n"),
        ("# b / ext4 defaults 0 1\n", "# b / ext4 defaults 0 1\n"),
        ("b\t/var\tf2fs\trelatime\t0 1", "b\t/var\tf2fs\tnoatime\t0 1"),
    ],
)
def test_only_the_cards_own_file_systems_get_noatime(before, after):
    assert spared(before) == after


def test_a_file_is_written_by_a_real_shell_as_it_was_meant(tmp_path):
    text = 'it\'s "quoted" $HOME\n\\ and `run`\né\n'
    file = File(str(tmp_path / "a folder/file"), text, 0o600, f"touch '{tmp_path}/then'")
    subprocess.run(["bash", "-eu"], input=put(file), text=True, check=True)
    written = tmp_path / "a folder/file"
    assert written.read_text() == text
    assert oct(written.stat().st_mode & 0o777) == "0o600"
    assert (tmp_path / "then").exists()
    assert list(written.parent.iterdir()) == [written]


@pytest.fixture
def on_box(tmp_path):
    """Let a real shell do a step as if this folder were the box's."""

    def do(step):
        for there in (WORKSHOP, "/run/bikebox", "/var/lib/bikebox-update"):
            step = step.replace(there, f"{tmp_path}/{there.rpartition('/')[2]}")
        done = subprocess.run(
            ["bash", "-s"], input=step, text=True, capture_output=True, check=False
        )
        return done.returncode

    return do


@contextlib.contextmanager
def ride(tmp_path, phase):
    """A ride service that is in this phase."""
    (tmp_path / "bikebox").mkdir()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(tmp_path / "bikebox/ride.sock"))
        door.listen()

        def tell():
            visitor, _ = door.accept()
            with visitor:
                visitor.sendall(b'{"type":"Other"}\n' + encode(Hud(t_s=0.0, phase=phase)))

        teller = threading.Thread(target=tell)
        teller.start()
        yield
        teller.join(5)


@pytest.mark.parametrize(
    ("phase", "code"), [("riding", BUSY), ("paused", BUSY), ("waiting", 0), ("ended", 0)]
)
def test_a_step_waits_for_the_end_of_a_ride(tmp_path, on_box, phase, code):
    with ride(tmp_path, phase):
        assert on_box(guarded(f"touch {tmp_path}/done")) == code
    assert (tmp_path / "done").exists() == (code == 0)


@pytest.mark.parametrize(("gated", "code"), [("false", BUSY), ("true", 0)])
def test_a_step_waits_for_the_gate_of_an_update(tmp_path, on_box, gated, code):
    (tmp_path / "bikebox-update").mkdir()
    state = f'{{"trial": {{"version": "1", "gated": {gated}}}}}'
    (tmp_path / "bikebox-update/state.json").write_text(state)
    assert on_box(guarded(f"touch {tmp_path}/done")) == code
    assert update_at_work(tmp_path / "bikebox-update/state.json") == bool(code)
    assert not update_at_work(tmp_path / "none")


def test_a_step_is_done_where_no_ride_answers_and_tells_when_it_fails(tmp_path, on_box):
    assert on_box(guarded(f"touch {tmp_path}/done")) == 0
    assert (tmp_path / "done").exists()
    assert on_box(guarded("false\ntrue")) == 1


def test_packages_that_are_there_are_not_asked_for_again(on_box, fleet):
    wanted = msgspec.structs.replace(wants(fleet), packages=("bash", "coreutils"))
    step = plan_box(msgspec.structs.replace(STOCK, packages=()), wanted)[0]
    assert step.words == "install Debian's bash coreutils"
    assert on_box(guarded(f"apt-get() {{ exit 9; }}\n{step.script}")) == 0
    other = step.script.replace("bash coreutils", "bash no-such-package")
    assert on_box(guarded(f"apt-get() {{ exit 9; }}\ndpkg() {{ :; }}\n{other}")) == 9


def test_a_raspberry_pi_whose_python_reads_no_pins_gets_what_does(on_box, fleet):
    there = msgspec.structs.replace(as_wanted(wants(fleet)), lacks_pins=True)
    (step,) = plan_box(there, wants(fleet))
    assert step.words == "install Raspberry Pi's python3-lgpio"
    assert on_box(guarded(f"apt-get() {{ exit 9; }}\n{step.script}")) == 0  # this is none
    on_pi = step.script.replace("/proc/device-tree/model", "/proc/self")
    python = on_pi.replace("import lgpio", "import no_such_module")
    assert on_box(guarded(f"apt-get() {{ exit 9; }}\ndpkg() {{ :; }}\n{python}")) == 9


def test_of_a_step_whose_line_is_cut_nothing_is_done(tmp_path, on_box):
    step = guarded(f"touch {tmp_path}/done\nrm -rf {tmp_path}/somewhere/deep")
    (tmp_path / "somewhere").mkdir()
    for end in range(1, len(step) - 2, 7):
        on_box(step[:end])
    assert not (tmp_path / "done").exists()
    assert (tmp_path / "somewhere").exists()


def test_a_file_that_was_put_there_but_not_made_use_of_is_a_step_again(tmp_path, on_box, fleet):
    file = File(str(tmp_path / "sshd.conf"), "text", then="kill -KILL $$")
    on_box(guarded(put(file)))
    assert (tmp_path / "sshd.conf").read_text() == "text"
    assert (tmp_path / "bikebox-provision" / mark(file.path)).exists()
    path = "/etc/ssh/sshd_config.d/50-bikebox.conf"
    there = msgspec.structs.replace(as_wanted(wants(fleet)), unused=("lock", mark(path)))
    assert words(plan_box(there, wants(fleet))) == [f"write {path}"]
    settings = msgspec.structs.replace(there, unused=(mark("/etc/bikebox/bikebox.toml"),))
    assert words(plan_box(settings, wants(fleet))) == ["write /etc/bikebox/bikebox.toml"]


def test_a_file_that_its_own_program_refuses_never_takes_its_place(tmp_path, on_box):
    path = tmp_path / "sudoers"
    path.write_text("good")
    assert on_box(guarded(put(File(str(path), "bad", check=f"grep -q good {path}.new")))) == 1
    assert path.read_text() == "good"


def test_every_step_is_shell(fleet):
    for step in plan_box(STOCK, wants(fleet)):
        subprocess.run(["bash", "-n"], input=step.script, text=True, check=True)


def test_the_updater_is_packed_whole(fleet, tmp_path):
    step = next(s for s in plan_box(STOCK, wants(fleet)) if s.words == "install the updater")
    packed = base64.b64decode(step.script.split("echo ")[1].split(" ")[0])
    subprocess.run(["tar", "-xz", "-C", tmp_path], input=packed, check=True)
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "bikebox-update", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("bikebox-update ")


def test_this_machine_can_be_looked_at():
    asked = json.dumps(
        {"packages": ["bash", "no-such-package"], "files": ["/etc/os-release", "/x"]}
    )
    looked = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", LOOK.read_text()],
        input=asked, capture_output=True, text=True, check=True,
    )  # fmt: skip
    facts = msgspec.json.decode(looked.stdout, type=BoxFacts)
    assert facts.packages == ("bash",)
    assert facts.files["/x"] == ""
    text = Path("/etc/os-release").read_text()
    mode = Path("/etc/os-release").stat().st_mode & 0o7777
    assert facts.files["/etc/os-release"] == File("", text, mode).digest


def test_the_host_key_is_written_on_the_bikes_own_line():
    bike = read_inventory(FLEET).bikes["n1"]
    key = "SHA256:" + "x" * 43
    after = with_host_key(FLEET, bike, key)
    changed = [line for line in after.splitlines() if line not in FLEET.splitlines()]
    assert changed == [
        f'n1 = {{ address = "10.0.0.1", groups = ["canary"], host_key = "{key}" }}   # the canary'
    ]
    assert read_inventory(after).bikes["n1"].host_key == key


@pytest.mark.parametrize(
    "text",
    [
        FLEET.replace("[gyms.north.bikes]", "[gyms.north.'bikes']"),
        FLEET.replace("n1 = { address", "n1.address").replace(', groups = ["canary"] }', ""),
    ],
)  # fmt: skip
def test_a_line_written_in_another_way_is_left_to_the_person(text):
    bike = read_inventory(FLEET).bikes["n1"]
    with pytest.raises((BadInput, BadSetting)):
        with_host_key(text, bike, "SHA256:" + "x" * 43)


def test_what_debian_brings_is_what_the_boxes_of_the_tests_have():
    assert {"python3", "espeak-ng"} <= set(debian_packages())
    for name in debian_packages():
        assert name in (ROOT / "config/setup/debian-box.txt").read_text()


def test_the_sudoers_file_opens_no_shell():
    rules = (ROOT / "config/box/sudoers").read_text()
    allowed = [word.strip(" ,\\") for word in rules.split("\n") if "/" in word and word[0] != "#"]
    assert allowed
    programs = {line.split("=")[-1].split()[0] for line in allowed}
    assert programs <= {
        "/usr/local/bin/bikebox-update", "/opt/bikebox/current/bin/bikebox", "/usr/bin/systemctl",
    }  # fmt: skip
    assert "systemctl *" not in rules
    assert "edit" not in rules
