"""An update goes on without whoever asked for it, and whoever follows is told how it ended."""

import subprocess

import pytest

from gateway.updater import detached
from gateway.updater.outcome import Ended
from gateway.updater.places import Places

WORDS = ["install", "/var/lib/a bundle", "--by", "Ada, as pi"]


@pytest.fixture
def places(tmp_path):
    places = Places(tmp_path)
    places.make()
    return places


@pytest.fixture
def systemd(monkeypatch):
    """A systemd that starts what it is told; its unit runs as long as `active` says."""

    class Systemd:
        def __init__(self):
            self.active, self.started, self.says = [], [], ""

        def run(self, command, **_more):
            if command[1] == "show":
                state = self.active.pop(0) if self.active else "inactive"
                return subprocess.CompletedProcess(command, 0, state + "\n", "")
            self.started.append(command)
            return subprocess.CompletedProcess(command, int(bool(self.says)), "", self.says)

    systemd = Systemd()
    monkeypatch.setattr(detached.subprocess, "run", systemd.run)
    monkeypatch.setattr(detached, "POLL_S", 0.0)
    monkeypatch.setattr(detached, "ENDING_S", 0.05)
    return systemd


def test_what_was_asked_for_reaches_the_unit_once(places, systemd):
    detached.launch(places, WORDS)
    assert systemd.started == [["systemctl", "start", "update-bikebox-run.service"]]
    assert detached.asked(places) == WORDS
    with pytest.raises(Ended, match="nothing was asked for .*; type bikebox-update install"):
        detached.asked(places)


def test_an_update_that_is_at_its_end_is_waited_for_and_one_that_works_is_not(places, systemd):
    systemd.active = ["active", "deactivating"]
    detached.launch(places, WORDS)
    assert len(systemd.started) == 1
    systemd.active = ["active"] * 1_000_000
    with pytest.raises(Ended, match="another update is running"):
        detached.launch(places, ["rollback"])
    assert len(systemd.started) == 1
    assert detached.asked(places) == WORDS


def test_a_systemd_that_refuses_is_quoted(places, systemd):
    systemd.says = "Failed to start: no such unit"
    with pytest.raises(Ended, match="does not start the update: Failed to start: no such unit"):
        detached.launch(places, WORDS)


def test_who_follows_hears_every_word_and_the_exit_code(places, systemd):
    systemd.active = ["active"]
    assert detached.reported(places, lambda say: [say("one"), say("two")] and 3) == 3
    heard = []
    assert detached.follow(places, heard.append) == 3
    assert heard == ["one", "two"]


def test_an_updater_that_died_is_told_and_who_puts_it_right(places, systemd):
    assert not systemd.active
    heard = []
    assert detached.follow(places, heard.append) == 1
    assert len(heard) == 1
    assert "the updater died; update-bikebox-confirm.service puts it right" in heard[0]
