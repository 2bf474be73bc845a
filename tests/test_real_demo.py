"""A whole bike rides on this machine, as in `make demo`; then its parts are killed in mid-ride."""

import gzip
import json
import signal
import subprocess
import sys
import time
import wave
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from gym_scene import until

from firmware_app.commands.demo import RIDES

ROOT = Path(__file__).parents[1]


def bikebox(*words):
    return [sys.executable, "-m", "firmware_app.cli", *map(str, words)]


def ride(out, seconds, *words):
    return subprocess.Popen(
        bikebox("demo", "--headless", "--seconds", seconds, "--out", out, *words),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process, within_s):
    """Wait for a demo; return its exit code and what it said."""
    try:
        said, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    return process.returncode, said


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """What a ride of the shipped rider leaves: a shrug, then a dropped head."""
    out = tmp_path_factory.mktemp("demo")
    (out / "screen-cue-99.png").touch()  # an earlier demo's
    code, said = ended(ride(out, 62), 110)
    assert code == 0, said
    return out


@pytest.fixture(scope="module")
def summary(left):
    return json.loads((left / "summary.json").read_text())


@pytest.fixture(scope="module")
def label():
    return json.loads(gzip.decompress((RIDES / "front.json.gz").read_bytes()))


def test_the_studio_confirms_the_ride_with_everything_the_contract_names(summary):
    assert summary["confirmed"] is True
    assert set(summary) >= {
        *("ride", "box", "rider", "class", "started_utc", "duration_s", "cadence_mean_rpm"),
        *("confirmed", "faults", "unseen", "cues", "in_position_share"),
    }
    assert summary["rider"] == "Sagar"


def test_its_mean_cadence_is_the_riders(summary, label):
    truth = np.mean([f for f in label["per_frame"]["cadence_rpm"] if f])
    assert summary["cadence_mean_rpm"] == pytest.approx(truth, abs=2)


def test_the_faults_that_were_held_are_in_it(summary, label):
    held = {event["fault"] for event in label["events"] if event["t1"] - event["t0"] > 10}
    assert held - {"nuisance_dark"} <= {fault["rule"] for fault in summary["faults"]}


def test_a_cue_was_spoken_by_name_and_never_two_within_thirty_seconds(summary):
    assert summary["cues"]
    assert summary["cues"][0]["words"].startswith("Sagar, ")
    times = [cue["t_s"] for cue in summary["cues"]]
    assert all(b - a >= 30 for a, b in pairwise(times))


def test_the_speaker_played_a_class(left):
    with wave.open(str(left / "speech.wav")) as file:
        assert file.getframerate() == 48000
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
        seconds = file.getnframes() / 48000
    assert 60 < seconds < 85
    assert np.abs(sound).max() > 3000


def test_pictures_of_the_screen_are_left(left):
    names = {path.name for path in left.glob("screen-*.png")}
    assert "screen-ride.png" in names
    assert any(name.startswith("screen-cue") for name in names)
    assert "screen-end.png" in names
    assert "screen-cue-99.png" not in names


def test_the_journal_rides_again_to_the_same_summary(left, summary, tmp_path):
    again = tmp_path / "again.json"
    done = subprocess.run(
        bikebox("replay", left / "journal.jsonl", "--json", again),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    replayed = json.loads(again.read_text())
    assert (left / "ride.fit").read_bytes()[8:12] == b".FIT"
    assert replayed == {key: summary[key] for key in replayed}


def children(pid):
    """Return the demo's processes by name."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
        if "firmware_app.cli" in words:
            found[words[words.index("firmware_app.cli") + 1]] = int(child)
    return found


VICTIMS = ("vision", "class-server", "player", "broker", "gateway", "studio", "ride")


def test_every_part_may_be_killed_in_mid_ride_and_the_ride_is_whole(tmp_path):
    out = tmp_path / "out"
    demo = ride(out, 55)
    began = {}
    time.sleep(9)
    for victim in VICTIMS:
        began[victim] = children(demo.pid)[victim]
        subprocess.run(["kill", "-9", str(began[victim])], check=True)
        time.sleep(5)
    now = children(demo.pid)
    assert set(now) == set(VICTIMS), "a part did not come back"
    assert all(now[victim] != began[victim] for victim in VICTIMS)
    code, said = ended(demo, 90)
    assert code == 0, said
    summary = json.loads((out / "summary.json").read_text())
    assert summary["confirmed"] is True
    assert summary["duration_s"] > 47
    assert summary["cadence_mean_rpm"] == pytest.approx(77.6, abs=3)
    assert len(list((out / "logs").glob("*.log"))) == len(VICTIMS)


def test_a_demo_that_is_killed_leaves_nobody_behind(tmp_path):
    demo = ride(tmp_path / "out", 40)
    until(lambda: set(children(demo.pid)) == set(VICTIMS))
    lines = [Path(f"/proc/{pid}/cmdline") for pid in children(demo.pid).values()]
    demo.kill()
    demo.communicate(timeout=10)
    until(lambda: not any(line.exists() and line.read_bytes() for line in lines))
