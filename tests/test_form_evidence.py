"""How strongly a fault shows: what counts for more, what for less, and what may be either."""

import pytest

from firmware_app.form.dwell import OFF
from firmware_app.form.evidence import BENT, evidence, stretched
from firmware_app.form.fitted import WAYS
from firmware_app.form.posture import FIGURES


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


@pytest.mark.parametrize("view", list(WAYS))
@pytest.mark.parametrize("posture", ["shrug", *BENT])
def test_who_is_nearly_back_shows_less_than_a_fault_needs_to_stand(view, posture):
    way = WAYS[view][posture][0]
    shown = [
        evidence(view, {}, {
            name: share * part / 100 for name, part in zip(FIGURES[view], way, strict=True)
        })[posture]
        for share in (0.15, 0.2, 0.3, 0.5, 1.0)
    ]  # fmt: skip
    assert shown[0] < OFF
    assert shown == sorted(shown)
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize(
    ("head_swing", "head_roll", "sways"),
    [
        (1.61, 0.21, True),
        (2.14, 0.07, True),
        (1.0, 0.05, False),
        (1.13, 0.32, False),  # a head that seems to tilt does not make it a sway
        (1.45, 0.14, None),
    ],
)
def test_obliquely_the_way_of_the_head_tells_a_sway_from_a_rocking_pelvis(
    head_swing, head_roll, sways
):
    told = evidence(
        "oblique", {}, {"swing": 0.05, "head_swing": head_swing, "head_roll": head_roll}
    ).get("sway")
    assert told is None if sways is None else (told >= 1) is sways


@pytest.mark.parametrize(
    ("elbow", "shoulder_y", "play_deg", "locked"),
    [
        (-0.13, -0.04, 4.0, True),
        (-0.07, -0.04, 4.0, False),  # not so much straighter
        (-0.04, -0.04, 4.0, False),  # hardly straighter
        (-0.13, 0.01, 4.0, False),  # shoulders that are not pushed up
        (-0.13, -0.04, 9.5, False),  # an arm in use
    ],
)
def test_obliquely_locked_arms_are_straighter_stiff_and_push_the_shoulders_up(
    elbow, shoulder_y, play_deg, locked
):
    gone = {"elbow": elbow, "shoulder_y": shoulder_y}
    told = evidence("oblique", {"elbow_play_deg": play_deg}, gone)
    assert (told["elbows_locked"] >= 1) is locked
    assert ("elbows_locked" in evidence("oblique", {}, gone)) is not stretched("oblique", gone)
    assert "elbows_locked" not in evidence("front", {"elbow_play_deg": play_deg}, gone)
