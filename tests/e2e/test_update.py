"""One box and its updater: installed, updated, put back, put off; told in words and exit codes."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from boxes import run, until
from fake_release import new_key
from updates import (
    UPDATE,
    bring,
    install,
    served,
    settled,
    shorten_probation,
    status,
    update,
    whole,
)

pytestmark = pytest.mark.boxes(1)


@pytest.fixture
def box(updatable):
    return updatable.boxes[0]


@pytest.fixture
def old(box, foundry):
    """A box on which release 1.0.0 has proved itself."""
    said = install(box, foundry.make("1.0.0", 10))
    assert said.code == 0, said.words
    return box


def test_the_first_release_comes_onto_an_empty_box_and_the_next_one_after_it(old, foundry):
    told = status(old)
    assert (told["version"], told["state"], told["previous"]) == ("1.0.0", "probation", None)
    said = install(old, foundry.make("1.1.0", 11))
    assert said.code == 0, said.words
    told = status(old)
    assert (told["version"], told["serial"], told["state"]) == ("1.1.0", 11, "probation")
    assert served(old) == "1.1.0"
    whole(old)
    again = install(old, foundry.make("1.1.0", 11))
    assert (again.code, "installed already" in again.words) == (0, True)
    audit = [
        json.loads(line)
        for line in old.sh("cat /var/lib/bikebox-update/audit.jsonl").split("\n")
        if line
    ]
    assert {entry["who"] for entry in audit} == {"Ada"}


def test_a_first_release_that_does_not_start_leaves_a_box_without_one(box, foundry):
    said = install(box, foundry.make("1.0.0", 10, "crash"))
    assert said.code == 1
    assert "bikebox-ride died" in said.words
    told = status(box)
    assert (told["version"], told["state"]) == (None, "idle")
    assert install(box, foundry.make("1.0.1", 11)).code == 0
    assert served(box) == "1.0.1"


WORSE = {
    "crash": "bikebox-ride died",
    "unready": "bikebox-ride",
    "503": "it answers 503",
    "camera": "camera worked before, and now: lost: no picture",
    "untested": "apt install libnothing1",
}
"""What a release does, and the reason that a person reads."""
LATER = {"hang": ("died",), "leak": ("of its 62 MB", "died")}
"""A hang shows only after the gate, a leak at it or after it; a kernel that counts kills it."""


def each(boxes, does, modes):
    """Let the boxes go through the modes, all boxes at once."""

    def one_box(number):
        for mode in list(modes)[number :: len(boxes)]:
            does(boxes[number], mode)

    with ThreadPoolExecutor(len(boxes)) as pool:
        list(pool.map(one_box, range(len(boxes))))


@pytest.mark.boxes(4)
def test_a_release_that_is_worse_is_put_back_with_the_reason_and_not_tried_again(
    updatable, foundry
):
    first = foundry.make("1.0.0", 10)
    bundles = {m: foundry.make(f"2.{n}.0", 20 + n, m) for n, m in enumerate((*WORSE, *LATER))}

    def at_once(box, mode):
        said = install(box, bundles[mode])
        assert said.code == 1, (mode, said.words)
        assert WORSE[mode] in said.words
        told = settled(box)
        assert told["version"] == "1.0.0", (mode, told)
        assert WORSE[mode] in told["why"]
        whole(box)
        again = install(box, bundles[mode])
        assert again.code == 1, (mode, again.words)
        if mode != "untested":
            assert "put back before" in again.words
            assert told["bad"][-1]["version"] == bundles[mode].name.split("-")[1]

    def on_probation(box, mode):
        said = install(box, bundles[mode])
        assert said.code in (0, 1), (mode, said.words)
        until(lambda: status(box)["version"] == "1.0.0", 120, f"{mode}: put back")
        told = settled(box)
        assert any(why in told["why"] for why in LATER[mode]), (mode, told)
        assert told["bad"][-1]["version"] == bundles[mode].name.split("-")[1]

    def through(box, mode):
        (at_once if mode in WORSE else on_probation)(box, mode)

    each(updatable.boxes, install, [first] * 4)
    each(updatable.boxes, through, [*LATER, *WORSE])


def test_what_must_not_come_onto_a_box_does_not(old, foundry, tmp_path):
    good = foundry.make("1.1.0", 11)
    whole_bytes = good.read_bytes()
    tampered, short, stranger = (
        tmp_path / f"{n}.bundle" for n in ("tampered", "short", "stranger")
    )
    middle = len(whole_bytes) // 2
    changed = bytes([whole_bytes[middle] ^ 1])
    tampered.write_bytes(whole_bytes[:middle] + changed + whole_bytes[middle + 1 :])
    short.write_bytes(whole_bytes[: len(whole_bytes) // 2])
    foundry.make("1.1.1", 11, key=new_key(tmp_path / "other")).rename(stranger)
    refused = {
        tampered: "tampered",
        short: "cut short",
        stranger: "a key that this box does not know",
        foundry.make("0.9.0", 9): "a downgrade",
        foundry.make("1.2.0", 12, arch="aarch64"): "it is for aarch64",
        foundry.make("1.2.1", 12, python="3.13"): "this box is x86_64 with Python 3.11",
        foundry.make("1.2.2", 12, expires="2026-01-01T00:00:00+00:00"): "it expired on 2026-01-01",
    }
    for bundle, why in refused.items():
        said = install(old, bundle)
        assert (said.code, why in said.words) == (1, True), said.words
    assert update(old, "install", "/nowhere.bundle").code == 1
    assert update(old, "instal").code == 2
    assert status(old)["version"] == served(old) == "1.0.0"
    forced = install(old, foundry.make("0.9.0", 9), "--force")
    assert (forced.code, served(old)) == (0, "0.9.0")


def test_nothing_is_switched_while_somebody_rides(old, foundry):
    old.run("touch", "/run/riding")
    new = foundry.make("1.1.0", 11)
    said = install(old, new)
    assert (said.code, "somebody rides" in said.words) == (3, True)
    assert status(old)["riding"]
    assert update(old, "rollback").code in (1, 3)
    assert served(old) == "1.0.0"
    old.run("rm", "/run/riding")
    assert install(old, new).code == 0


def test_an_update_outlives_the_session_that_began_it(updatable, old, foundry):
    there = bring(old, foundry.make("1.1.0", 11))
    session = subprocess.Popen([*updatable.ssh_words(old), f"sudo {UPDATE} install {there}"])
    until(lambda: status(old)["step"] in ("flipped", "restarted"), 60, "the switch")
    session.kill()
    session.wait()
    assert settled(old)["version"] == "1.1.0"
    assert status(old)["state"] == "probation"
    assert (
        json.loads(old.sh("tail -n 1 /var/lib/bikebox-update/audit.jsonl"))["who"] == "technician"
    )


def test_a_release_that_the_card_has_lost_is_left_at_boot_for_the_one_before(old, foundry):
    assert install(old, foundry.make("1.1.0", 11)).code == 0
    old.sh("find /opt/bikebox/releases/1.1.0 -type f -exec truncate -s 0 {} +")
    old.cut()
    old.start()
    old.wait_up()
    told = settled(old)
    assert told["version"] == served(old) == "1.0.0"
    assert "pointed to no complete release" in told["why"]


def test_going_back_keeps_what_was_stored_since_and_a_copy_from_before(old, foundry):
    assert install(old, foundry.make("1.1.0", 11, "schema")).code == 0
    said = update(old, "rollback", "--by", "Ada")
    assert said.code == 0, said.words
    assert settled(old)["version"] == "1.0.0"
    assert "rolled back by Ada" in status(old)["why"]
    reads = (
        "import sqlite3; db = sqlite3.connect('/var/lib/bikebox/gateway/gateway.db');"
        "print(db.execute('select by from ride').fetchall())"
    )
    rides = old.run("python3", "-c", reads).stdout
    assert "1.1.0" in rides
    assert rides.count("1.0.0") >= 2
    assert "1.0.0-before-1.1.0.db" in old.sh("ls /var/lib/bikebox-update/snapshots")


def test_a_release_is_kept_after_its_probation_and_the_one_before_stays_as_the_way_back(
    old, foundry
):
    shorten_probation(old)
    until(lambda: status(old)["state"] == "idle", 40, "1.0.0 kept")
    assert install(old, foundry.make("1.1.0", 11)).code == 0
    until(lambda: status(old)["state"] == "idle", 40, "1.1.0 kept")
    told = status(old)
    assert (told["version"], told["previous"], told["why"]) == ("1.1.0", "1.0.0", "")
    assert update(old, "rollback", "--by", "Ada").code == 0
    assert settled(old)["version"] == "1.0.0"


def test_the_minisign_of_debian_agrees_about_a_signature(foundry, tmp_path):
    bundle = foundry.make("1.0.0", 10)
    run(["tar", "-C", str(tmp_path), "-xf", str(bundle)])
    words = ["minisign", "-V", "-p", str(foundry.key.with_suffix(".pub"))]
    said = run([*words, "-m", str(tmp_path / "manifest.json")]).stdout
    assert "bikebox 1.0.0 serial 10 x86_64 python 3.11" in said
