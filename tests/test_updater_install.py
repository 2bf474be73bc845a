"""What must not come onto a box does not: refused in words, and the box is as it was."""

import errno
import io
import json
import tarfile
from datetime import UTC, datetime

import pytest

from gateway.release.pack import pack
from gateway.updater.box import Box
from gateway.updater.gate import Health, Look, Unit
from gateway.updater.install import install
from gateway.updater.manifest import FULL
from gateway.updater.outcome import Ended, PutOff, Refused
from gateway.updater.places import Places
from gateway.updater.recover import at_boot
from tests.test_updater_bundle import ABOUT, Signer, forge

NOW_UTC = datetime(2026, 12, 1, tzinfo=UTC)


class Machine:
    """A box on which everything works at once."""

    def __init__(self, places):
        self.places = places
        self.t_s = 0.0
        self.riding = False
        self.ran = []

    def now_utc(self):
        return NOW_UTC

    def monotonic(self):
        return self.t_s

    def sleep(self, seconds):
        self.t_s += seconds

    def arch(self):
        return "x86_64"

    def python(self):
        return "3.11"

    def free_bytes(self):
        return 10**12

    def run(self, words, **_more):
        self.ran.append(list(words))
        return ""

    def put_on_card(self, folder):
        pass

    def services(self):
        return ["bikebox-gateway.service"]

    def units(self):
        return (Unit("bikebox-gateway", active=True),)

    def look(self):
        version = self.places.current.readlink().name if self.places.current.is_symlink() else ""
        return Look(self.t_s, Health(version, {"camera": "ok"}), "", self.units())

    def rides(self):
        return self.riding


@pytest.fixture
def signer(tmp_path):
    signer = Signer()
    keys = Places(tmp_path / "box").keys
    keys.mkdir(parents=True)
    signer.public(keys / "present.pub")
    return signer


@pytest.fixture
def make(tmp_path, signer):
    """Make a good bundle that says more of itself."""

    def make(**more):
        tree = tmp_path / "tree"
        (tree / "bin").mkdir(parents=True, exist_ok=True)
        (tree / "bin/bikebox").write_text(f"#!/bin/sh\n# {more}\n")
        out = tmp_path / "made.bundle"
        pack(tree, out, signer, **{**ABOUT, **more})
        return out

    return make


@pytest.fixture
def box(tmp_path, make):
    """A box on which 26.12.0 runs."""
    places = Places(tmp_path / "box")
    places.make()
    box = Box(places, Machine(places), lambda _: None)
    install(box, make(), by="Ada")
    return box


def refused(box, bundle, why, kind=Refused):
    """See a bundle refused in these words, in status and audit too, and nothing changed."""
    with pytest.raises(kind, match=why):
        install(box, bundle, by="Ada")
    assert [path.name for path in box.places.releases.iterdir()] == ["26.12.0"]
    assert box.places.current.readlink().name == "26.12.0"
    last = json.loads((box.places.state / "audit.jsonl").read_text().splitlines()[-1])
    assert (last["what"], last["who"]) == ("update-refused", "Ada")
    assert box.memory.state.why == f"refused: {last['detail']}"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"serial": 4}, "it is serial 4 and 26.12.0 is 5: a downgrade; .*rollback"),
        ({"arch": "aarch64"}, "it is for aarch64 .* and this box is x86_64 .*; take that file"),
        ({"python": "3.13"}, "with Python 3.13 and this box is x86_64 with Python 3.11"),
        ({"expires": "2026-11-30T00:00:00+00:00"}, "it expired on 2026-11-30; build or fetch"),
    ],
    ids=["downgrade", "other processor", "other Python", "expired"],
)
def test_a_release_that_is_not_for_this_box_or_day_is_refused(box, make, more, why):
    refused(box, make(**{"version": "26.12.1", "serial": 6, **more}), why)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda whole: whole.replace(b"26.12.1", b"26.12.9"), "damaged, or tampered with"),
        (lambda whole: whole.rstrip(b"\0")[:-9], "cut short"),
        (lambda _: b"", "no bundle, or cut short|nothing where"),
        (lambda whole: b"\x1f\x8b" + whole, "no bundle|where manifest.json belongs"),
    ],
    ids=["tampered", "truncated", "empty", "no tar"],
)
def test_what_was_changed_on_the_way_is_refused(box, make, change, why):
    bundle = make(version="26.12.1", serial=6)
    bundle.write_bytes(change(bundle.read_bytes()))
    refused(box, bundle, why)


def twice():
    return [(tarfile.TarInfo("a"), b"1"), (tarfile.TarInfo("a"), b"2")]


def link(kind):
    member = tarfile.TarInfo("bin/link")
    member.type, member.linkname = kind, "../../../../etc/passwd"
    return [(member, b"")]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([(tarfile.TarInfo("../../../etc/passwd"), b"")], "would reach outside the release"),
        ([(tarfile.TarInfo("/etc/passwd"), b"")], "would reach outside the release"),
        (link(tarfile.SYMTYPE), "would reach outside the release"),
        (link(tarfile.LNKTYPE), "would reach outside the release"),
        ([(tarfile.TarInfo("big"), b"0" * 1001)], "holds more than its manifest says"),
        ([(tarfile.TarInfo(f"n{n}"), b"") for n in range(4)], "holds more than its manifest"),
        (twice(), "cannot be unpacked"),
    ],
    ids=["zip-slip", "absolute", "symlink", "hard link", "oversized", "too many", "one name twice"],
)
def test_even_a_signed_payload_is_refused_when_it_holds_what_ours_never_does(
    box, signer, tmp_path, members, why
):
    forged = forge(signer, tmp_path / "x.bundle", members, version="26.12.1", serial=6)
    refused(box, forged, why)


def test_a_head_of_a_gigabyte_is_refused_before_it_is_read(box, tmp_path):
    huge = tmp_path / "x.bundle"
    with tarfile.open(huge, "w") as tar:
        member = tarfile.TarInfo("manifest.json")
        member.size = 2_000_000
        tar.addfile(member, io.BytesIO(b" " * member.size))
    refused(box, huge, "manifest.json has 2000000 bytes; that is not one of ours")


def test_a_card_that_fills_while_it_is_unpacked_leaves_the_box_as_it_was(box, make, monkeypatch):
    bundle = make(version="26.12.1", serial=6)

    def full(*_words):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gateway.updater.bundle._write", full)
    refused(box, bundle, rf"No space left on device.*{FULL[:30]}")


def test_a_self_test_that_fails_is_told_in_its_own_words(box, make):
    def failing(*_words, **_more):
        raise Ended("libnothing.so.1 is not on this box")

    box.machine.run = failing
    refused(box, make(version="26.12.1", serial=6), "self-test failed here: libnothing.so.1")


def test_a_release_that_the_card_has_lost_is_left_at_boot_and_the_other_units_are_read(box, make):
    install(box, make(version="26.12.1", serial=6), by="Ada")
    (box.places.releases / "26.12.1/manifest.json").write_text("")
    box.machine.ran.clear()
    assert at_boot(Box(box.places, box.machine, lambda _: None)) == (
        "`current` pointed to no complete release; 26.12.0 runs now"
    )
    assert box.places.current.readlink().name == "26.12.0"
    assert box.machine.ran[-2:] == [
        ["systemctl", "daemon-reload"],
        ["systemctl", "start", "--no-block", "bikebox.target"],
    ]


def test_nothing_is_unpacked_while_somebody_rides(box, make):
    box.machine.riding = True
    with pytest.raises(PutOff, match="somebody rides"):
        install(box, make(version="26.12.1", serial=6), by="Ada")
    assert [path.name for path in box.places.releases.iterdir()] == ["26.12.0"]
    box.machine.riding = False
    assert "26.12.1 is installed" in install(box, make(version="26.12.1", serial=6), by="Ada")
