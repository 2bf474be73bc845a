"""A box's database brought by hand: what its network never could is taken in all the same.

The file is copied first and never written. Records keep their names, so what the box sends later is
known already, and what was sent before is not there twice.
"""

import contextlib
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from sqlite_utils import Database

from firmware_app.clock import Clock
from firmware_app.errors import BadInput
from gateway.database import look_into
from gateway.outbox import Outbox
from gateway.store import PUT_ASIDE, steps
from gateway.studio.archive import Archive, Came
from gateway.topics import Up, box_topic, pack, unpack

AT_ONCE = 500


class Taken(NamedTuple):
    """What came of it."""

    box: str
    new: int
    """Records that were not here yet."""
    unreadable: int


def take_in(path: Path, archive: Archive, clock: Clock) -> Taken:
    """Store all that a box's file holds; raise BadInput when it is not a box's database.

    What is damaged in it is counted, and the rest is taken in.
    """
    if not path.is_file():
        raise BadInput(f"{path}: no such file; bring <state>/gateway/gateway.db and what is beside")
    before = archive.counts
    with tempfile.TemporaryDirectory() as scratch:
        for tail in ("", "-wal"):
            beside = path.with_name(path.name + tail)
            if beside.exists():
                shutil.copyfile(beside, Path(scratch) / f"box.db{tail}")
        copy = Path(scratch) / "box.db"
        try:
            with look_into(copy) as db:
                row = _one(db, "SELECT value FROM about WHERE key = 'box'", path)
        except (BadInput, sqlite3.Error) as error:
            raise BadInput(_again(path, str(error).replace(str(copy), str(path)))) from error
        box = str(row[0]) if row else ""
        with contextlib.closing(Database(copy)) as db:
            try:
                steps.apply(db)  # it may come from an older version
                outbox = Outbox(db, box, clock)
                outbox.name_rows()
            except sqlite3.Error as error:
                raise BadInput(_again(path, str(error))) from error
            skipped = [0]
            records = itertools.chain(
                _confirmed(db, box, skipped),
                _waiting(db, outbox, skipped),
                _put_aside(db, skipped),
            )
            while ups := list(itertools.islice(records, AT_ONCE)):
                archive.store(Came(box_topic(box, "up"), pack(up)) for up in ups)
    after = archive.counts
    dead = after["unreadable"] - before["unreadable"]
    return Taken(box, after["records"] - before["records"], dead + skipped[0])


def _again(path: Path, why: str) -> str:
    return why if str(path) in why else f"{path}: {why}; copy it from the box once more"


def _one(db: Database, sql: str, path: Path) -> tuple[object, ...] | None:
    if not {"about", "outbox", "ride"} <= set(db.table_names()):
        raise BadInput(f"{path}: not a box's database; it is called gateway.db on the box")
    row: tuple[object, ...] | None = db.execute(sql).fetchone()
    return row


def _confirmed(db: Database, box: str, skipped: list[int]) -> Iterator[Up]:
    """Yield the summaries that a studio had: this one may have lost them, or never been it."""
    question = "SELECT n FROM ride WHERE confirmed_utc IS NOT NULL AND n > ? ORDER BY n LIMIT 1"
    for n in _walk(db, question, skipped):
        with _counted(skipped):
            seq, body, epoch = db.execute(
                "SELECT summary_seq, summary, summary_epoch FROM ride WHERE n = ?", [n]
            ).fetchone()
            yield Up(
                box=box,
                epoch=epoch,
                seq=seq,
                t_s=0.0,
                wall_utc="",
                kind="summary",
                body=msgspec.json.decode(body),
            )


def _waiting(db: Database, outbox: Outbox, skipped: list[int]) -> Iterator[Up]:
    """Yield what no studio had, record by record."""
    question = "SELECT seq FROM outbox WHERE seq > ? ORDER BY seq LIMIT 1"
    for seq in _walk(db, question, skipped):
        with _counted(skipped):
            yield from outbox.following(seq - 1, 1)


def _put_aside(db: Database, skipped: list[int]) -> Iterator[Up]:
    """Yield what no broker took: a stick does."""
    question = f"SELECT id FROM dead WHERE source = '{PUT_ASIDE}' AND id > ? ORDER BY id LIMIT 1"  # noqa: S608 - our own words
    for number in _walk(db, question, skipped):
        with _counted(skipped):
            (line,) = db.execute("SELECT line FROM dead WHERE id = ?", [number]).fetchone()
            yield unpack(line.encode(), Up)


def _walk(db: Database, question: str, skipped: list[int]) -> Iterator[int]:
    """Yield each number that the question gives, as far as the file can be read."""
    last = -1
    with _counted(skipped):
        while (row := db.execute(question, [last]).fetchone()) and row[0] > last:
            last = int(row[0])
            yield last


@contextlib.contextmanager
def _counted(skipped: list[int]) -> Iterator[None]:
    """Count what a damaged file does not give, and go on."""
    try:
        yield
    except (sqlite3.Error, msgspec.MsgspecError, TypeError, ValueError):
        skipped[0] += 1
