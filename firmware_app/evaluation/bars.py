"""The least a coach must do to pass: figures of a report held against a file of bars.

The file is TOML: a table of least figures and one of most, by the figure's path in the report
("long_faults.found", "views.side.elbows_locked.recall"). A figure that the report does not know
counts as failed. One that is empty, because no rider shows such a fault, neither passes nor fails,
and is told; a bar on how many riders there must be keeps a coach from passing unmeasured.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from firmware_app.errors import BadInput
from firmware_app.evaluation.report import Report


class Bars(Struct, frozen=True, forbid_unknown_fields=True):
    """Path of a figure to what it must reach, and to what it must not exceed."""

    least: dict[str, float] = {}
    most: dict[str, float] = {}


def read_bars(path: Path) -> Bars:
    """Read a file of bars; raise BadInput with what is wrong in it."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Bars)
    except (OSError, ValueError) as wrong:
        raise BadInput(
            f"{path}: not a file of bars ({wrong}); tests/eval-bars.toml is one"
        ) from wrong


def below(told: Report, bars: Bars) -> Iterator[str]:
    """Yield a line for each bar that the report does not pass."""
    for bounds, relation, sign in ((bars.least, "at least", 1), (bars.most, "at most", -1)):
        for path, bar in bounds.items():
            seen = _figure(told, path)
            fails = seen is not None and (isinstance(seen, str) or sign * seen < sign * bar)
            if fails:
                yield f"{path} is {seen}; {relation} {bar:g}"


def unmeasured(told: Report, bars: Bars) -> list[str]:
    """Return the bars that no rider of the report says anything about."""
    return [path for path in (*bars.least, *bars.most) if _figure(told, path) is None]


def _figure(told: Report, path: str) -> float | str | None:
    """Return a figure, None when it is empty, "missing" when the report does not know it."""
    at: object = told
    for name in path.split("."):
        if not isinstance(at, dict) or name not in at:
            return "missing"
        at = at[name]
    return float(at) if isinstance(at, int | float) else None
