"""A ride as FIT and as a workout: another program's reader sees what was ridden, and no more."""

import io
import json
from datetime import UTC, datetime

import fitdecode
import pytest
from gym_scene import interval, told_ride
from msgspec import structs

from firmware_app.cli import main
from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput
from firmware_app.form.state import FormState
from firmware_app.ride.trace import LONGEST_S, Trace
from firmware_app.wire import RideId, encode
from gateway.export.fit import fit_of
from gateway.export.health import health_of
from gateway.export.track import track_of
from gateway.store import Store

START = datetime(2026, 4, 17, 18, tzinfo=UTC)


def ride(*seconds, ended=True):
    """A ride whose intervals hold these seconds, each a list of (rpm, form)."""
    told = list(told_ride(intervals=0, ended=ended))
    name = RideId("000001_ab_b1")
    for n, each in enumerate(seconds):
        rpm, form = zip(*each, strict=True)
        told.append(structs.replace(interval(name, n), rpm=rpm, form=form))
    return told


def read(content):
    """Read a FIT file with a reader that is not ours; a wrong checksum raises."""
    found = {}
    with fitdecode.FitReader(io.BytesIO(content), check_crc=fitdecode.CrcCheck.RAISE) as reader:
        for frame in reader:
            if frame.frame_type == fitdecode.FIT_FRAME_DATA:
                values = {field.name: field.value for field in frame.fields}
                found.setdefault(frame.name, []).append(values)
    return found


def test_a_sports_program_reads_cadence_each_second_at_its_true_time():
    told = ride([(80 + n % 3, 1) for n in range(30)], [(90, 0)] * 30)
    found = read(fit_of(track_of(told)))
    assert [record["cadence"] for record in found["record"]][:4] == [80, 81, 82, 80]
    assert [(r["timestamp"] - START).total_seconds() for r in found["record"]] == list(range(60))
    (session,) = found["session"]
    assert (session["sport"], session["sub_sport"]) == ("cycling", "indoor_cycling")
    assert session["max_cadence"] == 90
    assert session["total_timer_time"] == session["total_elapsed_time"] == 60.0
    assert session["start_time"] == START
    assert found["file_id"][0]["type"] == "activity"


def test_the_form_stands_beside_it_as_a_share_of_the_last_half_minute():
    told = ride([(80, 1)] * 30, [(80, 0)] * 15 + [(80, None)] * 15)
    records = read(fit_of(track_of(told)))["record"]
    assert records[29]["in position"] == 100
    assert records[44]["in position"] == 50
    assert read(fit_of(track_of(told)))["session"][0]["cues"] == 1


def test_what_was_not_measured_is_not_told():
    found = read(fit_of(track_of(ride([(None, 1), (80, None)]))))
    assert found["record"][0].get("cadence") is None
    assert found["record"][1]["in position"] == 100  # the second before is still in the half minute
    text = json.dumps(found, default=str)
    for word in ("power", "distance", "calories", "heart_rate", "speed", "Sagar"):
        assert word not in text


def test_a_rest_stops_the_clock():
    told = ride([(80, 1)] * 10 + [(None, None)] * 10 + [(80, 1)] * 10)
    found = read(fit_of(track_of(told)))
    assert [event["event_type"] for event in found["event"]] == [
        "start", "stop_all", "start", "stop_all"
    ]  # fmt: skip
    (session,) = found["session"]
    assert (session["total_timer_time"], session["total_elapsed_time"]) == (20.0, 30.0)


def test_a_ride_of_an_older_bike_has_its_intervals_means():
    track = track_of(told_ride(intervals=2))
    assert len(track.seconds) == 60
    mean = 60 * track.turns / sum(m.pedalling_s for m in told_ride() if hasattr(m, "pedalling_s"))
    assert {second.rpm for second in track.seconds} == {round(mean * 3 / 2)}


def test_a_ride_without_its_start_or_without_riding_is_a_sentence():
    with pytest.raises(BadInput, match="start was never told"):
        track_of(told_ride()[1:])
    with pytest.raises(BadInput, match="nobody rode"):
        track_of(told_ride(intervals=0))


def test_one_flipped_bit_is_noticed():
    content = bytearray(fit_of(track_of(told_ride())))
    content[200] ^= 1
    with pytest.raises(fitdecode.FitError):
        read(bytes(content))


def test_a_phone_gets_a_workout_with_its_times_and_samples():
    workout = health_of(track_of(ride([(80, 1), (None, 1), (82, 0)])))
    assert (workout.activity, workout.indoor) == ("cycling", True)
    assert workout.start == "2026-04-17T18:00:00Z"
    assert [(s.at[-3:-1], s.rpm) for s in workout.cadence] == [("00", 80), ("02", 82)]


def test_export_reads_the_box_s_own_store(tmp_path, capsys):
    store = Store(tmp_path / "state" / "gateway" / "gateway.db", "b1", MachineClock())
    lines = [encode(message).rstrip(b"\n") for message in ride([(80, 1)] * 30)]
    store.keep("000001_ab_b1", sum(len(line) + 1 for line in lines), lines)
    store.close()
    config = tmp_path / "bikebox.toml"
    config.write_text(f'box = "b1"\n[paths]\nstate = "{tmp_path}/state"\nrun = "{tmp_path}/run"\n')
    fit, health = tmp_path / "ride.fit", tmp_path / "health.json"
    asked = ["--config", str(config), "--fit", str(fit), "--health", str(health)]
    assert main(["export", "newest", *asked]) == 0
    assert len(read(fit.read_bytes())["record"]) == 30
    assert json.loads(health.read_text())["schema"] == "bikebox.health.1"
    assert main(["export", "000009_x", *asked]) == 78
    assert "no ride is called 000009_x" in capsys.readouterr().err
    assert main(["export", "newest", "--config", str(config)]) == 78
    assert "--fit FILE" in capsys.readouterr().err


OK, BAD, BLIND = (
    FormState(0.0, states, {}, None, standing=False)
    for states in (
        {"shrug": "ok", "standing": "fault"},
        {"shrug": "fault", "sway": "ok"},
        {"shrug": "unseen"},
    )
)


def test_a_trace_keeps_the_worst_of_each_second_and_the_newest_cadence():
    trace = Trace(100.0)
    for t_s, rpm, form in ((100.1, 80.2, OK), (100.6, 81.4, BAD), (102.0, None, BLIND)):
        trace.add(t_s, rpm, form)
    assert trace.rpm == [81, None, None]
    assert trace.form == [0, None, None]
    trace.add(103.0, 82.0, OK)
    assert trace.form[3] == 1


def test_a_trace_forgets_a_rest_and_never_grows_beyond_an_interval():
    trace = Trace(0.0)
    for t_s in range(20):
        trace.add(float(t_s), 80.0, OK)
    trace.cut(4.5)
    assert trace.rpm == [80] * 5
    trace.add(LONGEST_S + 1.0, 80.0, OK)
    assert len(trace.rpm) == 5
