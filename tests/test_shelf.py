"""The folder of journals: names rides in order, and throws away only what is kept elsewhere."""

import pytest

from firmware_app.services.shelf import KEEP, Shelf


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path, "b1")


def ride(shelf, words="told\n"):
    path = shelf.path(shelf.next_ride())
    path.write_text(words)
    return path


def test_rides_are_named_in_the_order_they_were_ridden(shelf):
    names = [ride(shelf).name for _ in range(12)]
    assert names == sorted(names)
    assert len(set(names)) == 12
    assert shelf.newest().name == names[-1]
    assert names[0].startswith("000001_")
    assert names[0].endswith("_b1.jsonl")


def test_old_journals_go_when_the_gateway_has_them_and_the_newest_stay_for_a_technician(shelf):
    paths = [ride(shelf) for _ in range(KEEP + 3)]
    shelf.clear({path.name: path.stat().st_size for path in paths})
    assert [path.exists() for path in paths] == [False] * 3 + [True] * KEEP


@pytest.mark.parametrize("kept", [None, 0, 3])
def test_a_journal_that_the_gateway_does_not_have_whole_is_never_thrown_away(shelf, kept):
    paths = [ride(shelf) for _ in range(KEEP + 3)]
    shelf.clear({} if kept is None else {path.name: kept for path in paths})
    assert all(path.exists() for path in paths)


def test_a_strange_file_on_the_shelf_is_left_alone(shelf, tmp_path):
    (tmp_path / "notes.jsonl").write_text("mine")
    assert shelf.newest() is None
    assert shelf.next_ride().startswith("000001_")
