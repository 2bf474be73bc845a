"""A technician at a laptop: stock boxes become bikes, a row is updated, a bad one is stopped."""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from fake_release import Foundry

from gateway.updater.detached import UNIT

MINISIGN = 1
"""The line of a public key's file that is the key."""


class Fleet:
    """A row of boxes, the fleet.toml that names them, and a laptop to type at."""

    def __init__(self, row, foundry: Foundry, folder: Path) -> None:
        self.row, self.foundry = row, foundry
        self.file = folder / "fleet.toml"
        public = row.key.with_suffix(".pub").read_text().strip()
        key = foundry.key.with_suffix(".pub").read_text().splitlines()[MINISIGN]
        lines = [
            f'{box.name} = {{ address = "{box.ip}", groups = [{CANARY if n == 0 else ""}] }}'
            for n, box in enumerate(row.boxes)
        ]
        self.file.write_text(
            f'[technicians]\nada = "{public}"\n[release_keys]\npresent = "{key}"\n'
            "[rollout]\nwaves = ['1', 'rest']\nsoak_s = 0\n"
            "[gyms.north]\ntitle = 'North'\n[gyms.north.bikes]\n" + "\n".join(lines) + "\n"
        )

    def type(self, *words, user="ada", check=True, timeout=300.0):
        """Type bikebox fleet ... as somebody; return exit code and what was said."""
        done = self.row.laptop(
            "bikebox", "fleet", "--fleet", str(self.file), "--as", user,
            "--key", str(self.row.key), *map(str, words), check=False, timeout=timeout,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def provision(self, box, bundle=None, **more):
        """Make a stock box a bike, as whoever made the card's first account."""
        words = ["provision", "--on", box.name, "--yes"]
        words += ["--bundle", bundle] if bundle else []
        new = f'{box.name} = {{ address = "{box.ip}", groups' in self.file.read_text()
        words += ["--host-key", self.fingerprint(box)] if new else []
        return self.type(*words, user="technician", **more)

    def fingerprint(self, box):
        """What ssh shows of a box's host key."""
        key = str(box.upper / "etc/ssh/ssh_host_ed25519_key.pub")
        return self.row.laptop("ssh-keygen", "-lf", key).stdout.split()[1]

    def ready(self, bundle):
        """Make all boxes bikes that run a release, several at once."""
        text = self.file.read_text()
        for box in self.row.boxes:
            known = f'address = "{box.ip}", host_key = "{self.fingerprint(box)}", groups'
            text = text.replace(f'address = "{box.ip}", groups', known)
        self.file.write_text(text)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.provision, self.row.boxes))
        said = self.type("update", bundle, "--yes").stdout
        assert set(self.versions()) == {bundle.name.split("-")[1]}, said

    def status(self):
        """What the boxes' updaters say."""
        told = json.loads(self.type("status", "--json", check=False).stdout)
        return {name: seen["update"] for name, seen in told.items()}

    def versions(self):
        return [told["version"] for told in self.status().values()]


CANARY = '"canary"'
OUTAGE = """
import time, urllib.request
from pathlib import Path
while True:
    try:
        port = Path("/run/bikebox/gateway.port").read_text()
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).read()
        print(time.time(), "yes", flush=True)
    except OSError:
        print(time.time(), "no", flush=True)
    time.sleep(0.05)
"""
"""Asks the console twenty times a second."""


def longest_outage_s(lines: str) -> float:
    """Seconds between the last answer before and the first after the longest silence."""
    said = [line.split() for line in lines.splitlines()]
    answers = [float(t) for t, answered in said if answered == "yes"]
    return max(b - a for a, b in pairwise(answers))


@pytest.fixture
def fleet(row, foundry, tmp_path):
    return Fleet(row, foundry, tmp_path)


@pytest.mark.boxes(1)
def test_a_stock_box_becomes_a_bike_and_the_second_time_there_is_nothing_to_do(fleet):
    box = fleet.row.boxes[0]
    said = fleet.provision(box, fleet.foundry.make("1.0.0", 1)).stdout
    assert "let ada in" in said
    assert "install the updater" in said
    assert "host_key" in fleet.file.read_text()
    assert fleet.versions() == ["1.0.0"], said
    assert box.sh("cat /etc/bikebox/bikebox.toml") == (
        "# Written by `bikebox fleet provision`; change fleet.toml and provision again.\n"
        f'gym = "North"\nbox = "{box.name}"\n'
    )
    again = fleet.type("provision", "--on", box.name, "--dry-run", user="technician").stdout
    assert "nothing: it is as it shall be" in again


@pytest.mark.boxes(1)
def test_a_technician_may_do_what_is_theirs_and_no_more(fleet):
    box = fleet.row.boxes[0]
    fleet.provision(box, fleet.foundry.make("1.0.0", 1))
    for may_not in ("cat /etc/shadow", "bash", "/usr/local/bin/bikebox-update set-up"):
        done = fleet.type("run", "--on", box.name, "--sudo", "--", may_not, check=False)
        assert done.returncode == 1, may_not
    assert "Fake ride" in fleet.type("logs", "--on", box.name, "--since", "today").stdout
    fleet.file.write_text(fleet.file.read_text().replace("ada =", "grace ="))
    assert "let ada in no longer" in fleet.provision(box).stdout
    assert "refused" in fleet.type("status", check=False).stdout
    assert fleet.type("status", user="grace").returncode == 0


@pytest.mark.boxes(8)
def test_eight_boxes_are_updated_in_less_than_a_minute_and_each_is_away_for_three_seconds(fleet):
    boxes = fleet.row.boxes
    fleet.ready(fleet.foundry.make("1.0.0", 1))
    for box in boxes:
        to = "--property=StandardOutput=file:/run/outage"
        box.run("systemd-run", "--unit=outage", to, "/usr/bin/python3", "-c", OUTAGE)
    begun_s = time.monotonic()
    said = fleet.type("update", fleet.foundry.make("1.1.0", 2, ballast_kb=8000), "--yes")
    took_s = time.monotonic() - begun_s
    assert fleet.versions() == ["1.1.0"] * 8, said.stdout
    outages_s = [longest_outage_s(box.sh("cat /run/outage")) for box in boxes]
    sys.stdout.write(f"8 boxes in {took_s:.1f} s, away for {sorted(outages_s)} s\n")
    assert took_s < 60
    assert max(outages_s) <= 3
    audit = boxes[3].sh("cat /var/lib/bikebox-update/audit.jsonl")
    assert "ada" in audit
    again = fleet.type("update", fleet.foundry.make("1.1.0", 2, ballast_kb=8000), "--yes").stdout
    assert "8 done" in again


@pytest.mark.boxes(4)
def test_a_bad_release_goes_back_at_the_canary_and_reaches_nobody_else(fleet):
    fleet.ready(fleet.foundry.make("1.0.0", 1))
    for serial, mode in enumerate(("crash", "unready", "503", "camera", "leak", "hang"), 2):
        bad = fleet.foundry.make(f"1.{serial}.0", serial, mode)
        # a hang shows after the gate only: the canary is watched until it does
        done = fleet.type("update", bad, "--yes", "--soak", "200", check=False)
        said = f"{mode}: {done.stdout}{done.stderr}"
        assert done.returncode == 1, said
        assert f"Stopped: {fleet.row.boxes[0].name} failed: " in done.stdout, said
        assert "3 waits" in done.stdout, said
        assert fleet.versions() == ["1.0.0"] * 4, said
    untouched = fleet.row.boxes[1].sh("cat /var/lib/bikebox-update/audit.jsonl")
    assert untouched.count("update-begun") == 1


@pytest.mark.boxes(2)
def test_an_update_whose_line_is_cut_finishes_and_a_ride_is_not_disturbed(fleet):
    first, second = fleet.row.boxes
    fleet.ready(fleet.foundry.make("1.0.0", 1))
    second.run("touch", "/run/riding")

    over = threading.Event()
    cuts = []

    def cut():
        """Kill every line from the moment the update runs in its own unit; ever again."""
        script = f"systemctl is-active -q {UNIT} && pkill -KILL -f 'sshd: [a]da'"
        while not over.wait(0.3):
            cuts.append(first.sh(script + " && echo cut || true"))

    cutter = threading.Thread(target=cut)
    cutter.start()
    done = fleet.type("update", fleet.foundry.make("1.1.0", 2), "--yes", check=False)
    over.set()
    cutter.join()
    assert "cut\n" in cuts
    assert done.returncode == 3, done.stdout + done.stderr
    assert fleet.versions() == ["1.1.0", "1.0.0"]
    assert "somebody rides" in done.stdout
    second.run("rm", "/run/riding")
    resume = done.stdout[done.stdout.index("--resume") :].split()[1]
    fleet.type("update", fleet.foundry.make("1.1.0", 2), "--yes", "--resume", resume)
    assert fleet.versions() == ["1.1.0", "1.1.0"]
