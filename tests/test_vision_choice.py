"""`model = "auto"`: the best pose model that this box affords, and a lighter one when it must."""

from pathlib import Path

import pytest

from firmware_app.errors import MissingPart
from firmware_app.vision.choice import (
    BAD_S,
    BEST_FIRST,
    GOOD_S,
    MOST_S,
    Ladder,
    Timing,
    choose,
    decide,
)

MODELS = Path(__file__).parents[1] / ".cache" / "models"
AT_30_HZ = 1 / 30
GOOD = (30, 0)
BAD = (30, 9)


def times(**p95_ms):
    return [Timing(model, 1, ms / 1000) for model, ms in p95_ms.items()]


def test_a_quick_box_takes_the_best_model_and_leaves_the_class_room():
    choice = decide(times(heavy=30, full=9, lite=4), AT_30_HZ)
    assert (choice.model, choice.threads) == ("full", 1)
    assert choice.why == "the best within 20 ms a frame: heavy 30 ms, full 9 ms"
    assert decide(times(heavy=19, full=9), AT_30_HZ).model == "heavy"


def test_a_box_that_no_model_fits_takes_the_quickest_and_says_so():
    choice = decide(times(heavy=400, full=80, lite=45), AT_30_HZ)
    assert choice.model == "lite"
    assert "none is within 20 ms" in choice.why


def test_no_more_is_timed_than_the_choice_needs():
    def candidates():
        yield Timing("full", 1, 0.01)
        pytest.fail("lite was timed for nothing")

    assert decide(candidates(), AT_30_HZ).model == "full"


def test_a_second_thread_is_taken_where_it_makes_the_better_model_fit():
    choice = decide([Timing("full", 1, 0.03), Timing("full", 2, 0.018)], AT_30_HZ)
    assert (choice.model, choice.threads) == ("full", 2)
    assert "full 18 ms on 2 threads" in choice.why


def test_a_slower_camera_affords_a_better_model():
    assert decide(times(heavy=30, full=9), 1 / 15).model == "heavy"


def test_the_choice_on_this_box_is_made_of_two_seconds_of_looks():
    assert 2 * len(BEST_FIRST) * MOST_S <= 2
    choice = choose(MODELS, 30)
    assert choice.model in ("lite", "full", "heavy")
    assert " ms" in choice.why


def test_a_box_without_a_model_tells_how_to_fetch_one(tmp_path):
    with pytest.raises(MissingPart, match="bikebox models --to"):
        choose(tmp_path, 30)


# while running ----------------------------------------------------------------------------------


def ride(ladder, seconds, told, look_ms=10.0):
    return [ladder.second(*told, look_ms / 1000, AT_30_HZ) for _ in range(seconds)]


def test_a_lighter_model_is_taken_when_frames_are_missed_for_seconds():
    ladder = Ladder(["lite", "full"], "full")
    assert not any(ride(ladder, BAD_S - 1, BAD))
    assert ladder.model == "full"
    assert ride(ladder, 1, BAD) == ["9 of 30 frames missed in a second"]
    assert ladder.model == "lite"


def test_one_bad_second_changes_nothing():
    ladder = Ladder(["lite", "full"], "full")
    for _ in range(20):
        ride(ladder, 1, BAD)
        ride(ladder, 2, GOOD)
    assert ladder.model == "full"


def test_below_the_lightest_there_is_nothing():
    ladder = Ladder(["lite", "full"], "lite")
    assert not any(ride(ladder, 60, BAD))
    assert ladder.model == "lite"


def test_the_better_model_comes_back_when_there_is_room():
    ladder = Ladder(["lite", "full"], "full")
    ride(ladder, BAD_S, BAD)
    assert not any(ride(ladder, GOOD_S - 1, GOOD, look_ms=6))
    assert "room again" in ride(ladder, 1, GOOD, look_ms=6)[0]
    assert ladder.model == "full"


def test_without_room_for_it_the_better_model_stays_away():
    ladder = Ladder(["lite", "full"], "full")
    ride(ladder, BAD_S, BAD)
    ride(ladder, 10 * GOOD_S, GOOD, look_ms=15)  # full would take 30 of 33 ms
    assert ladder.model == "lite"


def test_a_start_on_a_busy_box_is_made_up_for():
    ladder = Ladder(["lite", "full", "heavy"], "lite")
    ride(ladder, GOOD_S, GOOD, look_ms=4)
    assert ladder.model == "full"
    ride(ladder, 1000, GOOD, look_ms=8)
    assert ladder.model == "full", "heavy would take 36 of 33 ms"


def test_a_model_that_fails_again_is_tried_ever_more_rarely():
    ladder = Ladder(["lite", "full"], "full")
    waits = []
    for _ in range(4):
        ride(ladder, BAD_S, BAD)
        waits.append(next(n for n in range(5000) if ride(ladder, 1, GOOD, look_ms=6)[0]) + 1)
    assert waits == [GOOD_S, 2 * GOOD_S, 4 * GOOD_S, 8 * GOOD_S]


def test_a_camera_that_gives_nothing_says_nothing_of_the_model():
    ladder = Ladder(["lite", "full"], "full")
    assert not any(ride(ladder, 60, (0, 0)))
    assert ladder.model == "full"
