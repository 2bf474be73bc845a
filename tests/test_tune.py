"""Fitting the postures to labelled riders: what is written, what is left out, what is refused."""

from pathlib import Path

import numpy as np

from firmware_app.cli import main
from firmware_app.coach.book import cue_file, read_cues
from firmware_app.evaluation.fit import Seen, fitted, left_out, written
from firmware_app.evaluation.labels import clips
from firmware_app.evaluation.limits import limits
from firmware_app.form import fitted as shipped
from firmware_app.form.likeness import UNIT, square_of

RECORDINGS = Path(__file__).parent / "recordings"
DROP, LEAN = np.array([0.01, 0.02, 0.21, 0.29]), np.array([0.1, 0.26, 0.38, 0.19])


def seen(seed):
    """A rider who drops the head and leans, each in their own way."""
    chance = np.random.default_rng(seed)
    faults = [
        (posture, (way * chance.normal(1, 0.1) + chance.normal(0, 0.02, 4)).tolist())
        for posture, way in (("head_drop", DROP), ("lean_low", LEAN))
    ]
    good = chance.normal(0, 0.02, (100, 4))
    return Seen(100, good.mean(axis=0), good.T @ good, faults)


def test_the_way_of_a_posture_is_the_middle_of_its_riders():
    good, ways = fitted([seen(seed) for seed in range(30)])
    assert np.allclose(np.sqrt(np.diag(good)), 0.02, atol=0.002)
    assert np.allclose(ways["lean_low"][0], LEAN, atol=0.02)
    assert "shrug" not in ways  # nobody showed one


def test_a_rider_left_out_of_the_fit_is_told_right():
    told = list(left_out([seen(seed) for seed in range(12)]))
    assert len(told) == 24
    assert all(true == taken and sure > 1 for true, taken, sure in told)


def test_who_rides_far_from_the_baseline_teaches_nothing():
    away = seen(0)._replace(mean=np.array([0.0, 0.0, 0.0, 0.25]))
    assert np.array_equal(
        fitted([seen(1), seen(2), seen(3), away])[0], fitted([seen(1), seen(2), seen(3)])[0]
    )


def test_what_is_shipped_is_as_it_would_be_written():
    fits = {
        view: (
            square_of(shipped.GOOD[view]),
            {
                name: (UNIT * np.array(way), square_of(spread))
                for name, (way, spread) in ways.items()
            },
        )
        for view, ways in shipped.WAYS.items()
    }
    assert written(fits) == Path(shipped.__file__).read_text(encoding="utf-8")


def test_limits_tell_how_strongly_a_held_fault_and_good_riding_show():
    told = {
        (one.view, one.rule): one for one in limits(clips(RECORDINGS), read_cues(cue_file("en")))
    }
    shrug = told["front", "shrug"]
    assert len(shrug.held) == 1
    assert shrug.held[0] > 1 > shrug.good


def test_too_few_riders_are_refused_with_how_many_it_takes(capsys):
    assert main(["tune", str(RECORDINGS)]) == 78
    assert "1 recorded riders seen from the side; it takes 3" in capsys.readouterr().err
