"""A technician brings a box's database on a stick."""

import argparse
import contextlib

import pytest
from gym_scene import told_ride

from firmware_app.clock import HandClock
from firmware_app.errors import BadInput
from firmware_app.wire import encode
from gateway.commands import studio as command
from gateway.database import snapshot
from gateway.store import Store
from gateway.studio.archive import Archive, Came
from gateway.studio.by_hand import take_in
from gateway.topics import Ack, box_topic, pack

RIDES = ("000001_ab_b1", "000002_ab_b1")


@pytest.fixture
def box(tmp_path):
    store = Store(tmp_path / "stick" / "gateway.db", "b1", HandClock())
    for ride in RIDES:
        store.keep(ride, 100, [encode(message).rstrip(b"\n") for message in told_ride(ride)])
    yield store
    store.close()


@pytest.fixture
def stick(box, tmp_path):
    """The file of a box that goes on riding."""
    assert box.outbox.rows
    return tmp_path / "stick" / "gateway.db"


@pytest.fixture
def archive(tmp_path):
    archive = Archive(str(tmp_path / "studio.db"), HandClock())
    yield archive
    archive.close()


def send(store, archive):
    ups = store.outbox.following(0, 100)
    return archive.store(Came(box_topic(up.box, "up"), pack(up)) for up in ups)


def test_what_a_box_could_not_send_is_taken_in_once(stick, archive):
    assert take_in(stick, archive, HandClock()) == ("b1", 10, 0)
    assert take_in(stick, archive, HandClock()) == ("b1", 0, 0)
    assert [ride.summary["ride"] for ride in archive.rides()] == list(reversed(RIDES))


def test_what_it_sends_later_all_the_same_is_known_and_confirmed(box, stick, archive):
    take_in(stick, archive, HandClock())
    ((_, ack),) = send(box, archive)
    assert (ack.upto, archive.counts["records"]) == (10, 10)


def test_rides_that_another_studio_had_are_taken_in_too(box, stick, archive):
    box.confirm(Ack(epoch=box.outbox.epoch, upto=5))
    assert take_in(stick, archive, HandClock()) == ("b1", 6, 0)
    assert archive.counts["rides"] == 2


def test_the_command_tells_what_it_found(stick, tmp_path, capsys):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    db = tmp_path / "gym.db"
    assert command.run(parser.parse_args(["--db", str(db), "--import", str(stick)])) == 0
    assert "10 new records of b1" in capsys.readouterr().out


def test_what_is_no_box_s_database_is_refused(archive, tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8" * 900)
    for wrong in ("holiday.jpg", "studio.db", "nothing.db"):
        with pytest.raises(BadInput, match=wrong):
            take_in(tmp_path / wrong, archive, HandClock())


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE outbox SET body = 'no JSON' WHERE seq = 2",
        "UPDATE outbox SET body = NULL WHERE seq = 2",
        "UPDATE outbox SET body = x'ff00' WHERE seq = 2",
        "UPDATE outbox SET body = '[1]' WHERE seq = 2",
        "UPDATE outbox SET epoch = '../e' WHERE seq = 2",
        "UPDATE outbox SET t_s = 'now' WHERE seq = 2",
    ],
)
def test_what_is_damaged_in_a_file_is_counted_and_the_rest_taken_in(box, stick, archive, harm):
    box._db.execute(harm)
    assert take_in(stick, archive, HandClock()) == ("b1", 9, 1)


def test_a_name_that_is_none_puts_nothing_on_anybodys_topic(box, stick, archive):
    box._db.execute("UPDATE about SET value = 'b2/up' WHERE key = 'box'")
    assert take_in(stick, archive, HandClock())[1:] == (0, 10)


def test_a_file_torn_on_the_stick_gives_what_is_whole_in_it(box, tmp_path, archive):
    for n in range(3, 60):
        ride = f"{n:06d}_ab_b1"
        box.keep(ride, 100, [encode(message).rstrip(b"\n") for message in told_ride(ride)])
    snapshot(tmp_path / "stick" / "gateway.db", tmp_path / "torn.db")
    whole = (tmp_path / "torn.db").read_bytes()
    for cut in range(4096, len(whole), 4096 * 5):
        (tmp_path / "torn.db").write_bytes(whole[:cut] + b"\x5a" * 8192 + whole[cut + 8192 :])
        with contextlib.suppress(BadInput):
            take_in(tmp_path / "torn.db", archive, HandClock())
    assert take_in(tmp_path / "stick" / "gateway.db", archive, HandClock()).unreadable == 0
    assert archive.counts["rides"] == 59


def test_a_record_that_no_broker_took_comes_on_the_stick_in_the_place_of_its_gap(
    box, stick, archive
):
    box.put_aside(5)  # the summary of the first ride
    send(box, archive)
    assert archive.counts == {"records": 10, "rides": 1, "unreadable": 0}
    box.confirm(Ack(epoch=box.outbox.epoch, upto=10))
    assert take_in(stick, archive, HandClock())[2] == 0
    assert archive.counts == {"records": 10, "rides": 2, "unreadable": 0}
    kinds = archive._tables.ask("SELECT kind FROM record ORDER BY seq")
    assert [kind for (kind,) in kinds].count("gap") == 0
    assert take_in(stick, archive, HandClock()) == ("b1", 0, 0)


def test_a_gap_that_stands_for_several_is_filled_by_none_of_them(box, archive):
    first = box.outbox.following(0, 1)
    box.outbox.give_up("interval", 3, "no room")
    send(box, archive)
    archive.store(Came(box_topic("b1", "up"), pack(up)) for up in first)
    assert archive._tables.ask("SELECT kind FROM record WHERE seq = 1") == [("gap",)]
    ((_, ack),) = send(box, archive)
    assert ack.upto == 10
