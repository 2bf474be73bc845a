"""A short storm on every run: whoever dies whenever, nothing is lost. `make chaos` blows longer."""

import pytest
from sqlite_utils import Database

from tests.chaos.rider import INTERVALS
from tests.chaos.storm import Storm
from tests.chaos.tally import tally


@pytest.mark.parametrize(("broker", "seed"), [("mosquitto", 3), ("nats", 4), ("cluster", 5)])
def test_nothing_is_lost_doubled_or_mixed_up_whoever_is_killed(tmp_path, broker, seed):
    storm = Storm(tmp_path, seed, broker, boxes=2)
    try:
        storm.run(kills=6)
        told = storm.tally()
    finally:
        storm.stop()
    assert told.expected >= 2 * (INTERVALS + 2)
    assert told == (told.expected, 0, 0, 0, 0)
    assert max(storm.most_mb.values()) < 150


@pytest.fixture
def gym_of_one_ride(tmp_path):
    """A studio's database in which one ride of a box stands as it was told."""
    (tmp_path / "ridden").write_text("000001_ab_b1\n")
    db = Database(tmp_path / "studio.db")
    told = [("interval", f'{{"ride":"000001_ab_b1","n":{n}}}') for n in range(INTERVALS)]
    told += [("cue", '{"ride":"000001_ab_b1","cue":1}'), ("summary", '{"ride":"000001_ab_b1"}')]
    db["record"].insert_all(
        {"box": "b1", "epoch": "e", "seq": seq, "kind": kind, "body": body}
        for seq, (kind, body) in enumerate(told, 1)
    )
    yield db, tmp_path
    db.close()


@pytest.mark.parametrize(
    ("harm", "figure"),
    [
        ("delete from record where seq = 7", "lost"),
        ("update record set body = json_set(body, '$.n', 3) where seq = 5", "doubled"),
        ("update record set seq = 100 where seq = 7", "disordered"),
        ("update record set body = json_set(body, '$.ride', '000002_xx_b2')", "foreign"),
    ],
)
def test_the_tally_of_a_storm_finds_each_harm(gym_of_one_ride, harm, figure):
    db, folder = gym_of_one_ride
    boxes = {"b1": folder}
    assert tally(str(folder / "studio.db"), boxes) == (INTERVALS + 2, 0, 0, 0, 0)
    with db.conn:
        db.conn.execute(harm)
    assert getattr(tally(str(folder / "studio.db"), boxes), figure) > 0
