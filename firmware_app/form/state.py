"""What form analysis says, five times a second: each rule ok, at fault, or not to be seen."""

from typing import NamedTuple

from firmware_app.wire import RuleState


class FormState(NamedTuple):
    """The rider at one moment, judged."""

    t_s: float
    states: dict[str, RuleState]
    """Every rule of the catalogue, always."""
    why: dict[str, str]
    """Each unseen rule to its reason, in a few words for the rider's screen: "too dark"."""
    learning: float | None
    """How much of the rider's baseline is learnt, 0 to 1; None when it stands."""
    standing: bool
    """The rider is out of the saddle; rules of seated riding are not judged then."""
    fading: frozenset[str] = frozenset()
    """Faults that still stand but no longer show: the rider is putting them right."""
    saddle_cm: float | None = None
    """How far up the saddle should go, down if negative; None while the leg has not told it."""
