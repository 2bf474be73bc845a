"""A bike that rides for ever, as a process to be killed: the real journal, shelf and link.

    python -m tests.chaos.rider FOLDER BOX RECORDS_PER_SECOND

Writes rides of forty intervals into FOLDER/state/journals and delivers them to FOLDER/run; goes on
where it was killed. A ride that is over is noted in FOLDER/ridden, which says what must arrive.
When FOLDER/enough appears, it ends with its ride and waits until the gateway has all.
"""

import asyncio
import sys
from pathlib import Path

from firmware_app.clock import MachineClock
from firmware_app.journal import whole_lines
from firmware_app.link import Link
from firmware_app.services.notebook import Notebook
from firmware_app.services.shelf import Shelf
from firmware_app.supervise import keep_going
from firmware_app.wire import RideId
from tests.gym_scene import told_ride, until

INTERVALS = 40
DELIVERED_S = 60.0


async def ride(folder, box, a_second):
    clock = MachineClock()
    shelf = Shelf(folder / "state" / "journals", box)
    link = Link(folder / "state" / "journals", folder / "run" / "gateway.sock", clock)
    delivery = asyncio.create_task(keep_going("gateway", link.run, clock, longest_wait_s=1.0))
    notebook = Notebook()
    while True:
        path = shelf.newest()
        told = _told(path) if path else 0
        if path is None or told == INTERVALS + 3:
            if path is not None:
                _note(folder / "ridden", path.stem)
            if (folder / "enough").exists():
                break
            path, told = shelf.path(shelf.next_ride()), 0
        notebook.open(path)
        for message in told_ride(RideId(path.stem), box, INTERVALS)[told:]:
            notebook.write(message)
            notebook.put_on_disk()
            await asyncio.sleep(1 / a_second)
        notebook.close()
        shelf.clear(link.kept)
    await asyncio.to_thread(
        until, lambda: link.kept.get(path.name) == path.stat().st_size, DELIVERED_S
    )
    delivery.cancel()
    await asyncio.gather(delivery, return_exceptions=True)


def _told(path):
    return sum(line.endswith(b"}") for line in whole_lines(path))


def _note(ledger, ride):
    if not ledger.exists() or ride not in ledger.read_text().split():
        with ledger.open("a") as file:
            file.write(ride + "\n")


if __name__ == "__main__":
    asyncio.run(ride(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])))
