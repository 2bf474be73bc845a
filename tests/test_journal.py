"""The ride on disk: whole after a power cut, readable while it is written."""

import pytest

from firmware_app.journal import Journal, whole_lines
from firmware_app.wire import Audit, Reader, ToGateway


def note(words: str) -> Audit:
    return Audit(t_s=1.0, what=words)


def words_in(path) -> list[str]:
    return [Reader(ToGateway).read(line).what for line in whole_lines(path)]


def test_what_is_appended_can_be_read_back_in_order(tmp_path):
    with Journal(tmp_path / "journals" / "1.jsonl") as journal:
        journal.append(note("mounted"))
        journal.append(note("pedalled"))
    assert words_in(journal.path) == ["mounted", "pedalled"]


def test_a_technician_reads_along_before_anything_is_on_the_disk(tmp_path):
    with Journal(tmp_path / "1.jsonl") as journal:
        journal.append(note("pedalled"))
        assert words_in(journal.path) == []
        journal.flush()
        assert words_in(journal.path) == ["pedalled"]


def test_a_ride_goes_on_in_the_journal_of_a_killed_process(tmp_path):
    for words in ("before", "after"):
        with Journal(tmp_path / "1.jsonl") as journal:
            journal.append(note(words))
    assert words_in(journal.path) == ["before", "after"]


def test_a_power_cut_costs_the_torn_line_and_no_other(tmp_path):
    path = tmp_path / "1.jsonl"
    with Journal(path) as journal:
        journal.append(note("whole"))
    with path.open("ab") as file:
        file.write(b'{"type":"Audit","t_s":2.0,"wh')
    assert words_in(path) == ["whole"]
    with Journal(path) as journal:
        journal.append(note("next"))
    first, torn, last = whole_lines(path)
    assert torn.startswith(b'{"type":"Audit","t_s":2.0,"wh')
    assert (Reader(ToGateway).read(first).what, Reader(ToGateway).read(last).what) == (
        "whole",
        "next",
    )


def test_a_journal_may_be_closed_twice(tmp_path):
    journal = Journal(tmp_path / "1.jsonl")
    journal.append(note("ended"))
    journal.close()
    journal.close()
    assert words_in(journal.path) == ["ended"]


def test_nothing_can_be_appended_to_a_closed_journal(tmp_path):
    journal = Journal(tmp_path / "1.jsonl")
    journal.close()
    with pytest.raises(ValueError, match="closed"):
        journal.append(note("too late"))


def test_an_interval_is_on_the_disk_itself(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("os.fsync", synced.append)
    with Journal(tmp_path / "1.jsonl") as journal:
        assert len(synced) == 1  # the folder: a new file's name must survive too
        synced.clear()
        journal.append(note("thirty seconds"))
        journal.flush()
        assert not synced
        journal.sync()
        assert len(synced) == 1
