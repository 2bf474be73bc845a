"""`bikebox fleet` as a technician types it, against a row of bikes that answer real SSH."""

import asyncio
import json
import os
import signal
import threading
import time
from pathlib import Path

import msgspec
import pytest

from firmware_app.cli import main
from gateway.fleet.inventory import read_inventory
from gateway.fleet.report import Report, read_report, write_report
from gateway.fleet.rollout import Outcome
from tests.ssh_bike import SshBike
from tests.test_fleet_update import make_bundle


class Row:
    """Bikes in a thread of their own, a fleet.toml that names them, and a technician's key."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.bikes = [SshBike(folder / f"b{n}", f"b{n}") for n in range(count)]
        technician = self.bikes[0].technician
        for bike in self.bikes:
            bike.technician = technician
        technician.write_private_key(str(folder / "key"))
        (folder / "key").chmod(0o600)
        self.bundle = make_bundle(folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.ports = [self.do(bike.serve()) for bike in self.bikes]
        lines = [
            f'b{n} = {{ address = "127.0.0.1", port = {port}, host_key = "{key}",'
            f" groups = [{CANARY if n == 0 else ''}] }}"
            for n, (port, key) in enumerate(
                zip(self.ports, (b.as_bike(1).host_key for b in self.bikes), strict=True)
            )
        ]
        self.file = folder / "fleet.toml"
        self.file.write_text(
            "[rollout]\nwaves = ['1', 'rest']\nsoak_s = 0\n[gyms.north.bikes]\n" + "\n".join(lines)
        )
        # two ports of one address are two bikes here
        assert len(read_inventory(self.file.read_text()).bikes) == count

    def do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def close(self) -> None:
        for bike in self.bikes:
            self.do(bike.away())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def type(self, *words: str) -> int:
        """Type bikebox fleet ..."""
        common = ("--fleet", str(self.file), "--key", str(self.folder / "key"), "--by", "Sagar")
        return main(["fleet", *common, *words])

    def update(self, *more: str) -> int:
        return self.type("update", str(self.bundle.path), "--yes", *more)

    def versions(self) -> list[str]:
        return [bike.status()["version"] for bike in self.bikes]

    @property
    def report(self) -> Report:
        return read_report(max((self.folder / "fleet-reports").glob("*.json")))


CANARY = '"canary"'


def wait_until(true, seconds=20):
    end_s = time.monotonic() + seconds
    while not true() and time.monotonic() < end_s:
        time.sleep(0.05)


@pytest.fixture
def row(tmp_path):
    row = Row(tmp_path, 4)
    yield row
    row.close()


def test_a_plan_says_what_would_be_done_and_does_nothing(row, capsys):
    assert row.type("plan", str(row.bundle.path)) == 0
    assert row.update("--dry-run") == 0
    said = capsys.readouterr().out
    assert said.count("send 3 MB; install 26.12.0 over 26.11.0") == 8
    assert "4 bikes: 4 todo; 12 MB to send" in said
    assert all(bike.audit == "" for bike in row.bikes)
    assert [list(bike.inbox.iterdir()) for bike in row.bikes] == [[]] * 4
    assert not (row.folder / "fleet-reports").exists()


def test_a_row_is_updated_and_the_second_time_there_is_nothing_to_do(row, capsys):
    assert row.update() == 0
    assert row.versions() == ["26.12.0"] * 4
    assert [told.wave for told in row.report.bikes] == [1, 2, 2, 2]
    assert all("--by Sagar" in bike.audit for bike in row.bikes)
    assert "wave 1: 1 bike\n" in capsys.readouterr().err
    assert row.update() == 0
    assert "4 bikes: 4 done; 0 MB to send" in capsys.readouterr().out
    assert all(bike.audit.count("install") == 1 for bike in row.bikes)


def test_a_release_that_fails_stops_at_the_canary_with_the_reason(row, capsys):
    row.bikes[0].script(why="vision did not come up within 30 s")
    assert row.update() == 1
    assert row.versions() == ["26.11.0"] * 4
    assert [bike.audit != "" for bike in row.bikes] == [True, False, False, False]
    said = capsys.readouterr().out
    assert "Stopped: b0 failed: vision did not come up within 30 s" in said
    assert "Look first: bikebox fleet logs --on b0" in said


def test_a_bike_that_goes_back_while_it_is_watched_stops_the_rest(row):
    canary = row.bikes[0]

    def went_back():
        wait_until(lambda: canary.status()["version"] == "26.12.0")
        time.sleep(1.5)
        canary.status(version="26.11.0", bad=[{"version": "26.12.0", "why": "memory"}])

    watcher = threading.Thread(target=went_back)
    watcher.start()
    assert row.update("--soak", "20") == 1
    watcher.join()
    assert row.versions() == ["26.11.0"] * 4
    assert row.report.stopped == "b0 failed: went back later: memory"


def test_bikes_that_are_away_or_ridden_come_later_with_one_command(row, capsys):
    row.bikes[2].status(riding=True)
    row.do(row.bikes[3].away())
    assert row.update() == 3
    assert row.versions() == ["26.12.0", "26.12.0", "26.11.0", "26.11.0"]
    said = capsys.readouterr().out
    resume = said[said.index("--resume") :].split()[1]
    row.bikes[2].status(riding=False)
    row.do(row.bikes[3].serve(row.ports[3]))
    assert row.update("--resume", resume) == 0
    assert row.versions() == ["26.12.0"] * 4
    assert len(row.report.bikes) == 2
    assert row.update("--resume", str(max((row.folder / "fleet-reports").glob("*.json")))) == 78


def test_nobody_there_to_say_yes_is_no(row, capsys):
    assert row.type("update", str(row.bundle.path)) == 78
    assert "--yes says it" in capsys.readouterr().err
    assert row.versions() == ["26.11.0"] * 4


def test_stopped_by_hand_it_begins_nothing_new_and_writes_the_report(row):
    row.bikes[0].script(takes_s=60)

    def stop():
        wait_until(lambda: row.bikes[0].audit)
        os.kill(os.getpid(), signal.SIGINT)

    hand = threading.Thread(target=stop)
    hand.start()
    assert row.update() == 3
    hand.join()
    assert [told.result for told in row.report.bikes] == ["waits"] * 4
    assert "stopped by hand" in row.report.stopped


def test_a_row_goes_back_to_the_release_before(row):
    row.update()
    assert row.type("rollback", "--yes", "--on", "b1", "b2") == 0
    assert row.versions() == ["26.12.0", "26.11.0", "26.11.0", "26.12.0"]


def test_status_tells_each_bike_in_a_line(row, capsys):
    row.bikes[1].status(riding=True, bad=[{"version": "26.10.0", "why": "no camera"}])
    row.do(row.bikes[2].away())
    assert row.type("status") == 3
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split(maxsplit=1) == ["b0", "26.11.0, idle"]
    assert lines[1].endswith("26.11.0, idle, somebody rides, went back from 26.10.0: no camera")
    assert "b2                       not reached: " in lines[2]
    assert row.type("status", "--json", "--on", "b0") == 0
    assert json.loads(capsys.readouterr().out)["b0"]["update"]["version"] == "26.11.0"


def test_doctor_tells_what_is_wrong_on_which_bike_and_the_remedy(row, capsys):
    finding = {"part": "camera", "state": "bad", "seen": "gone", "remedy": "plug it in"}
    row.bikes[0].doctor({"ok": False, "findings": [finding]})
    row.bikes[1].doctor({"ok": True, "findings": []})
    assert row.type("doctor", "--on", "b0", "b1") == 1
    said = capsys.readouterr().out
    assert "b0                       NOT well\n    camera               gone\n" in said
    assert "-> plug it in\n" in said
    assert "b1                       all well\n" in said


def test_a_command_runs_on_every_bike_and_its_words_stand_beside_the_bikes_name(row, capsys):
    assert row.type("run", "--on", "b0", "b1", "--", "echo", "hello;", "exit", "4") == 1
    said = capsys.readouterr().out
    assert "b0                       hello\nb0                       exit 4\n" in said
    assert row.type("logs", "--on", "b1", "--since", "today") in (0, 1)
    assert "journalctl" in row.bikes[1].commands[-1]
    assert "--since=today" in row.bikes[1].commands[-1]
    row.type("logs", "--on", "b1", "--since", "2h")
    assert "--since=-2h" in row.bikes[1].commands[-1]
    row.type("logs", "--on", "b1", "--kept")
    assert "/var/log/bikebox/*.log.gz" in row.bikes[1].commands[-1]


def test_a_report_is_read_as_it_was_written(tmp_path):
    told = Report(
        what="update to 1", who="me", began_utc="2026-11-25T10:00:00", seconds=3.0,
        bikes=(Outcome(bike="b", result="put off", why="somebody rides"),),
    )  # fmt: skip
    path = write_report(told, tmp_path)
    assert path.name == "20261125T100000Z-update.json"
    assert (read_report(path), told.exit_code) == (told, 3)
    assert msgspec.json.decode(path.read_bytes())["schema"] == "bikebox.fleet-report/1"
