"""Opens an SQLite file so that a pulled plug costs nothing and a broken file stops nobody.

WAL with synchronous=FULL: what was committed is on the card when the call returns. One process
writes each file, in one thread.
"""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import structlog
from sqlite_utils import Database, Migrations

from firmware_app.clock import Clock
from firmware_app.errors import BadInput, MissingPart, PartLost

log = structlog.get_logger()


def open_database(path: Path, steps: Migrations, clock: Clock) -> Database:
    """Open, or make, the file and bring it to the newest shape.

    A file that SQLite cannot read is set aside under a name that says so, and a new one begun:
    a box that does not start helps nobody. Raise MissingPart when nothing can be written there, and
    PartLost while the disk is full or read-only, which may pass.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _open(path, steps)
        except sqlite3.OperationalError:
            raise  # no space, no right, no disk: the file itself may be whole
        except sqlite3.DatabaseError as error:
            aside = _set_aside(path, clock)
            log.warning("database_set_aside", why=str(error), kept_as=str(aside))
            return _open(path, steps)
    except (OSError, sqlite3.OperationalError) as error:
        kind = PartLost if _may_pass(error, path.parent) else MissingPart
        raise kind(
            f"{path}: {error}. Is the disk full or read-only, and does this user own the folder?"
        ) from error


@contextlib.contextmanager
def look_into(path: Path) -> Iterator[Database]:
    """Open a file to read it, beside the process that writes it; raise BadInput."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise BadInput(_unreadable(path, error)) from error
    with contextlib.closing(Database(connection)) as db:
        try:
            db.table_names()  # SQLite looks into the file only now
        except sqlite3.Error as error:
            raise BadInput(_unreadable(path, error)) from error
        yield db


def _unreadable(path: Path, error: sqlite3.Error) -> str:
    return f"{path}: {error}; is that a database, and may you read it?"


def snapshot(path: Path, copy: Path) -> None:
    """Copy a database while it is used, whole and packed; raise BadInput.

    Under another name until it is on disk: a copy that is there is complete.
    """
    if copy.exists():
        raise BadInput(f"{copy} is there already; name a new file")
    part = copy.with_name(copy.name + ".part")
    part.unlink(missing_ok=True)
    with look_into(path) as db:
        try:
            db.execute("VACUUM INTO ?", [str(part)])
        except sqlite3.Error as error:
            raise BadInput(f"{copy}: {error}; is there room, and may you write there?") from error
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.rename(copy)
    folder = os.open(copy.absolute().parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # its name too: an update may pull the plug right after
    finally:
        os.close(folder)


def _open(path: Path, steps: Migrations) -> Database:
    db = Database(path)
    try:
        db.enable_wal()
        db.execute("PRAGMA synchronous = FULL")
        _check(db)
        steps.apply(db)
    except BaseException:
        db.close()
        raise
    return db


def _check(db: Database) -> None:
    (told,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if told != "ok":
        raise sqlite3.DatabaseError(str(told))


def _may_pass(error: OSError | sqlite3.OperationalError, folder: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
    name = getattr(error, "sqlite_errorname", "")
    read_only = folder.is_dir() and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    return read_only or name.startswith(("SQLITE_FULL", "SQLITE_IOERR"))


def _set_aside(path: Path, clock: Clock) -> Path:
    """Rename the file and what SQLite keeps beside it; never overwrite an older one."""
    stamp = clock.wall().strftime("%Y%m%dT%H%M%S")
    count = 1
    while (aside := path.with_name(f"{path.name}.broken-{stamp}-{count}")).exists():
        count += 1
    path.rename(aside)
    for tail in ("-wal", "-shm"):
        beside = path.with_name(path.name + tail)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + tail))
    return aside
