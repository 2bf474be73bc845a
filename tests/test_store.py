"""The box's memory: nothing lost, nothing twice, whatever dies whenever."""

import sqlite3
from collections import Counter

import msgspec
import pytest
from gym_scene import interval, told_ride
from sqlite_utils import Database

from firmware_app.clock import HandClock
from firmware_app.errors import MissingPart, PartLost
from firmware_app.wire import Audit, CueGiven, RideId, encode
from gateway.rides import LONGEST_BODY
from gateway.room import NEWEST_RIDES, bytes_used, make_room
from gateway.store import Store
from gateway.topics import Ack

JOURNAL = "000001_ab_b1.jsonl"


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "gateway.db", "b1", HandClock())
    yield store
    store.close()


def lines(messages):
    return [encode(message).rstrip(b"\n") for message in messages]


def kinds(store):
    return [up.kind for up in store.outbox.following(0, 1000)]


def confirm(store, upto):
    store.confirm(Ack(epoch=store.outbox.epoch, upto=upto, at_utc="2026-04-17T19:00:00+00:00"))


def test_a_ride_that_is_over_goes_out_piece_by_piece_and_as_a_summary(store):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    assert kinds(store) == ["interval", "interval", "interval", "cue", "summary"]
    summary = store.outbox.following(4, 1)[0]
    assert (summary.seq, summary.boot_id, summary.low) == (5, "boot-1", 1)
    assert summary.body["duration_s"] == 90.0


def test_the_same_bytes_told_again_are_kept_once(store):
    for _ in range(3):
        store.keep(JOURNAL, 1000, lines(told_ride()))
    assert store.kept(JOURNAL) == 1000
    assert store.outbox.rows == 5


def test_the_same_ride_in_another_journal_is_still_one_ride(store):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    store.keep("copy.jsonl", 1000, lines(told_ride()))
    assert store.outbox.rows == 5
    assert len(store.rides()) == 1


def test_a_line_nobody_can_read_is_put_aside_and_the_rest_is_kept(store):
    told = lines(told_ride())
    told[2:2] = [
        b'{"type":"Interval","ride":',
        b"\xff\xfe\x00",
        b'{"type":"FromTheFuture","t_s":1}',
    ]
    store.keep(JOURNAL, 1000, told)
    assert store.dead == 3
    assert store.outbox.rows == 5
    assert store.kept(JOURNAL) == 1000


def test_a_chunk_is_kept_whole_or_not_at_all(store, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(store._rides, "tell_summary", full)
        with pytest.raises(PartLost, match="full"):
            store.keep(JOURNAL, 1000, lines(told_ride()))
    assert store.kept(JOURNAL) == 0
    assert store.outbox.rows == 0
    store.keep(JOURNAL, 1000, lines(told_ride()))
    assert kinds(store)[-1] == "summary"


def test_a_ride_that_goes_on_after_its_end_is_summed_up_again(store):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    confirm(store, 5)
    store.keep(JOURNAL, 1100, lines([interval(RideId("000001_ab_b1"), 3)]))
    assert kinds(store) == ["interval", "summary"]
    assert store.outbox.following(6, 1)[0].body["duration_s"] == 120.0
    assert store.ride("000001_ab_b1").confirmed_utc is None


def test_the_next_ride_closes_one_whose_end_was_never_told(store):
    store.keep(JOURNAL, 1000, lines(told_ride(ended=False)))
    assert "summary" not in kinds(store)
    store.keep(
        "000002_ab_b1.jsonl", 100, lines(told_ride("000002_ab_b1", intervals=0, ended=False))
    )
    summaries = [up.body for up in store.outbox.following(0, 99) if up.kind == "summary"]
    assert [(body["ride"], body["complete"]) for body in summaries] == [("000001_ab_b1", False)]


def test_what_the_studio_confirmed_leaves_the_outbox_and_the_ride_knows_it(store):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    confirm(store, 4)
    assert store.outbox.rows == 1
    assert store.ride("000001_ab_b1").confirmed_utc is None
    confirm(store, 5)
    assert store.outbox.rows == 0
    assert store.ride("000001_ab_b1").confirmed_utc == "2026-04-17T19:00:00+00:00"
    assert store.last_confirmed_utc == "2026-04-17T19:00:00+00:00"


def test_a_confirmation_for_another_database_confirms_nothing(store):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    store.confirm(Ack(epoch="somebody-else", upto=5))
    assert store.outbox.rows == 5


def test_a_card_restored_from_an_old_copy_does_not_pass_off_new_records_as_known(store):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    epoch = store.outbox.epoch
    confirm(store, 900)
    assert store.outbox.epoch != epoch
    assert store.outbox.rows == 5


def test_a_seq_is_never_used_twice_even_when_the_newest_is_gone(tmp_path):
    store = Store(tmp_path / "a.db", "b1", HandClock())
    store.keep(JOURNAL, 1000, lines(told_ride()))
    confirm(store, 5)
    store.close()
    again = Store(tmp_path / "a.db", "b1", HandClock())
    again.keep("box.jsonl", 10, lines([Audit(t_s=1.0, what="settings changed", who="ssh")]))
    up = again.outbox.following(0, 1)[0]
    again.close()
    assert (up.seq, up.kind, up.low) == (6, "audit", 6)


def test_a_broken_database_is_set_aside_under_its_own_name_and_a_new_one_begun(tmp_path):
    path = tmp_path / "gateway.db"
    Store(path, "b1", HandClock()).close()
    path.write_bytes(b"this is not a database" * 100)
    store = Store(path, "b1", HandClock())
    store.keep(JOURNAL, 1000, lines(told_ride()))
    assert store.outbox.rows == 5
    store.close()
    aside = list(tmp_path.glob("gateway.db.broken-*"))
    assert len(aside) == 1
    assert aside[0].read_bytes().startswith(b"this is not")


def test_a_database_with_a_torn_page_is_found_at_the_start(tmp_path):
    path = tmp_path / "gateway.db"
    store = Store(path, "b1", HandClock())
    store.keep(JOURNAL, 1000, lines(told_ride(intervals=200)))
    store.close()
    torn = bytearray(path.read_bytes())
    torn[8192:12288] = b"\x5a" * 4096
    path.write_bytes(torn)
    Store(path, "b1", HandClock()).close()
    assert list(tmp_path.glob("gateway.db.broken-*"))


def test_a_folder_that_cannot_be_written_is_told_with_what_to_do(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(MissingPart, match="full or read-only"):
        Store(tmp_path / "state" / "gateway.db", "b1", HandClock())


def test_every_commit_is_on_the_card_before_it_is_said_to_be_kept(tmp_path):
    store = Store(tmp_path / "gateway.db", "b1", HandClock())
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store._db.journal_mode == "wal"
    store.close()


def test_hours_of_cues_do_not_make_a_summary_that_no_broker_takes(store):
    ride = RideId("000001_ab_b1")
    cues = [
        CueGiven(
            t_s=n, ride=ride, cue=n, rule="shrug", kind="correct", words="x" * 150, outcome="spoken"
        )
        for n in range(1, 600)
    ]
    store.keep(JOURNAL, 1000, lines([*told_ride(), *cues]))
    summary = store.outbox.following(0, 2000)[-1]
    assert summary.kind == "summary"
    assert summary.body["cues"] == []
    assert len(msgspec.json.encode(summary.body)) < LONGEST_BODY


def test_a_full_box_forgets_the_details_of_rides_the_studio_has_before_anything_else(store):
    store.keep(JOURNAL, 1000, lines(told_ride(intervals=200)))
    confirm(store, store.outbox.newest)
    store.keep("000002_ab_b1.jsonl", 1000, lines(told_ride("000002_ab_b1", intervals=200)))
    before = store.outbox.rows
    store.make_room(bytes_used(store._db) - 8192, 365)
    assert store.outbox.rows == before
    assert store.ride("000001_ab_b1").summary.duration_s == 6000.0
    assert store.ride("000002_ab_b1").summary.duration_s == 6000.0


def test_after_years_without_a_studio_unsent_intervals_become_gaps_and_summaries_stay(store):
    store.keep(JOURNAL, 1000, lines(told_ride(intervals=200)))
    store.make_room(bytes_used(store._db) - 60_000, 365)
    left = store.outbox.following(0, 1000)
    assert [up.kind for up in left] == ["gap", "gap", "cue", "summary"]
    assert (left[0].seq, left[0].body["upto"], left[1].body["upto"]) == (1, 100, 200)


def test_what_is_missed_least_goes_first_and_all_that_was_not_sent_is_told(store):
    for n in range(60):
        ride = f"{n + 1:06d}_ab_b1"
        store.keep(
            f"{ride}.jsonl", 1000, lines([*told_ride(ride, intervals=2), Audit(t_s=1.0, what="x")])
        )
    confirm(store, 60)  # the first twelve rides
    gone, before = [], {}
    while make_room(store._db, store.outbox):
        kinds = Counter(up.kind for up in store.outbox.following(0, 1000))
        kinds["rides"] = len(store.rides(100))
        gone += [kind for kind in before if kinds[kind] < before[kind] and kind not in gone]
        before = kinds
    assert gone == ["rides", "interval", "cue", "audit", "summary"]
    assert {up.kind for up in store.outbox.following(0, 1000)} == {"gap"}
    assert sum(up.body["records"] for up in store.outbox.following(0, 1000)) == 240
    assert store.outbox.given_up == 240
    assert len(store.rides(100)) == NEWEST_RIDES
    assert store.ride("000060_ab_b1").summary.duration_s == 60.0


def test_a_box_that_has_room_again_goes_on_as_ever(store):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    store.make_room(1, 365)
    ride = "000002_ab_b1"
    store.keep(f"{ride}.jsonl", 1000, lines(told_ride(ride)))
    assert kinds(store)[-5:] == ["interval", "interval", "interval", "cue", "summary"]
    assert store.ride(JOURNAL.removesuffix(".jsonl")).summary.duration_s == 90.0


def test_a_technician_can_read_the_store_with_any_sqlite_tool(store, tmp_path):
    store.keep(JOURNAL, 1000, lines(told_ride()))
    other = Database(tmp_path / "gateway.db")
    assert {"ride", "interval", "cue", "audit", "outbox", "journal", "dead"} <= set(
        other.table_names()
    )
    assert other.table("interval").count == 3
    other.close()


def test_what_is_old_goes_once_the_clock_is_known_to_be_right_and_is_told_as_gaps(tmp_path):
    clock = HandClock()
    store = Store(tmp_path / "gateway.db", "b1", clock)
    for ride in ("000001_ab_b1", "000002_ab_b1"):
        store.keep(ride, 1000, lines(told_ride(ride)))
        confirm(store, 5)  # the first alone
    clock.advance(40 * 86400)
    store.keep("000003_ab_b1", 1000, lines(told_ride("000003_ab_b1")))
    before = kinds(store)
    store.make_room(1 << 40, 30)
    assert kinds(store) == before  # a clock that may be wrong makes nothing old
    store.outbox.wall_synced = True
    store.make_room(1 << 40, 30)
    told = ["interval", "interval", "interval", "cue", "summary"]
    assert kinds(store) == ["gap", "cue", "summary", *told]
    assert "older than" in store.outbox.following(0, 1)[0].body["why"]
    assert store.outbox.given_up == 3
    rows = store._db.execute("SELECT DISTINCT ride FROM interval ORDER BY ride").fetchall()
    assert [ride[:6] for (ride,) in rows] == ["000002", "000003"]
    assert store.ride("000001_ab_b1").summary.duration_s == 90.0
    store.close()


def test_the_last_confirmation_is_told_of_whatever_was_confirmed(store):
    assert store.last_confirmed_utc is None
    store.keep(JOURNAL, 1000, lines(told_ride()))
    confirm(store, 2)
    assert store.last_confirmed_utc == "2026-04-17T19:00:00+00:00"
    assert store.ride("000001_ab_b1").confirmed_utc is None


OF_THE_VERSION_BEFORE = (
    "INSERT INTO outbox (boot_id, t_s, wall_utc, kind, body) VALUES ('b', 1, 'then', 'cue', '{}')",
    "INSERT OR IGNORE INTO ride (ride, started) VALUES ('9', '{}')",
    "UPDATE ride SET summary = '{}', summary_seq = 9, confirmed_utc = NULL WHERE ride = '9'",
    "DELETE FROM ride WHERE ride = '9'",
    "SELECT seq, boot_id, t_s, wall_utc, wall_synced, kind, body FROM outbox",
    "INSERT INTO audit VALUES (99, 'then', '{}', '')",
    "DELETE FROM audit WHERE id = 99",
    "INSERT OR IGNORE INTO interval (ride, n, body) VALUES ('9', 1, '{}')",
    "DELETE FROM interval WHERE ride = '9'",
)
"""What 26.11.0 did with a store; a box that is put back to it goes on with what this one left."""


def test_the_version_before_goes_on_with_this_store_and_this_one_with_what_it_left(tmp_path):
    store = Store(tmp_path / "gateway.db", "b1", HandClock())
    store.keep(JOURNAL, 1000, lines(told_ride()))
    store.close()
    db = Database(tmp_path / "gateway.db")
    for statement in OF_THE_VERSION_BEFORE:
        db.execute(statement)
    db.conn.commit()
    db.close()
    again = Store(tmp_path / "gateway.db", "b1", HandClock())
    ups = again.outbox.following(0, 100)
    assert [up.seq for up in ups] == [1, 2, 3, 4, 5, 6]
    assert {up.epoch for up in ups} == {again.outbox.epoch}
    assert (ups[-1].kind, ups[-1].wall_utc) == ("cue", "then")
    again.close()
