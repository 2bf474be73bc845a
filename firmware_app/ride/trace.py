"""The ride second by second: how fast the crank turned, and whether the rider sat in position."""

from firmware_app.form.state import FormState
from firmware_app.ride.totals import posture_of

LONGEST_S = 120
"""A trace belongs to one interval; a box that slept longer begins the next without it."""


class Trace:
    """One value for each second since from_s, None where nobody rode or nothing was seen."""

    def __init__(self, from_s: float) -> None:
        self._from_s = from_s
        self.rpm: list[int | None] = []
        self.form: list[int | None] = []
        """1 in position, 0 out of it: the worst of each second."""

    def add(self, t_s: float, rpm: float | None, form: FormState) -> None:
        """Take in how fast the crank turns now, None when that is not known, and how one sits."""
        n = int(max(t_s - self._from_s, 0.0))
        if n >= LONGEST_S:
            return
        more = n + 1 - len(self.rpm)
        self.rpm += [None] * more
        self.form += [None] * more
        posture = posture_of(form)
        if rpm is not None:
            self.rpm[n] = round(rpm)
        if posture == "fault":
            self.form[n] = 0
        elif posture == "ok" and self.form[n] is None:
            self.form[n] = 1

    def cut(self, t_s: float) -> None:
        """Forget what came after t_s: it was a rest."""
        n = int(max(t_s - self._from_s, 0.0)) + 1
        del self.rpm[n:], self.form[n:]
