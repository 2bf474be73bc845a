"""The studio's memory: every record once, and a watermark that never says too much."""

import json

import pytest
from gym_scene import told_ride

from firmware_app.clock import HandClock
from firmware_app.summary import summarise
from gateway.studio.archive import Archive, Came
from gateway.topics import Gap, Up, pack


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path):
    if request.param == "postgres":
        return request.getfixturevalue("postgres").database()
    return str(tmp_path / "studio.db")


@pytest.fixture
def archive(database):
    archive = Archive(database, HandClock())
    yield archive
    archive.close()


def up(seq, kind="interval", body=None, *, box="b1", epoch="e1", low=1):
    body = {"n": seq} if body is None else body
    told = Up(
        box=box, epoch=epoch, seq=seq, low=low, t_s=1.0, wall_utc="then", kind=kind, body=body
    )
    return Came(f"fleet/v1/{box}/up", pack(told))


def summary(seq, strength="calm", epoch="e1", **more):
    body = json.loads(pack(summarise(told_ride()))) | {"strength": strength} | more
    return up(seq, "summary", body, epoch=epoch)


def upto(archive, *came):
    acks = archive.store(came)
    return acks[-1][1].upto if acks else None


def test_a_record_that_comes_twice_is_stored_once(archive):
    assert upto(archive, up(1), up(1)) == 1
    assert upto(archive, up(1)) == 1
    assert archive.counts["records"] == 1


def test_the_watermark_waits_at_a_record_that_has_not_come(archive):
    assert upto(archive, up(1), up(2), up(4), up(5)) == 2
    assert upto(archive, up(3)) == 5


def test_each_box_and_each_of_its_databases_has_a_watermark_of_its_own(archive):
    acks = archive.store([up(1), up(2), up(1, box="b2"), up(1, epoch="e2")])
    assert [(box, ack.epoch, ack.upto) for box, ack in acks] == [
        ("b1", "e1", 2),
        ("b1", "e2", 1),
        ("b2", "e1", 1),
    ]


def test_a_studio_that_lost_its_database_goes_on_where_the_boxes_are(archive):
    assert upto(archive, up(501, low=501), up(502, low=501)) == 502


def test_a_gap_that_the_box_tells_is_passed(archive):
    gap = json.loads(pack(Gap(upto=6, records=4, why="no room")))
    assert upto(archive, up(1), up(2), up(7), up(3, "gap", gap)) == 7


@pytest.mark.parametrize(
    ("kind", "body"),
    [("summary", {"ride": 7}), ("summary", {}), ("gap", {"upto": "many"}), ("gap", {"upto": 0})],
)
def test_a_record_nobody_can_read_is_kept_as_dead_and_does_not_hold_up_the_box(archive, kind, body):
    assert upto(archive, up(1), up(2, kind, body), up(3)) == 3
    assert archive.counts == {"records": 3, "rides": 0, "unreadable": 1}


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff\xfe", b"null", b"[1]", b'{"box":"b1"}'])
def test_nonsense_is_kept_as_dead_and_confirms_nothing(archive, payload):
    assert archive.store([Came("fleet/v1/b1/up", payload)]) == []
    assert archive.counts["unreadable"] == 1


def test_a_box_cannot_speak_for_another(archive):
    forged = up(1)._replace(topic="fleet/v1/b2/up")
    assert archive.store([forged]) == []
    assert archive.ride("b1", "000001_ab_b1") is None


def test_a_kind_that_this_studio_does_not_know_yet_is_kept_and_confirmed(archive):
    assert upto(archive, up(1, "heart_rate", {"bpm": 148})) == 1
    assert archive.counts["unreadable"] == 0


def test_a_ride_is_told_as_it_came_with_what_a_newer_box_added(archive):
    archive.store([summary(1, power_mean_w=174)])
    stored = archive.ride("b1", "000001_ab_b1")
    assert stored.summary["power_mean_w"] == 174
    assert stored.summary["duration_s"] == 90.0
    assert [ride.summary["ride"] for ride in archive.rides()] == ["000001_ab_b1"]


def test_a_summary_that_was_told_anew_replaces_the_old_one_and_a_late_old_one_does_not(archive):
    archive.store([summary(5, "second")])
    archive.store([summary(2, "first")])
    assert archive.ride("b1", "000001_ab_b1").summary["strength"] == "second"
    archive.store([summary(1, "after a new card", epoch="e2")])
    assert archive.ride("b1", "000001_ab_b1").summary["strength"] == "after a new card"
    assert archive.counts["rides"] == 1


def test_what_was_confirmed_is_there_after_a_restart(archive, database):
    archive.store([up(1), up(2), summary(3)])
    archive.close()
    again = Archive(database, HandClock())
    assert upto(again, up(1)) == 3
    assert again.ride("b1", "000001_ab_b1").summary["ride"] == "000001_ab_b1"
    again.close()


def test_a_ride_that_is_told_anew_by_other_names_is_stored_once(archive):
    """The box's database broke, and its journals were read again from their beginning."""
    told = [up(1), up(2), summary(3)]
    assert upto(archive, *told) == 3
    again = [up(1, epoch="e2"), up(2, epoch="e2"), summary(3, epoch="e2")]
    acks = archive.store([*again, *again])
    assert [(ack.epoch, ack.upto, ack.digest) for _, ack in acks] == [("e2", 3, "")]
    kinds = archive._tables.ask("SELECT epoch, kind FROM record ORDER BY epoch, seq")
    assert kinds[:3] == [("e1", "interval"), ("e1", "interval"), ("e1", "summary")]
    assert kinds[3:] == [("e2", "again")] * 3
    assert archive.counts == {"records": 3, "rides": 1, "unreadable": 0}


def test_a_ride_goes_by_its_newest_summary_though_its_words_were_told_before(archive):
    archive.store([summary(1), summary(2, "awake"), summary(3)])
    assert archive.rides()[0].summary["strength"] == "calm"
    assert upto(archive, summary(4, "awake", epoch="e1")) == 4
    assert archive.rides()[0].summary["strength"] == "awake"


def test_other_words_under_another_name_are_another_record(archive):
    archive.store([up(1), up(1, epoch="e2", body={"n": 1, "more": 1}), up(1, box="b2")])
    assert archive.counts["records"] == 3


def test_what_was_told_anew_and_is_brought_by_hand_to_its_gap_is_there_once(archive):
    gap = json.loads(pack(Gap(upto=1, records=1, why="no room")))
    archive.store([up(1, "gap", gap), up(1, epoch="e2"), up(1)])
    kinds = archive._tables.ask("SELECT kind FROM record ORDER BY epoch, seq")
    assert kinds == [("again",), ("interval",)]
