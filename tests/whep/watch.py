"""Watches a class as the player does, and prints once a second what a rider would have had.

python watch.py URL TOKEN SECONDS [TURN USER PASSWORD]

One JSON object a line, the last one after leaving.
"""

import asyncio
import contextlib
import json
import resource
import sys
import threading
import time

import numpy as np

from firmware_app.clock import MachineClock
from firmware_app.player.class_feed import ClassFeed
from firmware_app.player.whep import IceServer

BLOCK = 960


class Speaker(threading.Thread):
    """Pulls 20 ms each 20 ms, as a sound card would."""

    def __init__(self, feed: ClassFeed) -> None:
        super().__init__(daemon=True)
        self._feed = feed
        self._going = True
        self.blocks = 0
        self.heard = 0
        self.loudest = 0.0

    def run(self) -> None:
        begin_s = time.perf_counter()
        while self._going:
            block = np.abs(self._feed.pull(BLOCK))
            self.blocks += 1
            self.heard += bool(block.max() > 0.001)
            self.loudest = max(self.loudest, float(block.max()))
            time.sleep(max(begin_s + self.blocks * 0.02 - time.perf_counter(), 0))

    def stop(self) -> None:
        self._going = False
        self.join()


async def watch(url: str, token: str, seconds: float, *turn: str) -> None:
    servers = (IceServer(*turn),) if turn else ()
    feed = ClassFeed(url, token, MachineClock(), ice_servers=servers)
    speaker = Speaker(feed)
    speaker.start()
    begin_s = time.perf_counter()
    running = asyncio.create_task(feed.run())
    first_s, shown, sizes, told_s, last = None, 0, [], 0.0, None
    longest_s, changed_s = 0.0, None
    while (now_s := time.perf_counter() - begin_s) < seconds:
        picture = feed.newest()
        if picture is not None and picture is not last:
            if first_s is None:
                first_s = now_s
            if changed_s is not None:
                longest_s = max(longest_s, now_s - changed_s)
            changed_s, last, shown = now_s, picture, shown + 1
            if (picture.width, picture.height) not in sizes:
                sizes.append((picture.width, picture.height))
        if now_s - told_s > 1:
            told_s = now_s
            tell(feed, speaker, now_s, shown=shown)
        await asyncio.sleep(1 / 120)
    cpu_s = time.process_time()
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    speaker.stop()
    tell(
        feed,
        speaker,
        seconds,
        shown=shown,
        first_s=first_s,
        sizes=sizes,
        cpu_s=cpu_s,
        longest_s=longest_s,
        held_s=feed._sound.held_s,
    )


def tell(feed: ClassFeed, speaker: Speaker, now_s: float, **more: object) -> None:
    state, why = feed.state
    line = {
        "t_s": round(now_s, 2),
        "state": state,
        "why": why,
        "pictures": feed.pictures,
        "heard_share": speaker.heard / max(speaker.blocks, 1),
        "loudest": speaker.loudest,
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **more,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], sys.argv[2], float(sys.argv[3]), *sys.argv[4:]))
