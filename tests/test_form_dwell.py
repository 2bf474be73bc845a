"""How long evidence must hold, and what is forgotten of it meanwhile."""

import pytest

from firmware_app.form.dwell import Dwell


def begins_s(*evidence, seconds=20.0, foremost=False):
    """When a fault begins that takes three seconds, the evidence told in turns; None: never."""
    dwell = Dwell(3.0, 1.0)
    for step in range(round(seconds * 5)):
        if dwell.step(evidence[step % len(evidence)], 0.2, foremost=foremost) == "fault":
            return (step + 1) / 5
    return None


def test_what_shows_all_the_time_is_a_fault_after_its_time():
    assert begins_s(1.0) == pytest.approx(3.0)
    assert begins_s(3.0) == pytest.approx(3.0)


def test_what_wavers_about_its_limit_is_a_fault_a_little_later():
    assert 3.0 < begins_s(1.1, 0.9) < 10


@pytest.mark.parametrize("evidence", [(0.99,), (1.1, 0.6), (2.0, 0.0), (1.1, 0.8, 0.8, 0.8)])
def test_what_is_short_of_it_for_long_or_by_much_is_none(evidence):
    assert begins_s(*evidence, seconds=600) is None


def test_half_a_fault_that_stays_a_little_short_is_one_later_when_nothing_shows_more():
    assert 3.0 < begins_s(0.95, foremost=True) < 6
    assert begins_s(1.2, foremost=True) == pytest.approx(3.0)
    assert begins_s(0.84, seconds=600, foremost=True) is None
    assert begins_s(0.95, 0.6, seconds=600, foremost=True) is None
