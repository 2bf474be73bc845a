"""Adds up a ride, tick by tick: how long it was ridden, in position, out of it, unseen."""

from collections import Counter, defaultdict

from firmware_app.form.state import FormState
from firmware_app.wire import Interval, RideId, RuleState

NOT_POSTURE = frozenset({"standing", "cadence_low", "cadence_high", "saddle_low", "saddle_high"})
"""Rules that do not put a rider out of position: a state, the beat, and the technician's matter."""
LONGEST_TICK_S = 1.0
"""A longer gap between two ticks is a box that slept, not a rider who rode."""


def posture_of(form: FormState) -> RuleState:
    """Return how the rider sits: at fault if any rule of posture says so, ok if any can see it."""
    states = [state for rule, state in form.states.items() if rule not in NOT_POSTURE]
    return "fault" if "fault" in states else "ok" if "ok" in states else "unseen"


class Totals:
    """What has been gathered since from_s; add() it up, take() it as an interval."""

    def __init__(self, from_s: float) -> None:
        self.from_s = from_s
        self.riding_s = 0.0
        self.watched_s = 0.0
        self.in_position_s = 0.0
        self.fault_s: defaultdict[str, float] = defaultdict(float)
        self.unseen_s: defaultdict[str, float] = defaultdict(float)
        self.episodes: Counter[str] = Counter()

    def add(self, form: FormState, dt_s: float, standing_faults: frozenset[str]) -> frozenset[str]:
        """Add dt_s of riding in this state; return the faults that stand now.

        standing_faults are those that stood before: an episode is counted when one begins.
        """
        faults = frozenset(rule for rule, state in form.states.items() if state == "fault")
        posture = posture_of(form)
        self.riding_s += dt_s
        if posture != "unseen":
            self.watched_s += dt_s
            if posture == "ok":
                self.in_position_s += dt_s
        for rule in faults:
            self.fault_s[rule] += dt_s
        for rule, state in form.states.items():
            if state == "unseen":
                self.unseen_s[rule] += dt_s
        for rule in faults - standing_faults:
            self.episodes[rule] += 1
        return faults

    def absorb(self, other: "Totals") -> None:
        """Take in what another has gathered."""
        self.riding_s += other.riding_s
        self.watched_s += other.watched_s
        self.in_position_s += other.in_position_s
        for rule, s in other.fault_s.items():
            self.fault_s[rule] += s
        for rule, s in other.unseen_s.items():
            self.unseen_s[rule] += s
        self.episodes.update(other.episodes)

    def interval(
        self, ride: RideId, n: int, t_s: float, turns: float, pedalling_s: float
    ) -> Interval:
        """Tell it as the n-th interval of a ride, ending at t_s."""
        return Interval(
            t_s=round(t_s, 3),
            ride=ride,
            n=n,
            from_s=round(self.from_s, 3),
            riding_s=round(self.riding_s, 2),
            turns=round(turns, 3),
            pedalling_s=round(pedalling_s, 3),
            watched_s=round(self.watched_s, 2),
            in_position_s=round(self.in_position_s, 2),
            fault_s={rule: round(s, 2) for rule, s in sorted(self.fault_s.items())},
            episodes=dict(sorted(self.episodes.items())),
            unseen_s={rule: round(s, 2) for rule, s in sorted(self.unseen_s.items())},
        )
