"""How far to move a saddle, from the knee at the bottom of the turn."""

import pytest

from firmware_app.form.saddle import Saddle


@pytest.mark.parametrize(
    ("knee_deg", "move_cm"),
    [(30, 0.0), (25.5, 0.0), (42, 1.5), (60, 2.0), (20.7, -1.0), (5, -2.0)],
)
def test_it_goes_towards_what_suits_in_half_centimetres_and_two_at_the_most(knee_deg, move_cm):
    saddle = Saddle()
    for _ in range(30):
        saddle.see(knee_deg)
    assert saddle.move_cm == move_cm


def test_one_wild_moment_changes_nothing_and_no_leg_tells_nothing():
    saddle = Saddle()
    assert saddle.move_cm is None
    for knee_deg in (42, 42, 90, 42, 42):
        saddle.see(knee_deg)
    assert saddle.move_cm == 1.5


@pytest.mark.parametrize(
    ("minute_deg", "now_deg", "by_deg"),
    [(29, 15, 29), (29, 50, 29), (15, 29, 29), (12, 15, 15), (15, 12, 15), (28, 30, 30)],
)
def test_a_saddle_is_judged_by_the_last_minute_and_the_moment_as_suits_better(
    minute_deg, now_deg, by_deg
):
    saddle = Saddle()
    assert saddle.steady_deg(now_deg) == now_deg
    for tenth in range(60):
        saddle.see(minute_deg + tenth % 2 / 10)
    assert saddle.steady_deg(now_deg) == pytest.approx(by_deg, abs=0.1)
