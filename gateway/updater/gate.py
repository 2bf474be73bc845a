"""Decides whether a release is good enough to stay: what worked before must still work. Pure.

The gate is longer than two watchdog periods: a release that hangs right after its start passes any
shorter one (it was tried), for nobody is hung up until the watchdog says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass

SERVE_WITHIN_S = 75.0
"""Until all services are ready; a Pi 4 needs a third of it."""
ANSWER_WITHIN_S = 20.0
"""For the gateway's health, once all services say that they are ready."""
PATIENCE_S = 30.0
"""For a part that was ok before the switch: a camera or a class takes a while to be back."""
SILENT_S = 5.0
"""A gateway that answered may fall silent this long."""
MARGIN_S = 2.0
MEMORY_SHARE = 0.9
"""Of MemoryMax. A Pi enforces no such limit as it comes, so that a leak is looked for here."""
MUST_MEND = 78
"""The exit code of a service whose settings a technician must mend: not the release's fault."""


@dataclass(frozen=True)
class Health:
    """What the gateway says of the box."""

    version: str
    parts: dict[str, str]
    """Part to "ok" or what is wrong with it."""


@dataclass(frozen=True)
class Unit:
    """How systemd sees one service."""

    name: str
    active: bool
    failed: bool = False
    restarts: int = 0
    """By itself, since it was last started by hand."""
    status: int = 0
    """Exit code of its main process."""
    result: str = "success"
    watchdog_s: float = 0.0
    memory_bytes: int = 0
    memory_max_bytes: int = 0
    """0: no limit."""


@dataclass(frozen=True)
class Look:
    """One look at the box."""

    t_s: float
    health: Health | None
    why_none: str
    """Why there is no health: "it answers 503"."""
    units: tuple[Unit, ...]


def worked_before(look: Look) -> list[str]:
    """Return the names of the units and parts that work now, and must after the switch."""
    parts = look.health.parts if look.health else {}
    return [unit.name for unit in look.units if unit.active] + [
        part for part, words in parts.items() if words == "ok"
    ]


def gate_s(units: Iterable[Unit]) -> float:
    """Return how long a release must serve before it is believed."""
    return 2 * max((unit.watchdog_s for unit in units), default=0.0) + MARGIN_S


class Gate:
    """Looks again and again, and says when it has seen enough."""

    def __init__(self, version: str, before: Iterable[str], start_s: float) -> None:
        self._version = version
        self._before = set(before)
        self._start_s = start_s
        self._ready_since_s: float | None = None
        self._serving_since_s: float | None = None
        self._served_s = start_s

    def feed(self, look: Look) -> str | None:
        """Take a look; return None to be asked again, "" for good, or why the release is bad."""
        if words := self._broken(look):
            return words
        missing = self._missing(look)
        if self._ready_since_s is None and all(unit.active or unit.failed for unit in look.units):
            self._ready_since_s = look.t_s
        if missing:
            return self._silent(look.t_s, missing)
        self._served_s = look.t_s
        if self._serving_since_s is None:
            self._serving_since_s = look.t_s
        served_s = look.t_s - self._serving_since_s
        if served_s < gate_s(look.units):
            return None
        lost = self._lost(look)
        return lost if not lost or served_s > gate_s(look.units) + PATIENCE_S else None

    def _silent(self, t_s: float, missing: str) -> str | None:
        if self._serving_since_s is None:
            ready_s = self._ready_since_s
            late = ready_s is not None and t_s - ready_s > ANSWER_WITHIN_S
            return missing if late or t_s - self._start_s > SERVE_WITHIN_S else None
        return f"it served, and then {missing}" if t_s - self._served_s > SILENT_S else None

    def wrong(self, look: Look) -> str:
        """Return what one look finds wrong with a release that has served; empty for nothing."""
        return self._broken(look) or self._missing(look) or self._lost(look)

    def _broken(self, look: Look) -> str:
        for unit in look.units:
            if unit.restarts:
                # systemd forgets how it died as soon as it runs again
                how = "" if unit.result == "success" else f" ({unit.result})"
                return f"{unit.name} died{how} and was started again; its journal tells why"
            if unit.failed and not (unit.status == MUST_MEND and unit.name not in self._before):
                return f"{unit.name} failed ({unit.result}, exit code {unit.status})"
            most = unit.memory_max_bytes * MEMORY_SHARE
            if most and unit.memory_bytes > most:
                used, may = unit.memory_bytes // 1_000_000, unit.memory_max_bytes // 1_000_000
                return f"{unit.name} uses {used} of its {may} MB"
        return ""

    def _missing(self, look: Look) -> str:
        """Return what is not there yet, in words."""
        for unit in look.units:
            if not unit.active and not (unit.status == MUST_MEND and unit.failed):
                return f"{unit.name} is not ready"
        if look.health is None:
            return f"the gateway gives no health: {look.why_none}"
        if look.health.version != self._version:
            return f"the gateway is version {look.health.version}, not {self._version}"
        return ""

    def _lost(self, look: Look) -> str:
        """Return the parts that worked before and do not now, in words; a part not told is lost."""
        parts = look.health.parts if look.health else {}
        units = {unit.name for unit in look.units}
        lost = {part: parts.get(part, "not told") for part in sorted(self._before - units)}
        return "; ".join(
            f"{part} worked before, and now: {words}"
            for part, words in lost.items()
            if words != "ok"
        )
