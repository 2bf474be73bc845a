"""Form analysis of one ride: frames and crank pulses in, the state of every rule out.

Each fifth of a second: is there anything to judge by; what does the last window show against the
rider's own baseline; has it stayed long enough. What cannot be judged is unseen, with the reason.
"""

from collections.abc import Collection

from firmware_app.form import reasons
from firmware_app.form.baseline import Baseline, Learner
from firmware_app.form.cadence_band import CadenceBand
from firmware_app.form.catalogue import POSTURE, RULES, STATES
from firmware_app.form.crank import CrankPhase
from firmware_app.form.dwell import OFF, Dwell
from firmware_app.form.evidence import evidence, relief, stretched
from firmware_app.form.knee_clock import KneeClock
from firmware_app.form.metrics import FormMetrics
from firmware_app.form.pose_cadence import PoseCadence
from firmware_app.form.posture import compare
from firmware_app.form.saddle import Saddle
from firmware_app.form.sensor_check import Mismatch, SensorCheck
from firmware_app.form.state import FormState
from firmware_app.form.window import POSTURE_S, Summary, Window
from firmware_app.settings import Coaching
from firmware_app.wire import RuleState, View

RELEARN_S = 20.0
"""Somebody who pedals in another place for this long is the rider, and the camera was moved."""
BETTER_S = 8.0
"""Somebody who sits this long as much better than the baseline as a fault is worse had a fault when
it was learnt ..."""
RENEW_S, RENEW_TIMES = 10.0, 40.0
"""... and for so long it follows so many times as quickly."""
YOUNG = 0.67
"""Against a baseline that is still being refined, a fault must show half as strongly again; the
saddle's height is judged without one."""
RIVALS = frozenset(POSTURE) - STATES - frozenset(reasons.SADDLE)
"""Of these one fault brings the evidence of others up."""
REFIT_S = 0.7
"""A fit over four seconds is no older than this when it is judged by."""
LONGEST_STEP_S = 1.0
"""A judgement later than this after the last one still counts for no more."""


class Analyst:
    """Knows time only from what it is told."""

    def __init__(
        self,
        view: View,
        rules: Coaching,
        known: tuple[Baseline, ...] = (),
        without: Collection[str] = (),
    ) -> None:
        """Begin a ride; known: baselines of earlier rides, without: rules not for this rider."""
        self._view: View = view
        self._window = Window()
        self._crank = CrankPhase()
        self._knee_clock = KneeClock()
        self._pose_cadence = PoseCadence()
        self._sensor_check = SensorCheck()
        self._need_s = rules.baseline_s
        self._learner = Learner(view, self._need_s, known)
        self._without = frozenset(without)
        self._band = CadenceBand()
        self._dwell = {rule.id: Dwell(rule.on_s, rule.off_s) for rule in RULES}
        self._saddle = Saddle()
        self._fitted: Summary = {}
        self._fitted_s = float("-inf")
        self._lost = True
        self._last_s: float | None = None
        self._held: tuple[str, float] = ("", 0.0)
        """What keeps everything from being judged for a moment, and until when."""
        self._aside_s = 0.0
        """How long the head has been turned."""
        self._moved_s = 0.0
        """How long the rider has been in another place."""
        self._better_s = 0.0
        """How long the rider has sat better than the baseline."""
        self._renew_s = 0.0
        """How much longer the baseline follows quickly."""
        self.evidence: Summary = {}
        """How strongly each rule showed when last judged, 1 begins a fault; for a report."""
        self.deviation: Summary = {}
        """How far the rider was from the baseline when last judged; see posture.py."""

    @property
    def baseline(self) -> Baseline | None:
        """How this rider sits when all is well, once it is known."""
        return self._learner.baseline

    @property
    def sensor(self) -> Mismatch:
        """How the crank sensor is wrong, by the legs; empty: nothing speaks against it."""
        return self._sensor_check.mismatch

    def pose_rpm(self, t_s: float) -> float | None:
        """Return the cadence of the legs as the camera sees them; None when they do not tell."""
        told = self._pose_cadence.estimate(t_s)
        return None if told is None else told.rpm

    def pulse(self, t_s: float) -> None:
        """Take in one closing of the crank sensor, one for each turn."""
        self._crank.pulse(t_s)
        self._knee_clock.heard(t_s)

    def see(self, metrics: FormMetrics) -> None:
        """Take in one frame."""
        self._lost = False
        self._window.see(metrics)
        self._pose_cadence.see(metrics)
        turn_s = self._knee_clock.see(metrics, self._crank)
        if turn_s is not None and self._pose_cadence.estimate(metrics.t_s) is not None:
            self._crank.pulse(turn_s)

    def lost(self, t_s: float) -> None:
        """Take in that the camera is gone: nothing can be judged until it is back."""
        del t_s
        self._lost = True
        self._fitted_s = float("-inf")
        self._window.clear()

    def judge(
        self, t_s: float, cadence_rpm: float | None, target_rpm: tuple[float, float] | None
    ) -> FormState:
        """Return every rule's state; called five times a second.

        Without a cadence from the sensor (None) the one seen in the legs is held to the band.
        """
        self._sensor_check.judge(t_s, cadence_rpm, self._pose_cadence)
        if cadence_rpm is None:
            cadence_rpm = self.pose_rpm(t_s)
        dt_s = 0.0 if self._last_s is None else min(max(t_s - self._last_s, 0.0), LONGEST_STEP_S)
        self._last_s = t_s
        blind = reasons.CAMERA if self._lost else self._window.blind(t_s)
        now: Summary = {}
        if not blind:
            now = self._window.posture(t_s) | self._in_time(t_s)
            blind = reasons.not_riding(self._view, now, cadence_rpm)
        shown, why = self._posture(t_s, dt_s, now, blind)
        if "saddle_low" in shown:
            self._saddle.see(now["knee_bdc_deg"])
        self.evidence = shown
        band, band_why = self._band.evidence(t_s, cadence_rpm, target_rpm)
        return self._state(t_s, dt_s, shown | band, why | band_why)

    def _in_time(self, t_s: float) -> Summary:
        """Return what moves with the crank, fitted anew every fourth judgement: it costs most."""
        if not 0 <= t_s - self._fitted_s < REFIT_S or not self._crank.turning(t_s):
            self._fitted = self._window.in_time(t_s, self._crank)
            self._fitted_s = t_s
        return self._fitted

    def _posture(
        self, t_s: float, dt_s: float, now: Summary, blind: str
    ) -> tuple[Summary, dict[str, str]]:
        """Return rule to evidence, and to the reason for those without."""
        self.deviation = {}
        if blind:
            self._fitted_s = float("-inf")
            if blind in reasons.PASSING:
                self._held = (blind, t_s + POSTURE_S)
            return {}, dict.fromkeys(POSTURE, blind)
        baseline = self._learner.baseline
        if baseline is None:
            self._learner.learn(now, dt_s)
            return {}, dict.fromkeys(POSTURE, reasons.LEARNING)
        deviation = self.deviation = compare(self._view, now, baseline.summary)
        moved = deviation["moved"] > reasons.MOVED
        self._moved_s = self._moved_s + dt_s if moved else 0.0
        if self._moved_s > RELEARN_S:
            self._learner = Learner(self._view, self._need_s)
        if moved:
            return {}, dict.fromkeys(POSTURE, reasons.GONE)
        aside = reasons.aside(self._view, deviation)
        self._aside_s = self._aside_s + dt_s if aside else 0.0
        if aside and self._aside_s < reasons.ASIDE_S:
            self._held = (aside, t_s + POSTURE_S)
        held, until_s = self._held
        if t_s < until_s:
            return {}, dict.fromkeys(POSTURE, held)
        shown = self._shown(t_s, now, deviation)
        sits_well = all(value < OFF for rule, value in shown.items() if rule not in reasons.SADDLE)
        if sits_well:  # on a saddle at whatever height: it is judged without the baseline
            self._learn(now, dt_s, deviation)
        why = {
            rule: reasons.missing(self._view, rule, deviation)
            for rule in POSTURE
            if rule not in shown
        }
        standing = self._dwell["standing"].fault
        for rule, reason in reasons.overlaid(self._view, shown, standing=standing).items():
            shown.pop(rule, None)
            why[rule] = reason
        return shown, why

    def _shown(self, t_s: float, now: Summary, deviation: Summary) -> Summary:
        if stretched(self._view, deviation):
            now = now | self._window.elbow_play(t_s)
        if "knee_bdc_deg" in now:
            now = now | {"knee_bdc_deg": self._saddle.steady_deg(now["knee_bdc_deg"])}
        found = evidence(self._view, now, deviation)
        if self._learner.settled:
            return found
        absolute = reasons.SADDLE
        return {rule: value * (1 if rule in absolute else YOUNG) for rule, value in found.items()}

    def _learn(self, now: Summary, dt_s: float, deviation: Summary) -> None:
        """Let the baseline follow; quickly when the rider sits better than it for a while."""
        better = relief(self._view, deviation) >= 1
        self._better_s = self._better_s + dt_s if better else max(self._better_s - dt_s, 0.0)
        if self._better_s >= BETTER_S:
            self._better_s, self._renew_s = 0.0, RENEW_S
        renewing = self._renew_s > 0
        self._renew_s -= dt_s
        self._learner.learn(now, dt_s, RENEW_TIMES if renewing else 1.0)

    def _state(self, t_s: float, dt_s: float, shown: Summary, why: dict[str, str]) -> FormState:
        states: dict[str, RuleState] = {}
        unproven = reasons.UNPROVEN[self._view]
        for rule in self._without & shown.keys():
            shown = {other: value for other, value in shown.items() if other != rule}
        why |= dict.fromkeys(self._without, reasons.LEFT_OUT)
        rivals = (rule for rule in shown if rule in RIVALS)
        foremost = max(rivals, key=shown.__getitem__, default="")
        for rule, dwell in self._dwell.items():
            if rule in shown:
                state = dwell.step(shown[rule], dt_s, foremost=rule == foremost)
            else:
                state = dwell.blind(dt_s)
            if state == "ok" and rule in unproven:
                state, why[rule] = "unseen", unproven[rule]
            states[rule] = state
        faults = [rule for rule in shown if states[rule] == "fault"]
        fading = {rule for rule in faults if self._dwell[rule].fading}
        standing = states["standing"] == "fault"
        learning, move_cm = self._learner.learning, self._saddle.move_cm
        return FormState(t_s, states, why, learning, standing, frozenset(fading), move_cm)
