"""Several studios over one PostgreSQL: each stores, none says too much, one speaks for all."""

import threading
from itertools import pairwise

import pytest
from gym_scene import until
from test_studio_archive import summary, up

from firmware_app.clock import HandClock, MachineClock
from firmware_app.errors import BadSetting, MissingPart, PartLost
from gateway.studio import extras
from gateway.studio.archive import Archive
from gateway.studio.service import StudioService
from gateway.studio.settings import GymSettings, Stream
from tests.postgres_scene import Postgres


@pytest.fixture
def address(postgres):
    return postgres.database()


@pytest.fixture
def studios(address):
    made = [Archive(address, MachineClock()) for _ in range(3)]
    yield made
    for studio in made:
        studio.close()


def test_studios_that_start_together_shape_the_tables_once(studios):
    threads = [threading.Thread(target=lambda s=s: s.counts) for s in studios]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert studios[0].counts == {"records": 0, "rides": 0, "unreadable": 0}


def test_records_shared_out_in_any_way_are_stored_once_and_confirmed_to_the_last(studios):
    """Three studios take the records of two boxes in turns, at once, and some of them twice."""
    said = [[] for _ in studios]

    def take(who):
        for seq in range(1, 91):
            if seq % 3 == who or seq % 5 == 0:
                came = [up(seq, box=box) for box in ("b1", "b2")]
                said[who] += studios[who].store(came if seq % 2 else reversed(came))

    threads = [threading.Thread(target=take, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert studios[0].counts["records"] == 180
    for box in ("b1", "b2"):
        assert max(ack.upto for each in said for who, ack in each if who == box) == 90
        for each in said:
            upto = [ack.upto for who, ack in each if who == box]
            assert all(before <= after for before, after in pairwise(upto))


def test_a_watermark_never_passes_a_record_that_another_studio_has_not_committed(studios):
    one, other, _ = studios
    one.store([up(1)])
    with one._tables.atomic():
        one._tables.do("INSERT INTO record (box, epoch, seq, body) VALUES ('b1', 'e1', 2, '{}')")
        assert other.store([up(3)])[0][1].upto == 1
    assert one.store([up(2)])[0][1].upto == 3


def test_one_studio_speaks_for_all_and_another_when_it_is_gone(studios):
    one, other, _ = studios
    assert one.speaks()
    assert one.speaks()
    assert not other.speaks()
    one.close()
    until(other.speaks)  # the database hears of it in its own time


def test_the_newest_summary_of_a_ride_wins_whoever_took_it(studios):
    one, other, _ = studios
    one.store([summary(5, "second")])
    other.store([summary(2, "first")])
    assert other.ride("b1", "000001_ab_b1").summary["strength"] == "second"
    assert one.counts["rides"] == 1


def test_a_letter_that_postgresql_does_not_take_holds_nothing_up(studios):
    came = up(1, "heart\0rate", {"bpm": "\0"})
    assert studios[0].store([came, up(2)._replace(topic="fleet/v1/\0/up"), up(3)])[0][1].upto == 1
    assert studios[0].counts == {"records": 2, "rides": 0, "unreadable": 1}


def test_a_database_that_is_away_is_a_lost_part_and_comes_back_by_itself():
    server, clock = Postgres(), HandClock()
    try:
        archive = Archive(server.database(), clock)
        archive.store([up(1)])
        server.kill()
        for _ in range(2):
            with pytest.raises(PartLost, match="the database at 127"):
                archive.store([up(2)])
        server.start()
        while not server.answers():
            pass
        with pytest.raises(PartLost):
            archive.counts  # noqa: B018 - not asked again in the same breath
        clock.advance(2.0)
        assert archive.store([up(2)])[0][1].upto == 2
        archive.close()
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://studio:secret@gym/bikebox", "passfile=FILE"),
        ("postgresql://gym:many/bikebox?colour=red", "colour"),
    ],
)
def test_an_address_that_tells_a_password_or_makes_no_sense_is_refused(address, words):
    with pytest.raises(BadSetting, match=words):
        Archive(address, HandClock())


def test_a_studio_without_the_clients_says_how_to_get_them(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(MissingPart, match=r"bikebox\[cluster\]"):
        Archive("postgresql://studio@gym/bikebox", HandClock())
    shared = GymSettings(database=":memory:", stream=Stream(servers=("nats://gym:4222",)))
    with pytest.raises(MissingPart, match=r"\[stream\] servers"):
        StudioService(shared, HandClock())
