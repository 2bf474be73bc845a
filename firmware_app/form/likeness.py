"""Which posture the rider's deviations look most like, how far it goes, and how sure that is.

Shrug, head drop, rounded back and lean move the same points: a leaning rider comes nearer the
camera, a rounded back lowers the head. Each is a way that the deviations go together, as long as
the fault is strong, with a spread from rider to rider that grows along with it; good riding has a
spread of its own. How likely the deviations are is worked out for every posture at every strength
and for good riding, and a posture is told as far as it is likelier than all the others. Who sits up
with straight arms goes a way too, that the front cannot show for certain: it is here so that it is
taken for nothing else. The numbers are in fitted.py, which `bikebox tune` writes.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np

from firmware_app.form.crank import Floats
from firmware_app.form.fitted import GOOD, WAYS
from firmware_app.form.posture import FIGURES
from firmware_app.form.window import Summary
from firmware_app.wire import View

STRENGTHS = tuple(round(0.1 + 0.1 * step, 1) for step in range(13))
"""Shares of a full fault. The least is well below what a fault that stands needs to go on standing:
a rider who is nearly back must be told as that."""
ANYTHING = 0.3
"""Scatter of what is none of these: who sits in another way altogether is likelier that than any of
them, and is told nothing."""
EDGE = 3.0
"""Squares of good riding's own scatter, all figures together."""
UNIT = 0.01
"""fitted.py is in hundredths."""


class Likeness(NamedTuple):
    """How much a rider looks like one posture."""

    strength: float
    """How far it goes if it is this posture; 1 is a full fault."""
    ahead: float
    """Natural logarithm of how much likelier it is than anything else; negative: it is not."""


class Model(NamedTuple):
    """Normal distributions: each posture at each strength, good riding, and anything else."""

    names: tuple[str, ...]
    terms: Floats
    """[N, T]; the logarithm of each density is a polynomial in the figures, see _terms: every
    posture at every strength, then good riding, then anything else."""


def likeness(view: View, deviation: Summary) -> dict[str, Likeness]:
    """Return each posture's likeness; empty when not all of the view's figures were seen."""
    if not all(name in deviation for name in FIGURES[view]):
        return {}
    return compared(_MODELS[view], [deviation[name] for name in FIGURES[view]])


def remarkable(view: View, deviation: Summary) -> bool:
    """Tell whether the figures are at the edge of good riding: short of it no posture is told."""
    names = FIGURES[view]
    if not all(name in deviation for name in names):
        return False
    _, *good = _MODELS[view].terms[-2].tolist()
    _, *terms = _terms([deviation[name] for name in names])
    squares: float = -2 * sum(a * b for a, b in zip(good, terms, strict=True))
    return squares > EDGE


def compared(model: Model, figures: Sequence[float]) -> dict[str, Likeness]:
    """Return each posture's likeness by a model."""
    likely: list[float] = np.einsum("nt,t->n", model.terms, _terms(figures)).tolist()
    steps = len(STRENGTHS)
    ways = [likely[at : at + steps] for at in range(0, len(model.names) * steps, steps)]
    tops = [max(way) for way in ways]
    *_, second, first = sorted([*tops, max(likely[-2:])])
    return {
        name: Likeness(_peak(way, top), top - (second if top == first else first))
        for name, way, top in zip(model.names, ways, tops, strict=True)
    }


def model_of(good: Floats, ways: Mapping[str, tuple[Floats, Floats]]) -> Model:
    """Return the model of a view: good [F, F] covariance, each posture's way [F] and covariance."""
    means, spreads = [], []
    for way, spread in ways.values():
        for strength in STRENGTHS:
            means.append(strength * way)
            spreads.append(good + strength**2 * spread)
    anything = ANYTHING**2 * np.eye(len(good))
    mean = np.array([*means, np.zeros(len(good)), np.zeros(len(good))])
    spread_all = np.array([*spreads, good, anything])
    sharp = np.linalg.inv(spread_all)
    slope = np.einsum("nij,nj->ni", sharp, mean)
    height = -0.5 * (np.linalg.slogdet(spread_all)[1] + (slope * mean).sum(axis=1))
    upper = np.triu_indices(len(good))
    bend = -sharp[:, upper[0], upper[1]] * np.where(upper[0] == upper[1], 0.5, 1.0)
    return Model(tuple(ways), np.column_stack([height, slope, bend]))


def _terms(figures: Sequence[float]) -> list[float]:
    """Return what a polynomial of second degree is made of: 1, each figure, each two of them."""
    products = [a * b for a, b in combinations_with_replacement(figures, 2)]
    return [1.0, *figures, *products]


def _peak(likely: list[float], top: float) -> float:
    """Return the strength at the top of a parabola through the three likeliest."""
    at = likely.index(top)
    if not 0 < at < len(likely) - 1:
        return STRENGTHS[at]
    before, after = likely[at - 1], likely[at + 1]
    return STRENGTHS[at] + 0.05 * (before - after) / (before - 2 * top + after)


def square_of(rows: tuple[tuple[float, ...], ...]) -> Floats:
    """Return a covariance from its lower triangle."""
    size = len(rows)
    full = np.zeros((size, size))
    for place, row in enumerate(rows):
        full[place, : place + 1] = full[: place + 1, place] = row
    return full * UNIT**2


_MODELS: dict[View, Model] = {
    view: model_of(
        square_of(GOOD[view]),
        {name: (UNIT * np.array(way), square_of(spread)) for name, (way, spread) in ways.items()},
    )
    for view, ways in WAYS.items()
}
