"""Runs the network's work, asyncio, in a thread of its own beside the screen's."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine

TIDY_S = 5.0
"""Time to leave the class politely; longer and the process goes without."""


class Network:
    """One coroutine for ever; a bug in it is kept for whoever owns the process."""

    def __init__(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        self._work = work
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)
        self.failed: BaseException | None = None
        """What ended the work though nobody asked for its end."""

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def call(self, what: Callable[[], None]) -> None:
        """Run something small in the network's thread; nothing once that has ended."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(what)

    def stop(self) -> None:
        """Cancel the work and wait until it has tidied up."""
        self.call(self._cancel)
        if self._thread.is_alive():
            self._thread.join(TIDY_S)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._work())
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by the main thread
            self.failed = error
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
