"""Cadence against the class's band.

Eight seconds off the band count, five revolutions a minute beside it are tolerated, and after the
instructor has named a new band the rider has six seconds to get there.
"""

from firmware_app.form.window import Summary

TOLERATED_RPM = 5.0
GRACE_S = 6.0
FASTEST_RPM = 120.0
"""Faster than this no class asks for; it is bouncing without resistance."""


class CadenceBand:
    """Remembers when the band changed."""

    def __init__(self) -> None:
        self._target: tuple[float, float] | None = None
        self._since_s = float("-inf")

    def evidence(
        self, t_s: float, cadence_rpm: float | None, target_rpm: tuple[float, float] | None
    ) -> tuple[Summary, dict[str, str]]:
        """Return evidence for cadence_low and cadence_high, and the reason for a missing one."""
        rules = ("cadence_low", "cadence_high")
        if target_rpm != self._target:
            self._target = target_rpm
            self._since_s = t_s
        if cadence_rpm is None:
            return {}, dict.fromkeys(rules, "no crank sensor")
        if cadence_rpm <= 0:
            return {}, dict.fromkeys(rules, "not pedalling")
        if target_rpm is None:
            why = dict.fromkeys(rules, "no cadence asked for")
            if cadence_rpm <= FASTEST_RPM:
                return {}, why
            del why["cadence_high"]
            return {"cadence_high": _beyond(cadence_rpm - FASTEST_RPM + TOLERATED_RPM)}, why
        if t_s < self._since_s + GRACE_S:
            return {}, dict.fromkeys(rules, "the band is new")
        low, high = target_rpm
        return {
            "cadence_low": _beyond(low - cadence_rpm),
            "cadence_high": _beyond(cadence_rpm - min(high, FASTEST_RPM)),
        }, {}


def _beyond(rpm: float) -> float:
    """Return 1 where what is tolerated ends."""
    return max(rpm, 0.0) / TOLERATED_RPM
