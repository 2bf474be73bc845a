"""Runs a service until systemd, the demo or a person asks it to stop."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any

from firmware_app.notify import notify


async def run_until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run until it ends by itself; SIGTERM and SIGINT cancel it, and it tidies up."""
    task = asyncio.ensure_future(work)
    cancel_when_stopped(task)
    with contextlib.suppress(asyncio.CancelledError):
        await task
    notify("STOPPING=1")


def cancel_when_stopped(task: "asyncio.Future[Any]") -> None:
    """Let SIGTERM and SIGINT cancel it."""
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, task.cancel)
