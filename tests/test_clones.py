"""A card that was cloned, a copy that was put back, two boxes of one name: told apart, all kept."""

import os
import random
import shutil
from collections import Counter

import msgspec
import pytest
from gym_scene import told_ride
from msgspec import structs
from sqlite_utils import Database

from firmware_app.clock import HandClock
from firmware_app.settings import Mqtt
from firmware_app.wire import RideId, encode
from gateway import machine
from gateway.mqtt import Heard
from gateway.store import Store
from gateway.studio.archive import Archive, Came
from gateway.sync import Sync
from gateway.topics import Status, box_topic, pack


def ride(store, number, who="ab"):
    """Let a ride of five records be told."""
    name = RideId(f"{number:06d}_{who}_b1")
    store.keep(name, 100, [encode(message).rstrip(b"\n") for message in told_ride(name)])


def rode(archive):
    """Return each record that is stored of a ride, and how often."""
    rows = archive._tables.ask("SELECT kind, body FROM record WHERE kind NOT IN ('dead', 'again')")
    return Counter((kind, body) for kind, body in rows)


def exchange(archive, *stores, most=1000):
    """Let each in turn send a window and hear what the studio says to any of them."""
    retained = None
    for _ in range(50):
        for store in stores:
            if retained:
                store.confirm(retained)
            ups = store.outbox.following(0, most)
            if ups:
                acks = archive.store(Came(box_topic(up.box, "up"), pack(up)) for up in ups)
                for _, ack in acks:
                    for other in stores:
                        other.confirm(ack)
                    retained = ack
    return retained


@pytest.fixture
def archive(tmp_path):
    archive = Archive(str(tmp_path / "studio.db"), HandClock())
    yield archive
    archive.close()


@pytest.fixture
def stores():
    opened = []
    yield opened
    for store in opened:
        store.close()


def box(stores, path):
    stores.append(Store(path, "b1", HandClock()))
    return stores[-1]


def copied(path, place):
    place.mkdir()
    for tail in ("", "-wal"):
        if path.with_name(path.name + tail).exists():
            shutil.copy(path.with_name(path.name + tail), place / f"gateway.db{tail}")
    return place / "gateway.db"


def test_a_cloned_card_goes_on_under_an_epoch_of_its_own_and_both_riders_keep_all(
    archive, stores, tmp_path
):
    path = tmp_path / "gateway.db"
    one = box(stores, path)
    ride(one, 1)
    other = box(stores, copied(path, tmp_path / "clone"))
    ride(one, 2)
    ride(other, 2, "cd")
    ride(other, 3, "cd")
    exchange(archive, other, one)
    assert one.outbox.rows == other.outbox.rows == 0
    assert one.outbox.epoch != other.outbox.epoch
    assert len(rode(archive)) == 4 * 5  # what both had is there once
    assert set(rode(archive).values()) == {1}
    assert archive.counts["unreadable"] == 0


def test_a_copy_that_is_put_back_on_the_same_machine_is_known_by_its_file(
    archive, stores, tmp_path
):
    path = tmp_path / "gateway.db"
    one = box(stores, path)
    ride(one, 1)
    one.close()
    old = copied(path, tmp_path / "kept")
    one = box(stores, path)
    ride(one, 2)
    exchange(archive, one)
    one.close()
    old.replace(path)
    again = box(stores, path)
    ride(again, 3, "cd")
    exchange(archive, again)
    assert again.outbox.rows == 0
    assert [stored.summary["ride"][:6] for stored in archive.rides()] == [
        "000003",
        "000002",
        "000001",
    ]
    assert set(rode(archive).values()) == {1}


def test_a_file_that_stays_where_it_is_keeps_its_epoch(stores, tmp_path):
    one = box(stores, tmp_path / "gateway.db")
    epoch = one.outbox.epoch
    one.close()
    assert box(stores, tmp_path / "gateway.db").outbox.epoch == epoch


def test_a_card_in_another_pi_begins_a_new_epoch(stores, tmp_path, monkeypatch):
    (tmp_path / "serial").write_text("10000000a1b2c3d4\0")
    monkeypatch.setattr(machine, "SERIAL", tmp_path / "serial")
    one = box(stores, tmp_path / "gateway.db")
    ride(one, 1)
    epoch = one.outbox.epoch
    one.close()
    (tmp_path / "serial").write_text("10000000ffffffff\0")
    again = box(stores, tmp_path / "gateway.db")
    ride(again, 2)
    assert again.outbox.epoch != epoch
    ups = again.outbox.following(0, 100)
    assert [(up.epoch == epoch, up.seq, up.low) for up in ups] == [
        *((True, seq, 1) for seq in range(1, 6)),
        *((False, seq, 6) for seq in range(6, 11)),
    ]


@pytest.mark.parametrize("seed", range(12))
def test_even_twins_that_nothing_tells_apart_lose_nothing(
    archive, stores, tmp_path, monkeypatch, seed
):
    """The same serial number, the same inode: a bitwise copy of a virtual machine."""
    chance = random.Random(seed)
    monkeypatch.setattr("gateway.store.home_of", lambda _path: "the same")
    path = tmp_path / "gateway.db"
    one = box(stores, path)
    ride(one, 1)
    if chance.random() < 0.5:
        exchange(archive, one)
    other = box(stores, copied(path, tmp_path / "clone"))
    told = 1
    for number in range(2, 6):
        for who, store in (("ab", one), ("cd", other)):
            if chance.random() < 0.7:
                ride(store, number, who)
                told += 1
        if chance.random() < 0.6:
            pair = chance.sample([one, other], chance.choice((1, 2)))
            exchange(archive, *pair, most=chance.choice((1, 3, 20)))
    exchange(archive, one, other)
    assert one.outbox.rows == other.outbox.rows == 0
    assert archive.counts["rides"] == told
    assert len(rode(archive)) == told * 5


def test_a_record_that_goes_by_the_name_of_another_is_put_aside_and_counted(
    archive, stores, tmp_path
):
    one = box(stores, tmp_path / "gateway.db")
    ride(one, 1)
    up = one.outbox.following(0, 1)[0]
    archive.store([Came("fleet/v1/b1/up", pack(up))] * 2)
    assert archive.counts["unreadable"] == 0
    forged = structs.replace(up, body=up.body | {"ride": "another"})
    archive.store([Came("fleet/v1/b1/up", pack(forged))])
    assert archive.counts["unreadable"] == 1
    ((why,),) = archive._tables.ask("SELECT why FROM dead")
    assert why == "another machine sent record 1 of b1 too"


def test_a_store_of_the_version_before_is_taken_over_with_its_names(stores, tmp_path):
    one = box(stores, tmp_path / "gateway.db")
    ride(one, 1)
    before = one.outbox.following(0, 100)
    one.close()
    db = Database(tmp_path / "gateway.db")
    db.execute("UPDATE outbox SET epoch = NULL")
    db.execute("DELETE FROM about WHERE key = 'home'")
    db.conn.commit()
    db.close()
    assert box(stores, tmp_path / "gateway.db").outbox.following(0, 100) == before


def test_another_machine_of_our_name_is_told_and_our_own_past_is_not(stores, tmp_path):
    store = box(stores, tmp_path / "gateway.db")
    sync = Sync(Mqtt(url="mqtt://x"), "b1", store, HandClock(), lambda _: True)

    class Line:
        refused, sent = "", []

        def publish(self, topic, payload, **_):
            self.sent.append((topic, payload))

    def hear(payload):
        sync._take(Heard("fleet/v1/b1/status", payload, retained=True))

    theirs = pack(Status(box="b1", online=True, life="other"))
    hear(theirs)  # retained from our own life before this one
    assert sync.twin_s is None
    line = Line()
    sync._send(line)
    ours = dict(line.sent)["fleet/v1/b1/status"]
    hear(ours)
    hear(pack(Status(box="b1", online=False)))
    assert sync.twin_s is None
    hear(theirs)
    assert sync.twin_s is not None
    assert msgspec.json.decode(ours)["life"] != "other"


def test_the_file_is_named_by_what_a_copy_cannot_take_along(tmp_path):
    (tmp_path / "a").touch()
    shutil.copy(tmp_path / "a", tmp_path / "b")
    assert machine.home_of(tmp_path / "a") == machine.home_of(tmp_path / "a")
    assert machine.home_of(tmp_path / "a") != machine.home_of(tmp_path / "b")
    os.link(tmp_path / "a", tmp_path / "c")
    assert machine.home_of(tmp_path / "a") == machine.home_of(tmp_path / "c")
