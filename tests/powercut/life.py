"""A box and its studio in one process, to be traced: they ride, keep, send and confirm.

    python -m tests.powercut.life FOLDER INTERVALS

Each promise is written to FOLDER/promises when it is made: `synced N` when N bytes of the journal
were put on disk, `confirmed N` when the studio is about to confirm everything up to seq N.
"""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from firmware_app.clock import HandClock, MachineClock
from firmware_app.journal import Journal
from firmware_app.link import Link
from firmware_app.supervise import keep_going
from gateway.bike_link import BikeLink
from gateway.store import Store
from gateway.studio.archive import Archive, Came
from gateway.topics import box_topic, pack
from tests.gym_scene import told_ride

RIDE = "000001_ab_b1"
AT_ONCE = 20


@contextlib.asynccontextmanager
async def delivering(folder, store, clock):
    """Bring the journals of a folder to a store by the real link, over a real socket."""
    bike = BikeLink(folder / "gateway.sock", store)
    await bike.open()
    link = Link(folder / "journals", folder / "gateway.sock", clock)
    delivery = asyncio.create_task(keep_going("gateway", link.run, clock))
    try:
        yield link
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)
        await bike.close()


async def all_kept(link, path):
    """Wait until the gateway has the whole journal."""
    while link.kept.get(path.name) != path.stat().st_size:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.002)


def upload(store, archive, promise=lambda _words: None):
    """Bring one window of records to the studio and its watermark back; return how many."""
    ups = store.outbox.following(0, AT_ONCE)
    for _, ack in archive.store(Came(box_topic(up.box, "up"), pack(up)) for up in ups):
        promise(f"confirmed {ack.upto}")
        store.confirm(ack)
    return len(ups)


async def live(folder, intervals):
    promises = os.open(folder / "promises", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def promise(words):
        os.write(promises, f"{words}\n".encode())

    store = Store(folder / "gateway.db", "b1", HandClock())
    archive = Archive(str(folder / "studio.db"), HandClock())
    path = folder / "journals" / f"{RIDE}.jsonl"
    async with delivering(folder, store, MachineClock()) as link:
        with Journal(path) as journal:
            for n, message in enumerate(told_ride(RIDE, intervals=intervals)):
                journal.append(message)
                journal.flush()
                if n % 4 != 3:  # a line or two are always on their way when the plug is pulled
                    journal.sync()
                    promise(f"synced {path.stat().st_size}")
                await asyncio.sleep(0.2 if n % 20 == 0 else 0.01)
                upload(store, archive, promise)
        await all_kept(link, path)
        while upload(store, archive, promise):
            pass


if __name__ == "__main__":
    asyncio.run(live(Path(sys.argv[1]), int(sys.argv[2])))
