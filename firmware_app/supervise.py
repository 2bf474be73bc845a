"""Keeps a part going: a lost camera must not stop the music.

A PartError is expected of hardware and networks: wait, try again, say so once when it goes and
once when it is back. Anything else is a setup error or a bug, and passes straight through.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from firmware_app.clock import Clock
from firmware_app.errors import PartError

log = structlog.get_logger()

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8.0
"""A rider waits for the part: eight seconds is the longest that nobody should have to explain."""


async def keep_going(
    part: str,
    run: Callable[[Callable[[], None]], Coroutine[Any, Any, None]],
    clock: Clock,
    on_lost: Callable[[str], None] = lambda _why: None,
    longest_wait_s: float = LONGEST_WAIT_S,
) -> None:
    """Run a part until it ends by itself. The part calls what it is given when it has worked.

    on_lost is told why, once each time the part goes.
    """
    wait_s = FIRST_WAIT_S
    lost = False
    asked_before = _stops_asked()

    def worked() -> None:
        nonlocal wait_s, lost
        if lost:
            log.info("part_back", part=part)
        wait_s, lost = FIRST_WAIT_S, False

    while True:
        try:
            # A task of its own: TaskGroups of Python 3.11 forget stops, and invent some, in theirs.
            await asyncio.create_task(run(worked))
        except PartError as error:
            if _stops_asked() > asked_before:  # a failing TaskGroup hid it
                raise asyncio.CancelledError from error
            if not lost:
                log.warning("part_lost", part=part, why=str(error))
                on_lost(str(error))
            lost = True
            await clock.sleep(wait_s)
            wait_s = min(wait_s * 2, longest_wait_s)
        else:
            return


def _stops_asked() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
