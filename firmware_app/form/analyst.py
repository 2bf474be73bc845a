"""Form analysis of one ride: frames and crank pulses in, the state of every rule out."""

from typing import NamedTuple

from firmware_app.form.catalogue import RULES
from firmware_app.form.metrics import FormMetrics
from firmware_app.form.state import FormState
from firmware_app.settings import Coaching
from firmware_app.wire import View


class Baseline(NamedTuple):
    """How this rider sits when all is well."""

    learnt_s: float


class Analyst:
    """Knows time only from what it is told."""

    def __init__(self, view: View, rules: Coaching, known: Baseline | None = None) -> None:
        self._view = view
        self._rules = rules
        self._known = known

    def pulse(self, t_s: float) -> None:
        """Take in one closing of the crank sensor, one for each turn."""

    def see(self, metrics: FormMetrics) -> None:
        """Take in one frame."""

    def lost(self, t_s: float) -> None:
        """Take in that the camera is gone."""

    def judge(
        self, t_s: float, cadence_rpm: float | None, target_rpm: tuple[float, float] | None
    ) -> FormState:
        """Return every rule's state; called five times a second."""
        del cadence_rpm, target_rpm
        return FormState(
            t_s,
            {rule.id: "unseen" for rule in RULES},
            {rule.id: "learning your posture" for rule in RULES},
            0.0,
            standing=False,
        )
