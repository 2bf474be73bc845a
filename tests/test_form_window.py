"""What moves in time with the crank is found, at any frame rate, and nothing else is."""

import math

import numpy as np
import pytest

from firmware_app.form.crank import CrankPhase
from firmware_app.form.metrics import FormMetrics, Head, Hips, Trunk
from firmware_app.form.window import KNEE_DEG, ROOM, Window


def pedal(rpm, fps, *, seconds=10.0, sway=0.0, bounce=0.0, noise=0.0, knee=None, seed=1):
    """A window of frames and its crank, after so many seconds."""
    window, crank, random = Window(), CrankPhase(), np.random.default_rng(seed)
    turn_s = 60 / rpm
    pulses = [n * turn_s for n in range(int(seconds / turn_s) + 1)]
    for n in range(int(seconds * fps)):
        t_s = n / fps
        while pulses and pulses[0] <= t_s:
            crank.pulse(pulses.pop(0))
        turn = math.tau * t_s / turn_s
        x, y = random.normal(0, noise, 2)
        window.see(
            FormMetrics(
                t_s=t_s,
                trunk=Trunk(
                    0.5 + sway * math.sin(turn) + x, 0.4 + bounce * math.cos(2 * turn) + y, 0.3, 0
                ),
                head=Head(0.5, 0.2, 0.1, 0.5, 0.22),
                hips=Hips(0.5, 0.8),
                knee_deg=None if knee is None else knee(turn) + random.normal(0, 3),
            )
        )
    return window, crank, seconds - 1 / fps


def size(found, name, harmonic):
    return math.hypot(found[f"{name}_cos{harmonic}"], found[f"{name}_sin{harmonic}"])


@pytest.mark.parametrize("fps", [8, 15, 30])
@pytest.mark.parametrize("rpm", [55, 90, 110])
def test_sway_and_bounce_are_told_apart_by_the_crank(rpm, fps):
    window, crank, now_s = pedal(rpm, fps, sway=0.02, bounce=0.01, noise=0.003)
    found = window.in_time(now_s, crank)
    assert size(found, "shoulder_x", 1) == pytest.approx(0.02, rel=0.15)
    assert size(found, "shoulder_y", 2) == pytest.approx(0.01, rel=0.2)
    assert size(found, "shoulder_y", 1) < 0.003


@pytest.mark.parametrize("fps", [30, 120])
def test_late_in_a_ride_what_moves_is_told_as_at_its_beginning(fps):
    window, crank, now_s = pedal(90, fps, seconds=2.2 * ROOM / fps, sway=0.02)
    assert size(window.in_time(now_s, crank), "shoulder_x", 1) == pytest.approx(0.02, rel=0.01)
    assert window.posture(now_s)["shoulder_y"] == 0.4


def test_the_knee_at_the_bottom_is_read_through_the_noise():
    window, crank, now_s = pedal(85, 15, knee=lambda turn: 70 + 40 * math.cos(turn + 0.3))
    begins_deg, steeper = KNEE_DEG
    told_deg = window.in_time(now_s, crank)["knee_bdc_deg"]
    assert (told_deg - begins_deg) / steeper == pytest.approx(30, abs=2)


def test_without_a_turning_crank_nothing_is_in_time():
    window, crank, now_s = pedal(80, 15, seconds=8)
    assert window.in_time(now_s, crank)
    assert not window.in_time(now_s + 3.0, crank)


def test_too_few_frames_say_nothing():
    window, _, now_s = pedal(80, 3, seconds=8)
    assert window.blind(now_s) == "no picture"
    assert window.posture(now_s) == {}


def test_a_dark_second_is_told_and_a_single_bad_frame_is_not():
    window, _, now_s = pedal(80, 15)
    window.see(FormMetrics(t_s=now_s + 0.07, blind="too dark"))
    assert window.blind(now_s + 0.07) == "too dark"
    window, _, now_s = pedal(80, 15)
    window.see(FormMetrics(t_s=now_s - 0.01, blind="nobody on the bike"))
    window.see(
        FormMetrics(
            t_s=now_s + 0.07,
            trunk=Trunk(0.5, 0.4, 0.3, 0),
            head=Head(0.5, 0.2, 0.1, 0.5, 0.22),
        )
    )
    assert window.blind(now_s + 0.07) == ""
