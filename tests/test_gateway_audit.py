"""What was said and changed on a box, in a chain that shows every hand that was in it."""

import argparse
from datetime import UTC, datetime

import pytest
from gym_scene import told_ride
from sqlite_utils import Database

from firmware_app.clock import HandClock
from firmware_app.errors import BadInput, PartLost
from firmware_app.wire import Audit, encode
from gateway.audit import check, create_audit, trim
from gateway.commands import gateway as command
from gateway.database import snapshot
from gateway.store import Store


@pytest.fixture
def place(tmp_path):
    """Where the store of the box that the settings file describes is."""
    (tmp_path / "bikebox.toml").write_text(
        f'box = "b1"\n[paths]\nstate = "{tmp_path}"\nrun = "{tmp_path}"\n'
    )
    return tmp_path / "gateway" / "gateway.db"


@pytest.fixture
def store(place):
    store = Store(place, "b1", HandClock())
    yield store
    store.close()


def bikebox_gateway(place, *words):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(
        parser.parse_args(["--config", str(place.parents[1] / "bikebox.toml"), *words])
    )


def lines(*messages):
    return [encode(message).rstrip(b"\n") for message in messages]


def lived(store):
    store.note_if_new("started", "26.11.0")
    store.keep("j", 100, lines(*told_ride(), Audit(t_s=1.0, what="claimed", who="phone")))
    store.note("command", "studio", "message c-1 taken")


def test_a_long_audit_may_lose_its_oldest_entries_and_says_where_it_begins(store, place):
    for n in range(30):
        store.note("command", "studio", f"message c-{n} taken")
    with store._writing():
        assert trim(store._db, keep=10, most=15) == 15
        assert trim(store._db, keep=10, most=15) == 6  # with the entry that tells of the first
        assert trim(store._db, keep=11, most=15) == 0
    assert check(store._db)[:2] == (32, None)
    assert bikebox_gateway(place, "verify") == 0
    store.note("command", "studio", "one more")
    assert check(store._db)[:2] == (33, None)
    store._db.execute("delete from audit where id = (select min(id) from audit)")
    assert check(store._db).broken_at is not None


def test_a_chain_whose_begin_was_cut_off_by_a_hand_is_broken(store):
    for n in range(9):
        store.note("command", "studio", f"message c-{n} taken")
    store._db.execute("delete from audit where id <= 3")
    assert check(store._db).broken_at == 1
    store.note("audit_trimmed", "box", "3 0000")
    assert check(store._db).broken_at is not None
    store.note("audit_trimmed", "somebody", "nonsense")
    assert check(store._db).broken_at is not None


def test_what_was_said_commanded_and_changed_is_in_the_chain_and_the_chain_is_whole(store, place):
    lived(store)
    rows = list(store._db.execute("select json_extract(body, '$.what') from audit"))
    assert rows == [("started",), ("cue",), ("claimed",), ("command",)]
    assert check(store._db)[:2] == (4, None)
    assert bikebox_gateway(place, "verify") == 0


def test_the_studio_is_told_the_hash_of_what_goes_up(store):
    lived(store)
    told = [up.body for up in store.outbox.following(0, 100) if up.kind == "audit"]
    hashes = dict(store._db.execute("select id, hash from audit").fetchall())
    assert [(one["n"], one["hash"]) for one in told] == [(n, hashes[n]) for n in (1, 3, 4)]


def test_no_rider_s_name_is_in_the_chain(store):
    lived(store)
    told = " ".join(body for (body,) in store._db.execute("select body from audit"))
    assert "Sagar" not in told
    assert "shrug, spoken" in told


@pytest.mark.parametrize(
    ("hand", "shows_at"),
    [
        ("update audit set body = replace(body, 'spoken', 'dropped') where id = 2", 2),
        ("update audit set wall_utc = 'later' where id = 3", 3),
        ("delete from audit where id = 2", 2),
        ("delete from audit where id = 1", 1),
        ("update audit set hash = 'x' where id = 4", 4),
    ],
)
def test_a_hand_in_the_chain_shows(store, place, capsys, hand, shows_at):
    lived(store)
    with store._db.atomic():
        store._db.execute(hand)
    assert check(store._db).broken_at == shows_at
    assert bikebox_gateway(place, "verify") == 1
    assert f"entry {shows_at} " in capsys.readouterr().out


def test_the_same_version_and_settings_are_noted_once(store):
    for detail in ("26.11.0", "26.11.0", "26.12.0"):
        store.note_if_new("started", detail)
    assert check(store._db).entries == 2


def test_entries_from_before_there_was_a_chain_are_chained():
    db = Database(memory=True)
    db["audit"].insert_all(({"id": n, "wall_utc": "then", "body": f"{n}"} for n in (1, 2)), pk="id")
    create_audit(db)
    assert check(db)[:2] == (2, None)
    db.close()


# the clock -------------------------------------------------------------------------------------


def test_a_ride_from_before_ntp_spoke_gets_its_true_start(tmp_path):
    true = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
    clock = HandClock(true)  # the ride, told below, believed that it was April
    store = Store(tmp_path / "gateway.db", "b1", clock)
    clock.advance(5000.0)
    store.keep("j", 100, lines(*told_ride()))  # its start was at 100 s of this boot
    assert store.fix_clock("boot-1") == 1
    assert store.ride("000001_ab_b1").summary.started_utc == "2026-11-23T18:01:40.000+00:00"
    *_, summary, fix = store.outbox.following(0, 100)
    assert (summary.kind, summary.body["started_utc"][:16]) == ("summary", "2026-11-23T18:01")
    assert (fix.kind, fix.body) == (
        "clock_fix",
        {"boot_id": "boot-1", "offset_s": true.timestamp(), "rides": 1},
    )
    assert store.fix_clock("boot-1") == 0
    store.close()


def test_a_ride_of_another_boot_keeps_its_time(store):
    store.keep("j", 100, lines(*told_ride()))
    assert store.fix_clock("boot-2") == 0
    assert store.ride("000001_ab_b1").summary.started_utc == "2026-04-17T18:00:00+00:00"


# a technician's commands -----------------------------------------------------------------------


def test_a_snapshot_is_a_whole_store_of_its_own_while_the_first_is_used(store, place, tmp_path):
    lived(store)
    copy = tmp_path / "before-the-update.db"
    assert bikebox_gateway(place, "snapshot", str(copy)) == 0
    again = Store(copy, "b1", HandClock())
    assert again.outbox.following(0, 100) == store.outbox.following(0, 100)
    again.close()
    with pytest.raises(BadInput, match="new file"):
        snapshot(place, copy)


def test_what_is_no_store_is_told(place, tmp_path):
    with pytest.raises(BadInput, match="has the gateway ever run"):
        bikebox_gateway(place, "verify")
    (tmp_path / "junk.db").write_bytes(b"junk" * 500)
    with pytest.raises(BadInput, match="not a database"):
        snapshot(tmp_path / "junk.db", tmp_path / "copy.db")


def test_the_status_of_a_gateway_that_does_not_run_says_where_to_look(place):
    with pytest.raises(PartLost, match="systemctl status bikebox-gateway"):
        bikebox_gateway(place, "status")
