"""What part of the class is on, as the studio tells it: when not to speak, and how fast to pedal.

In a sprint, in the last five seconds of an interval and in the five that count a new one down, a
rider has the instructor in the ear and no breath for anybody else.
"""

from firmware_app.wire import Band, Command

LAST_S = 5.0
SPRINT_S = 30.0
"""A sprint whose end nobody has told is over by then."""


class Intervals:
    """Remembers the interval that is on and the one that was announced."""

    def __init__(self) -> None:
        self._told: list[Command] = []
        """By their begin, at most one that has begun."""

    def hear(self, command: Command) -> None:
        """Take in an interval; it begins now, or when it says."""
        begins_s = _begins_s(command)
        self._told = [one for one in self._told if _begins_s(one) < begins_s] + [command]

    def quiet(self, t_s: float) -> str:
        """Return why nothing is said now; empty: something may be."""
        self._advance(t_s)
        for one in self._told:
            begins_s, ends_s = _begins_s(one), _ends_s(one)
            if 0 < begins_s - t_s <= LAST_S:
                return "an interval begins"
            if begins_s <= t_s < ends_s:
                if one.effort == "sprint":
                    return "a sprint"
                if one.lasts_s and ends_s - t_s <= LAST_S:
                    return "an interval ends"
        return ""

    def target_rpm(self, t_s: float, before: Band | None) -> Band | None:
        """Return the cadence band that holds now; before: the one that holds without intervals."""
        self._advance(t_s)
        for one in self._told:
            if _begins_s(one) <= t_s < _ends_s(one) and one.target_rpm is not None:
                return one.target_rpm
        return before

    def _advance(self, t_s: float) -> None:
        while len(self._told) > 1 and _begins_s(self._told[1]) <= t_s:
            del self._told[0]


def _begins_s(told: Command) -> float:
    return max(told.starts_s, told.t_s)


def _ends_s(told: Command) -> float:
    lasts_s = told.lasts_s or (SPRINT_S if told.effort == "sprint" else float("inf"))
    return _begins_s(told) + lasts_s
