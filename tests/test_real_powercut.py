"""The plug is pulled at any moment of a ride: no promise of the box is broken by it.

strace writes down what a box does to its files; tests/powercut/disk.py knows what of it a disk
must have kept at each moment, and leaves the rest to chance. `python -m tests.powercut` cuts more.
"""

import shutil

import pytest

from tests.powercut.cuts import life, pull_the_plug


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A life of a box, call by call, and the folder it was lived in."""
    assert shutil.which("strace"), "strace is not installed: apt install strace"
    folder = tmp_path_factory.mktemp("box")
    return life(folder / "life", folder / "strace.log", intervals=60), folder / "life"


def test_a_pulled_plug_costs_nothing_that_was_synced_or_confirmed(lived, tmp_path):
    calls, folder = lived
    harm = pull_the_plug(calls, folder, tmp_path, cuts=60, seed=5)
    assert harm.synced > 60 * 1000
    assert harm.confirmed > 60
    broken = harm.synced_lost, harm.confirmed_lost, harm.corrupt, harm.never_arrived, harm.doubled
    assert broken == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("file", "figure"),
    [(".jsonl", "synced_lost"), ("studio.db-wal", "confirmed_lost")],
)
def test_a_file_that_is_not_put_on_disk_would_be_noticed(lived, tmp_path, file, figure):
    calls, folder = lived
    careless = [call for call in calls if call.kind != "sync" or not call.path.endswith(file)]
    assert getattr(pull_the_plug(careless, folder, tmp_path, cuts=20, seed=5), figure) > 0
