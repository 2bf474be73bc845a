"""Killed before any touch of the card, an update leaves a whole release, and asked again converges.

`make e2e` does the same to whole boxes at each step; here no touch is left out.
"""

import os
from contextlib import suppress
from itertools import count

import pytest

from gateway.release.pack import pack
from gateway.updater.box import Box
from gateway.updater.gate import Unit
from gateway.updater.install import install
from gateway.updater.minisign import read_keys
from gateway.updater.outcome import Ended
from gateway.updater.places import Places
from gateway.updater.recover import at_boot, confirm, roll_back
from tests.test_updater_bundle import ABOUT, Signer
from tests.test_updater_install import Machine

TOUCHES = ("rename", "replace", "symlink", "mkdir", "unlink", "rmdir", "fsync", "open")
FILES = ("bin/bikebox", "manifest.json", "systemd/bikebox.target")
BAD = "26.12.2"


class Killed(BaseException):
    """No program catches SIGKILL."""


class Plug:
    """Kills at the n-th touch of the card."""

    def __init__(self, monkeypatch):
        self.left = None
        for name in TOUCHES:
            monkeypatch.setattr(os, name, self.guard(getattr(os, name)))

    def guard(self, touch):
        def guarded(*words, **more):
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise Killed
            return touch(*words, **more)

        return guarded

    def dies(self, touches, work):
        """Do some work that is killed after so many touches; tell whether it was."""
        self.left = touches
        try:
            work()
        except Killed:
            return True
        except Ended:
            return False
        finally:
            self.left = None
        return False


class Swift(Machine):
    """A box that serves what `current` points to, unless that is the bad one."""

    def units(self):
        link = self.places.current
        bad = link.is_symlink() and link.readlink().name == BAD
        return (Unit("bikebox-gateway", active=not bad, failed=bad, status=1),)


@pytest.fixture
def bundles(tmp_path, monkeypatch):
    """Three releases of one key: the first, a good one after it, and a bad one."""
    signer = Signer()
    (tmp_path / "keys").mkdir()
    signer.public(tmp_path / "keys/present.pub")
    keys = read_keys(tmp_path / "keys")
    monkeypatch.setattr("gateway.updater.install.read_keys", lambda _: keys)
    # a signature takes longer than all else, and is looked at elsewhere
    monkeypatch.setattr("gateway.updater.minisign.verify", lambda *_: True)
    made = []
    for n in range(3):
        tree = tmp_path / f"tree-{n}"
        for name in ("bin/bikebox", "systemd/bikebox.target"):
            (tree / name).parent.mkdir(parents=True)
            (tree / name).write_text(f"{name} of {n}\n")
        made.append(tmp_path / f"{n}.bundle")
        pack(tree, made[-1], signer, **{**ABOUT, "version": f"26.12.{n}", "serial": 5 + n})
    return made


def new_box(folder):
    places = Places(folder)
    places.make()
    return Box(places, Swift(places), lambda _: None)


def again(box):
    """The box as the next process finds it: nothing but what is on the card."""
    return Box(box.places, box.machine, lambda _: None)


def recovered(box, who):
    """Let the box mend itself, after a boot or without one; return it."""
    if who == "box":
        at_boot(again(box))
    whole(box)
    for _ in range(3):
        with suppress(Ended):
            confirm(again(box))
    return again(box)


def whole(box):
    current = box.places.current
    assert all((current / name).stat().st_size for name in FILES), list(current.iterdir())
    assert current.readlink().parts[0] == "releases"


@pytest.mark.parametrize("who", ["updater", "box"])
def test_an_update_killed_anywhere_leaves_a_whole_release_and_a_rerun_converges(
    who, bundles, tmp_path, monkeypatch
):
    plug = Plug(monkeypatch)
    for n in count():
        box = new_box(tmp_path / f"box-{n}")
        install(box, bundles[0], by="Ada")
        died = plug.dies(n, lambda box=box: install(again(box), bundles[1], by="Ada"))
        box = recovered(box, who)
        assert box.releases.current().version in {"26.12.0", "26.12.1"}
        install(again(box), bundles[1], by="Ada")
        box = recovered(box, who)
        assert (box.releases.current().version, box.memory.state.bad) == ("26.12.1", [])
        assert not list(box.places.releases.glob(".*"))
        if not died:
            break
    assert n > 60


@pytest.mark.parametrize("who", ["updater", "box"])
def test_a_bad_release_killed_anywhere_on_its_way_in_or_back_is_out_in_the_end(
    who, bundles, tmp_path, monkeypatch
):
    plug = Plug(monkeypatch)
    for n in count():
        box = new_box(tmp_path / f"box-{n}")
        install(box, bundles[0], by="Ada")
        died = plug.dies(n, lambda box=box: install(again(box), bundles[2], by="Ada"))
        box = recovered(box, who)
        with pytest.raises(Ended):
            install(again(box), bundles[2], by="Ada")
        box = recovered(box, who)
        assert box.releases.current().version == "26.12.0"
        assert [bad.version for bad in box.memory.state.bad] == [BAD]
        if not died:
            break
    assert n > 60


@pytest.mark.parametrize("who", ["updater", "box"])
def test_a_way_back_killed_anywhere_leaves_a_whole_release(who, bundles, tmp_path, monkeypatch):
    plug = Plug(monkeypatch)
    for n in count():
        box = new_box(tmp_path / f"box-{n}")
        install(box, bundles[0], by="Ada")
        install(again(box), bundles[1], by="Ada")
        died = plug.dies(n, lambda box=box: roll_back(again(box), by="Ada"))
        box = recovered(box, who)
        if box.releases.current().version == "26.12.1":
            roll_back(again(box), by="Ada")
        box = recovered(box, who)
        assert box.releases.current().version == "26.12.0"
        assert box.memory.state.trial is None
        if not died:
            break
    assert n > 10
