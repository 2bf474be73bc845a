"""How far a rollout is: bars on a terminal, one line for each event anywhere else."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from gateway.fleet.rollout import Outcome


class Bars:
    """One bar for all, one line for each bike that is being served."""

    def __init__(self, console: Console | None = None) -> None:
        """Draw on standard error, so that standard output stays for programs."""
        self._console = console or Console(stderr=True)
        self._drawn = self._console.is_terminal
        self._progress = Progress(
            TextColumn("{task.fields[bike]:<24}"),
            BarColumn(),
            TextColumn("{task.fields[step]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._drawn,
        )
        self._whole: TaskID | None = None
        self._bikes: dict[str, TaskID] = {}
        self._sizes: dict[str, int] = {}
        self._steps: dict[str, str] = {}

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Leave the last picture standing."""
        self._progress.stop()

    def plan(self, sizes: dict[str, int]) -> None:
        """Take the bikes that will be served, and the bytes each is to have in the end."""
        self._sizes = sizes
        self._whole = self._progress.add_task("", total=len(sizes), bike="all", step="")

    def wave(self, number: int, names: list[str]) -> None:
        """Tell that a wave begins."""
        self._say(f"wave {number}: {len(names)} bike{'s' * (len(names) != 1)}")
        if self._whole is not None:
            self._progress.update(self._whole, step=f"wave {number}")

    def soak(self, seconds: float) -> None:
        """Tell that what was updated is watched for a while."""
        self._say(f"watching them for {seconds:.0f} s")
        if self._whole is not None:
            self._progress.update(self._whole, step=f"watching for {seconds:.0f} s")

    def told(self, bike: str, step: str, sent_bytes: int | None = None) -> None:
        """Take in how far a bike is."""
        if bike not in self._bikes:
            total = self._sizes.get(bike) or None
            self._bikes[bike] = self._progress.add_task("", total=total, bike=bike, step=step)
        task = self._bikes[bike]
        if sent_bytes is None:
            self._progress.update(task, step=step)
        else:
            self._progress.update(
                task, completed=sent_bytes, step=f"{step} {sent_bytes / 1_000_000:.0f} MB"
            )
        if self._steps.get(bike) != step:
            self._steps[bike] = step
            if not self._drawn:
                self._say(f"{bike}: {step}")

    def over(self, outcome: Outcome) -> None:
        """Tell that a bike is done with, well or not."""
        self._say(f"{outcome.bike}: {outcome.result}" + (f", {outcome.why}" if outcome.why else ""))
        if outcome.bike in self._bikes:
            self._progress.remove_task(self._bikes.pop(outcome.bike))
        if self._whole is not None:
            self._progress.advance(self._whole)

    def _say(self, words: str) -> None:
        self._console.print(words, highlight=False, markup=False, soft_wrap=True)


def quiet() -> bool:
    """Tell whether nobody sits there who could be asked."""
    return not sys.stdin.isatty()
