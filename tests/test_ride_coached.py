"""A recorded rider with a fault: what the whole ride makes of it, and of a remote coach."""

import gzip
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from firmware_app.form.metrics import measure
from firmware_app.ride.events import Pulse, Tick
from firmware_app.wire import Audit, Command, CueGiven, CueOutcome, Landmark, PoseFrame, Say, Touch

RIDES = Path(__file__).parent / "recordings"


def events(name, until_s, view="front"):
    """Yield what the ride hears of a recorded rider, in order."""
    found = np.load(RIDES / f"{name}.npz")
    label = json.loads(gzip.decompress((RIDES / f"{name}.json.gz").read_bytes()))
    heard = [Pulse(t_s=t) for t in label["crank_pulses_s"]]
    heard += [Tick(t_s=n / 5) for n in range(1, int(until_s * 5))]
    for n, t_s in enumerate(found["t"]):
        points = found["p2"][n]
        landmarks = ()
        if not np.isnan(points).any():
            landmarks = tuple(
                Landmark(float(x), float(y), 0.0, float(v), 1.0)
                for (x, y), v in zip(points, found["vis"][n], strict=True)
            )
        frame = PoseFrame(t_s=float(t_s), frame=n, width_px=640, height_px=480, landmarks=landmarks)
        heard.append(measure(frame, view))
    return sorted((event for event in heard if event.t_s < until_s), key=lambda event: event.t_s)


@pytest.fixture
def ridden(saddle):
    """Ride a recording; the player answers each cue, a remote coach may have a word."""

    def ride(name, until_s, remote=(), *, own_words=True):
        bike = saddle(start_s=0.0, pulses=())
        if not own_words:  # a coach who leaves the word to others
            bike.ride._coach.consider = lambda *_: None
        said = 0
        for event in sorted([*events(name, until_s), *remote], key=lambda event: event.t_s):
            bike.feed(event)
            spoken = bike.out.of(Say)
            for cue in spoken[said:]:
                outcome = "spoken" if cue.voice else "shown"
                bike.feed(CueOutcome(t_s=event.t_s, cue=cue.cue, outcome=outcome))
            said = len(spoken)
        bike.feed(Touch(t_s=until_s, action="end"))
        return bike

    return ride


def test_a_shrug_is_told_within_seconds_and_a_dropped_head_too_soon_after_is_not(ridden):
    given = ridden("front_shrug_head_drop", 60).out.of(CueGiven)
    corrections = [cue for cue in given if cue.kind == "correct"]
    assert [cue.rule for cue in corrections][:1] == ["shrug"]
    assert 27 < corrections[0].ride_s < 36
    assert all(b.ride_s - a.ride_s >= 30 for a, b in pairwise(corrections))


def test_a_clean_rider_hears_nothing_however_often_they_look_or_drink(ridden):
    assert not ridden("front_clean", 60).out.of(CueGiven)


def remote(t_s, rule, text, expires_s=0.0):
    return Command(t_s=t_s, command="c1", kind="cue", rule=rule, text=text, expires_s=expires_s)


def test_a_remote_cue_about_what_does_not_stand_is_kept_as_refused(ridden):
    bike = ridden("front_shrug_head_drop", 25, [remote(20, "shrug", "Drop your shoulders")])
    (refused,) = bike.out.of(Audit)
    assert (refused.what, refused.who) == ("cue_refused", "remote coach")
    assert "does not stand" in refused.detail or "cannot be seen" in refused.detail
    assert not bike.out.of(Say)


def test_a_remote_cue_about_a_fault_that_stands_is_said_in_its_own_words(ridden):
    cue = remote(34, "shrug", "Relax your shoulders")
    bike = ridden("front_shrug_head_drop", 38, [cue], own_words=False)
    assert not bike.out.of(Audit)
    (say,) = bike.out.of(Say)
    assert (say.kind, say.rule, say.text) == ("remote", "shrug", "Relax your shoulders")
    assert say.voice
    (given,) = bike.out.of(CueGiven)
    assert (given.words, given.outcome) == ("Relax your shoulders", "spoken")


def test_a_remote_cue_that_comes_too_late_is_kept_as_refused(ridden):
    late = remote(36, "shrug", "Drop your shoulders", expires_s=30)
    (refused,) = ridden("front_shrug_head_drop", 40, [late]).out.of(Audit)
    assert refused.detail == "c1: too late"


def test_a_remote_cue_is_never_a_second_sentence_beside_the_coachs_own(ridden):
    own = ridden("front_shrug_head_drop", 45).out.of(Say)[0].t_s
    bike = ridden("front_shrug_head_drop", 45, [remote(own - 0.1, "shrug", "Drop your shoulders")])
    said = [say for say in bike.out.of(Say) if say.voice]
    assert len(said) == 1
