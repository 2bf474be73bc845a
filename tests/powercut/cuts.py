"""Pulls the plug at many moments of a box's life, starts it again, and counts what is missing."""

import asyncio
import random
import sqlite3
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from firmware_app.clock import HandClock
from firmware_app.journal import Journal, whole_lines
from firmware_app.wire import Interval, Reader, RideEnded, RideId, RideStarted, ToGateway
from gateway.store import Store
from gateway.studio.archive import Archive
from tests.powercut.disk import Disk, traced
from tests.powercut.life import RIDE, all_kept, delivering, upload

ROOT = Path(__file__).parents[2]
JOURNAL = f"journals/{RIDE}.jsonl"


class Harm(NamedTuple):
    """What power cuts cost, all in all."""

    cuts: int
    synced: int
    """Bytes of journal that were promised at the cuts, and how many of them are gone."""
    synced_lost: int
    confirmed: int
    """Records that the studio had promised, and how many of them it has not."""
    confirmed_lost: int
    corrupt: int
    """Databases that were set aside or are not whole."""
    never_arrived: int
    """Records of the journal that did not reach the studio when all went on."""
    doubled: int


def life(folder: Path, log: Path, intervals: int):
    """Let a box live once, traced; return all it did to its files."""
    folder.mkdir()
    program = (sys.executable, "-m", "tests.powercut.life", folder, str(intervals))
    return traced(program, folder, log, ROOT)


def pull_the_plug(calls, folder: Path, after: Path, cuts: int, seed: int) -> Harm:
    """Cut at so many moments; `after` is a folder to start again in."""
    chance = random.Random(seed)
    disk, total = Disk(), Counter()
    promised = {b"synced": 0, b"confirmed": 0}
    moments = Counter(chance.choices(range(1, len(calls)), k=cuts))
    whole = b"".join(call.data for call in calls if call.path.endswith(JOURNAL))
    for n, call in enumerate(calls):
        for _ in range(moments[n]):
            place = after / str(total["cuts"])
            _lay_out(disk.cut(chance), folder, place)
            total.update(cuts=1, synced=promised[b"synced"], confirmed=promised[b"confirmed"])
            total.update(_start_again(place, whole[: promised[b"synced"]], promised[b"confirmed"]))
        if call.path.endswith("/promises") and call.kind == "append":
            word, number = call.data.split()
            promised[word] = int(number)
        disk.take(call)
    return Harm(**{field: total[field] for field in Harm._fields})


def _lay_out(files, folder, place):
    (place / "journals").mkdir(parents=True)
    for path, content in files.items():
        if not path.endswith(("/promises", "-shm")):  # SQLite makes the latter anew
            (place / Path(path).relative_to(folder)).write_bytes(content)


def _start_again(place, synced, confirmed):
    """Open what is left as the services do, go on to the end, and count broken promises."""
    path = place / JOURNAL
    left = path.read_bytes() if path.exists() else b""
    store = Store(place / "gateway.db", "b1", HandClock())
    archive = Archive(str(place / "studio.db"), HandClock())
    have = {seq for (seq,) in archive._tables._db.execute("select seq from record")}
    harm = {
        "synced_lost": 0 if left.startswith(synced) else len(synced),
        "confirmed_lost": len(set(range(1, confirmed + 1)) - have),
        "corrupt": len(list(place.glob("*.broken-*")))
        + _broken(store._db)
        + _broken(archive._tables._db),
    }
    with Journal(path) as journal:
        journal.append(RideEnded(t_s=1e6, ride=RideId(RIDE), intervals=0, why="power off"))
    asyncio.run(_deliver(place, store, path))
    while upload(store, archive):
        pass
    arrived = Counter(
        archive._tables._db.execute("select kind, json_extract(body, '$.n') from record").fetchall()
    )
    told = list(_told(path))
    due = {("interval", line.n) for line in told if isinstance(line, Interval)}
    if any(isinstance(line, RideStarted) for line in told):
        stored = archive.ride("b1", RIDE)
        harm["never_arrived"] = stored is None or not stored.summary["complete"]
    harm["never_arrived"] = harm.get("never_arrived", 0) + len(due - arrived.keys())
    harm["doubled"] = sum(n - 1 for (kind, _), n in arrived.items() if kind == "interval")
    store.close()
    archive.close()
    return harm


async def _deliver(place, store, path):
    try:
        async with asyncio.timeout(3), delivering(place, store, HandClock()) as link:
            await all_kept(link, path)
    except TimeoutError:
        pass  # what has not arrived is counted


def _told(path):
    reader = Reader(ToGateway)
    for line in whole_lines(path):
        if b'"type":"' in line and b"\x00" not in line:
            try:
                yield reader.read(line)
            except ValueError:
                continue  # torn by the cut


def _broken(db):
    try:
        return db.execute("pragma integrity_check").fetchone() != ("ok",)
    except sqlite3.DatabaseError:
        return True
