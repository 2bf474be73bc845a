"""How strongly a fault shows: a knee by itself needs more than two that go together."""

import pytest

from firmware_app.form.evidence import evidence


@pytest.mark.parametrize(
    ("view", "gone", "fault"),
    [
        ("front", {"knee_left": -0.06, "knee_right": -0.06}, True),
        ("front", {"knee_left": -0.06, "knee_right": 0.0}, False),
        ("front", {"knee_left": -0.08, "knee_right": 0.0}, True),
        ("oblique", {"knee_near": -0.085}, False),  # a pelvis that rocks
        ("oblique", {"knee_near": -0.105}, True),  # a knee held in
    ],
)
def test_two_knees_count_for_more_than_one(view, gone, fault):
    inwards = evidence(view, {}, gone)
    outwards = evidence(view, {}, {name: -value for name, value in gone.items()})
    assert (inwards["knees_in"] >= 1) is fault
    assert (outwards["knees_out"] >= 1) is fault
    assert inwards["knees_out"] < 1 > outwards["knees_in"]
