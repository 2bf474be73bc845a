"""The ride as one bar: was the rider in position, out of it, or not to be seen, slice by slice."""

from firmware_app.form.state import FormState
from firmware_app.ride.totals import posture_of

SLICE_S = 5.0
MOST_SLICES = 60


class Timeline:
    """Remembers the worst of each slice; a slice nobody rode in is "off"."""

    def __init__(self, from_s: float) -> None:
        self._from_s = from_s
        self._worst: dict[int, str] = {}

    def add(self, t_s: float, form: FormState) -> None:
        """Take in how the rider sits now."""
        now = posture_of(form)
        n = int(max(t_s - self._from_s, 0.0) / SLICE_S)
        self._worst[n] = _worse(self._worst.get(n, now), now)

    def slices(self) -> tuple[str, ...]:
        """Return at most 60 equal slices: ok, fault, unseen or off."""
        if not self._worst:
            return ()
        count = max(self._worst) + 1
        each = -(-count // MOST_SLICES)
        slices = []
        for first in range(0, count, each):
            seen = [self._worst[n] for n in range(first, first + each) if n in self._worst]
            worst = seen[0] if seen else "off"
            for state in seen:
                worst = _worse(worst, state)
            slices.append(worst)
        return tuple(slices)


def _worse(a: str, b: str) -> str:
    # a fault is worth showing, then what was good; unseen only where there was nothing else
    order = ("off", "unseen", "ok", "fault")
    return max(a, b, key=order.index)
