"""A box's database brought by hand: what its network never could is taken in all the same.

The file is copied first and never written. Records keep their names, so what the box sends later is
known already, and what was sent before is not there twice.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
from sqlite_utils import Database

from firmware_app.clock import Clock
from firmware_app.errors import BadInput
from gateway.database import look_into
from gateway.outbox import Outbox
from gateway.store import steps
from gateway.studio.archive import Archive, Came
from gateway.topics import Up, box_topic, pack

AT_ONCE = 500


def take_in(path: Path, archive: Archive, clock: Clock) -> tuple[str, int]:
    """Store all that a box's file holds; return the box, and the records that are new.

    Raise BadInput when it is not a box's database.
    """
    if not path.is_file():
        raise BadInput(f"{path}: no such file; bring <state>/gateway/gateway.db and what is beside")
    before = archive.counts["records"]
    with tempfile.TemporaryDirectory() as scratch:
        for tail in ("", "-wal"):
            beside = path.with_name(path.name + tail)
            if beside.exists():
                shutil.copyfile(beside, Path(scratch) / f"box.db{tail}")
        copy = Path(scratch) / "box.db"
        try:
            with look_into(copy) as db:
                row = _one(db, "SELECT value FROM about WHERE key = 'box'", path)
        except BadInput as error:
            raise BadInput(str(error).replace(str(copy), str(path))) from error
        box = str(row[0]) if row else ""
        with contextlib.closing(Database(copy)) as db:
            steps.apply(db)  # it may come from an older version
            outbox = Outbox(db, box, clock)
            outbox.name_rows()
            archive.store(_confirmed(db, box))
            seq = 0
            while ups := outbox.following(seq, AT_ONCE):
                archive.store(Came(box_topic(box, "up"), pack(up)) for up in ups)
                seq = ups[-1].seq
    return box, archive.counts["records"] - before


def _one(db: Database, sql: str, path: Path) -> tuple[object, ...] | None:
    if not {"about", "outbox", "ride"} <= set(db.table_names()):
        raise BadInput(f"{path}: not a box's database; it is called gateway.db on the box")
    row: tuple[object, ...] | None = db.execute(sql).fetchone()
    return row


def _confirmed(db: Database, box: str) -> Iterator[Came]:
    """Yield the summaries that a studio had: this one may have lost them, or never been it."""
    for seq, body, epoch in db.execute(
        "SELECT summary_seq, summary, summary_epoch FROM ride"
        " WHERE confirmed_utc IS NOT NULL ORDER BY n"
    ):
        up = Up(
            box=box,
            epoch=epoch,
            seq=seq,
            t_s=0.0,
            wall_utc="",
            kind="summary",
            body=msgspec.json.decode(body),
        )
        yield Came(box_topic(box, "up"), pack(up))
