"""A journal rides again, and gives the same ride."""

import pytest

from firmware_app.errors import BadInput
from firmware_app.journal import Journal
from firmware_app.ride.events import Finish, Tick
from firmware_app.ride.recording import first_difference, missing, read_recording, replay
from firmware_app.summary import summarise
from firmware_app.wire import Interval, RideEnded, encode


@pytest.fixture
def written(saddle, tmp_path):
    """A ride and its journal, as the service writes it."""
    bike = saddle(rpm=88).pedal(88, 70).rest(15).pedal(88, 30)
    bike.feed(Finish(t_s=bike.now_s, why="power off"))
    path = tmp_path / "000001_abcd_bike-1.jsonl"
    with Journal(path) as journal:
        journal.append(bike.setup)
        for message in bike.heard + bike.out.told:
            journal.append(message)
    return bike, path


def test_a_replay_tells_what_the_bike_told(written):
    bike, path = written
    recording = read_recording(path)
    ride, told = replay(recording, bike.book)
    assert first_difference(recording, told) == ""
    assert list(told) == bike.out.told
    assert summarise(told) == summarise(bike.out.told)
    assert ride.phase == "ended"


def test_a_torn_last_line_costs_that_line_and_no_other(written):
    bike, path = written
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    recording = read_recording(path)
    assert recording.torn
    assert len(recording.told) == len(bike.out.told) - 1
    assert missing(recording, tuple(bike.out.told)) == (bike.out.told[-1],)


def test_a_damaged_line_in_the_middle_is_counted_and_left_out(written):
    _bike, path = written
    lines = path.read_bytes().splitlines(keepends=True)
    lines[40] = b'{"type":"Tick","t_s":\xff\n'
    lines[60] = b'{"type":"FromTheFuture","t_s":1.0}\n'
    path.write_bytes(b"".join(lines))
    assert read_recording(path).unreadable == 2


def test_a_replay_that_differs_says_where(written):
    bike, path = written
    recording = read_recording(path)
    fewer = recording._replace(heard=recording.heard[:100])
    _ride, told = replay(fewer, bike.book)
    assert "replay gives" in first_difference(recording, told)


def test_what_the_bike_died_before_telling_is_told_when_it_is_taken_up(written):
    bike, path = written
    recording = read_recording(path)
    cut = recording._replace(told=recording.told[:1])
    _ride, told = replay(cut, bike.book)
    assert [type(message) for message in missing(cut, told)] == [Interval] * 4 + [RideEnded]


def test_a_file_that_is_no_journal_is_told_with_its_name(tmp_path):
    other = tmp_path / "notes.jsonl"
    other.write_bytes(encode(Tick(t_s=1.0)) + b"not json\n")
    with pytest.raises(BadInput, match=r"notes\.jsonl: no RideSetup .*1 unreadable"):
        read_recording(other)
    with pytest.raises(BadInput, match="name a journal"):
        read_recording(tmp_path / "nowhere.jsonl")
