"""What arrived, against what was ridden: read from the studio's own tables."""

import contextlib
import json
import sqlite3
from collections import Counter
from typing import NamedTuple

import psycopg

from tests.chaos.rider import INTERVALS

NOT_OF_A_RIDE = ("audit", "clock_fix", "gap", "again")
AFTER = {"cue": INTERVALS, "summary": INTERVALS + 1}
"""Where a record stands in a ride, beside the intervals that are numbered."""


class Tally(NamedTuple):
    """The end of a storm in figures."""

    expected: int
    lost: int
    doubled: int
    disordered: int
    """Records that stand in the studio in another order than they were told in."""
    foreign: int
    """Records that nobody told."""


def expected(boxes):
    """Name every record of every ride that is over; boxes is name to its folder."""
    return {
        (box, ride, kind, n)
        for box, folder in boxes.items()
        for ride in (folder / "ridden").read_text().split()
        for kind, n in [("interval", n) for n in range(INTERVALS)] + [("cue", 1), ("summary", 0)]
    }


def _records(database):
    open_ = psycopg.connect if database.startswith("postgresql:") else sqlite3.connect
    with contextlib.closing(open_(database)) as connection:
        question = "select box, epoch, seq, kind, body from record order by 1, 2, 3"
        return connection.execute(question).fetchall()


def _told(body):
    """Return the ride that a record is of, and its number there."""
    told = json.loads(body or "{}")
    return told.get("ride"), told.get("n", told.get("cue", 0))


def tally(database, boxes):
    """Count what is lost, there twice, out of order, or of nobody."""
    want = expected(boxes)
    rows = [(*name, kind, *_told(body)) for *name, kind, body in _records(database)]
    have = Counter(
        (box, ride, kind, n) for box, _, _, kind, ride, n in rows if kind not in NOT_OF_A_RIDE
    )
    disordered, before = 0, {}
    for box, epoch, seq, kind, ride, n in rows:
        last_seq, last = before.get((box, epoch), (0, ("", -1)))
        place = last if kind in NOT_OF_A_RIDE else (ride, n + AFTER.get(kind, 0))
        disordered += seq != last_seq + 1 or place < last
        before[box, epoch] = seq, place
    return Tally(
        expected=len(want),
        lost=len(want - have.keys()),
        doubled=sum(have.values()) - len(have),
        disordered=disordered,
        foreign=len(have.keys() - want),
    )
