"""Postures told apart: the ways they go, ways between, and good riding."""

import pytest

from firmware_app.form.evidence import ON
from firmware_app.form.fitted import GOOD, WAYS
from firmware_app.form.likeness import likeness
from firmware_app.form.posture import FIGURES

EVERY = [(view, posture) for view, ways in WAYS.items() for posture in ways]


def deviation(view, *parts):
    """What the figures show when postures go so far together: (posture, strength), ..."""
    figures = dict.fromkeys(FIGURES[view], 0.0)
    for posture, strength in parts:
        for name, way in zip(figures, WAYS[view][posture][0], strict=True):
            figures[name] += strength * way / 100
    return figures


def told(view, *parts):
    """The posture that is likelier than all others, or None."""
    return next(
        (n for n, like in likeness(view, deviation(view, *parts)).items() if like.ahead > 0), None
    )


@pytest.mark.parametrize(("view", "posture"), EVERY)
def test_each_posture_is_told_as_itself_and_more_of_it_as_more(view, posture):
    half, full = (likeness(view, deviation(view, (posture, strength))) for strength in (0.5, 1))
    assert told(view, (posture, 1)) == posture
    assert full[posture].strength > half[posture].strength
    assert full[posture].ahead > (1 if posture in ON[view] else 0.5)


@pytest.mark.parametrize("view", list(WAYS))
def test_good_riding_looks_like_no_posture(view):
    assert told(view) is None
    hardly = likeness(view, deviation(view, ("lean_low", 0.05)))
    assert max(like.ahead for like in hardly.values()) < 0.1


def test_what_lies_between_two_postures_is_told_less_surely_than_either():
    either = [
        likeness("front", deviation("front", (one, 0.7)))[one].ahead
        for one in ("head_drop", "rounded_back")
    ]
    between = likeness("front", deviation("front", ("head_drop", 0.35), ("rounded_back", 0.35)))
    assert max(like.ahead for like in between.values()) < min(either)


def test_who_sits_in_another_way_altogether_is_told_nothing():
    figures = dict.fromkeys(FIGURES["front"], 0.0) | {"width": 0.4, "ear_y": -0.4}
    assert max(like.ahead for like in likeness("front", figures).values()) < 0


@pytest.mark.parametrize(
    ("reach", "posture"), [(0.09, "lean_low"), (0.0, "rounded_back"), (-0.03, "rounded_back")]
)
def test_obliquely_who_leans_has_the_shoulders_further_ahead_of_the_hips(reach, posture):
    seen = (-0.02, 0.2, 0.32, 0.17, reach)
    told = likeness("oblique", dict(zip(FIGURES["oblique"], seen, strict=True)))
    assert max(told, key=lambda name: told[name].ahead) == posture
    assert told[posture].ahead > 0


def test_a_figure_that_was_not_seen_leaves_all_postures_open():
    figures = deviation("side", ("lean_low", 1.0))
    del figures["neck_x"]
    assert likeness("side", figures) == {}


@pytest.mark.parametrize("view", list(WAYS))
def test_the_numbers_fit_the_figures_of_their_view(view):
    size = len(FIGURES[view])
    for way, spread in WAYS[view].values():
        assert len(way) == size
        assert (
            [len(row) for row in spread]
            == [len(row) for row in GOOD[view]]
            == [*range(1, size + 1)]
        )
