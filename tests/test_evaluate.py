"""Recorded riders through the whole chain, and the scores that come of them."""

import gzip
import json

import msgspec
import pytest

from firmware_app.cli import main
from firmware_app.coach.book import cue_file, read_cues
from firmware_app.coach.coach import Cue
from firmware_app.errors import BadInput
from firmware_app.evaluation.confusion import confusions
from firmware_app.evaluation.drive import Moment, drive
from firmware_app.evaluation.honesty import honesty
from firmware_app.evaluation.labels import Event, Frames, Label, clips, read_label, recorded
from firmware_app.evaluation.pose_cadence import errors_rpm
from firmware_app.evaluation.rider import evaluate
from firmware_app.evaluation.scoring import Tally, outcomes, talk, tally
from firmware_app.form.catalogue import RULES
from firmware_app.form.metrics import measure
from firmware_app.form.state import FormState

BOOK = read_cues(cue_file("en"))


@pytest.fixture(scope="module")
def riders(request):
    folder = request.path.parent / "recordings"
    return {clip.recording.stem: clip for clip in clips(folder)}


def driven(clip):
    frames = recorded(clip.recording, clip.label)
    return list(drive(clip.label.view, frames, clip.label.crank_pulses_s, BOOK))


# recorded riders --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("front_shrug_head_drop", ["shrug", "head_drop"]),
        ("side_elbows_back_head", ["elbows_locked", "rounded_back", "head_drop"]),
        ("front_sway_knees_in", ["sway", "knees_in"]),
        ("front_hip_rock_lean", ["hip_rock", "lean_low"]),
        ("front_clean", []),
    ],
)
def test_a_recorded_rider_is_seen_as_labelled(riders, name, faults):
    clip = riders[name]
    moments = driven(clip)
    met = list(outcomes(clip.label, moments))
    assert [one.fault for one in met if one.found] == faults
    window_s = {rule.id: rule.on_s + rule.looks_back_s for rule in RULES}
    assert all(one.delay_s <= window_s[one.fault] for one in met)
    scores = [tally(rule.id, clip.label, moments, met) for rule in RULES]
    assert sum(score.false_runs for score in scores) == 0
    said = talk(clip.label, moments)
    assert (said.false_in_good, said.wrong_in_fault) == (0, 0)
    assert (said.corrections > 0) == (len(faults) > 0)


def test_a_ride_with_looks_drinks_and_passers_hears_nothing(riders):
    moments = driven(riders["front_clean"])
    assert not any(moment.cue for moment in moments)
    assert not any("fault" in moment.form.states.values() for moment in moments)
    late = [moment.form for moment in moments if moment.form.t_s > 20]
    seen = sum(form.states["shrug"] == "ok" for form in late)
    assert seen > 0.6 * len(late)


def test_knees_below_the_picture_that_the_pose_draws_into_it_are_never_judged(riders):
    clip = riders["front_knees_below"]
    moments = driven(clip)
    assert {moment.form.states["knees_out"] for moment in moments} == {"unseen"}
    assert honesty(clip.label, moments)["knees_out"].hidden > 300
    assert not any(moment.cue for moment in moments)


def test_the_pose_alone_knows_the_cadence(riders):
    clip = riders["side_elbows_back_head"]
    measured = [measure(frame, "side") for frame in recorded(clip.recording, clip.label)]
    errors = sorted(errors_rpm(measured, clip.label.per_frame))
    assert len(errors) > 20
    assert errors[len(errors) // 2] < 1.5


def test_the_trace_has_every_rule_five_times_a_second(riders, tmp_path):
    clip = riders["front_shrug_head_drop"]
    trace = tmp_path / "trace.jsonl"
    result = evaluate(clip, None, BOOK, trace)
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert len(lines) == pytest.approx(clip.label.duration_s * 5, abs=5)
    assert all(set(line["states"]) == {rule.id for rule in RULES} for line in lines)
    (cue,) = [line["cue"] for line in lines if line["cue"]][:1]
    assert cue["rule"] == "shrug"
    assert cue["words"] == "Drop your shoulders"
    assert result.source == "recording"


def test_the_command_writes_what_it_prints(riders, tmp_path, capsys):
    folder = next(iter(riders.values())).recording.parent
    out, page = tmp_path / "new" / "out.json", tmp_path / "report.html"
    words = ["eval", str(folder), "--recordings", "--json", str(out), "--report", str(page)]
    assert main([*words, "--traces", str(tmp_path / "traces")]) == 0
    told = json.loads(out.read_text())
    assert told["riders"] == 6
    assert told["long_faults"] == {"held": 9, "found": 9, "found_share": 1.0}
    assert told["views"]["side"]["elbows_locked"]["recall"] == 1.0
    assert told["coach"]["false_cues_per_hour"] == 0
    assert len(list((tmp_path / "traces").glob("*.states.jsonl"))) == 6
    assert "elbows_locked" in capsys.readouterr().out
    html = page.read_text()
    assert html.count("<svg") == 6
    for shown in (
        "What was taken for what",
        "Drop your shoulders",
        'class="fault"',
        'class="line"',
    ):
        assert shown in html


def test_the_coach_is_no_worse_than_the_bars(riders, tmp_path, capsys):
    folder = next(iter(riders.values())).recording.parent
    words = ["eval", str(folder), "--recordings", "--json", str(tmp_path / "out.json")]
    assert main([*words, "--bars", str(folder.parent / "eval-bars.toml")]) == 0
    bars = tmp_path / "bars.toml"
    bars.write_text('[least]\n"all.shrug.recall" = 1.1\n[most]\n"no.such" = 3\nriders = 2\n')
    assert main([*words, "--bars", str(bars)]) == 1
    told = capsys.readouterr().err
    assert "all.shrug.recall is 1.0; at least 1.1" in told
    assert "no.such is missing" in told
    assert "riders is 6.0; at most 2" in told
    bars.write_text("[least]\nx = 'high'\n")
    assert main([*words, "--bars", str(bars)]) == 78


# what was taken for what ------------------------------------------------------------------------


def test_a_fault_taken_for_another_one_stands_in_its_row():
    label = rider(SHRUG, Event("lean_low", 40.0, 52.0, ramp_s=1.0))
    told = list(moments(60, head_drop=[("fault", 24, 32)], sway=[("fault", 5, 8)]))
    assert list(confusions(label, told)) == [
        ("shrug", "head_drop"), ("lean_low", "none"), ("good riding", "sway"),
    ]  # fmt: skip
    told = list(moments(60, shrug=[("fault", 24, 32)], lean_low=[("unseen", 38, 55)]))
    assert list(confusions(label, told)) == [("shrug", "shrug"), ("lean_low", "unseen")]


def test_ok_about_hidden_joints_is_counted_as_dishonest():
    frames = Frames(
        t=[0.0, 0.2, 0.4, 0.6], crank_deg=[], cadence_rpm=[], present=[], on_bike=[],
        in_frame=[[True] * 33] * 4, occluded=[[n in (25, 26) for n in range(33)]] * 4,
    )  # fmt: skip
    label = msgspec.structs.replace(rider(), per_frame=frames)
    told = honesty(label, list(moments(0.8, shrug=[("unseen", 0, 0.3)])))
    assert (told["knees_in"].hidden, told["knees_in"].hidden_ok) == (4, 4)
    assert (told["shrug"].visible, told["shrug"].visible_unseen) == (4, 2)
    assert told["shrug"].figures()["visible_called_unseen"] == 0.5


# bad input --------------------------------------------------------------------------------------


def test_a_folder_without_riders_says_what_was_expected(tmp_path, capsys):
    assert main(["eval", str(tmp_path), "--json", "-"]) == 78
    assert "no labelled rider" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"[]"), gzip.compress(b"{")])
def test_a_broken_label_is_named(tmp_path, content):
    path = tmp_path / "rider.json.gz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"rider\.json\.gz: not a label"):
        read_label(path)


def test_a_broken_recording_is_named(tmp_path, riders):
    path = tmp_path / "rider.npz"
    path.write_bytes(b"PK nothing")
    with pytest.raises(BadInput, match=r"rider\.npz: not a recording"):
        list(recorded(path, riders["front_clean"].label))


# scoring ----------------------------------------------------------------------------------------


def rider(*events, seconds=60.0):
    frames = Frames(t=[], crank_deg=[], cadence_rpm=[], present=[], on_bike=[])
    return Label(
        name="x", view="front", fps=15, duration_s=seconds, size=(640, 480), events=list(events),
        per_frame=frames,
    )  # fmt: skip


def moments(seconds, **spans):
    """Moments with rules in states during spans: shrug=[("fault", 10, 20)]; cue=[("shrug", 12)]."""
    cues = {round(t_s * 5): rule for rule, t_s in spans.pop("cue", [])}
    for n in range(int(seconds * 5)):
        t_s = n / 5
        states = {rule.id: "ok" for rule in RULES}
        for rule, parts in spans.items():
            for state, t0, t1 in parts:
                if t0 <= t_s < t1:
                    states[rule] = state
        rule = cues.get(n)
        cue = Cue(1, rule, "correct", "x", "", True, t_s) if rule else None  # noqa: FBT003 - a NamedTuple
        yield Moment(FormState(t_s, states, {}, None, standing=False), cue, 80.0)


def score(label, rule, told):
    told = list(told)
    return tally(rule, label, told, list(outcomes(label, told)))


SHRUG = Event("shrug", 20.0, 32.0, ramp_s=1.0)


def test_a_fault_found_late_is_found_and_what_hangs_on_is_forgiven():
    told = score(rider(SHRUG), "shrug", moments(60, shrug=[("fault", 24, 35)]))
    figures = told.figures()
    assert (figures["precision"], figures["recall"], figures["f1"]) == (1.0, 1.0, 1.0)
    assert figures["delay_median_s"] == 4.0
    assert figures["recall_s"] == pytest.approx(7.6 / 11.2, abs=0.03)
    assert figures["false_s"] == 0


def test_a_fault_elsewhere_is_false_and_a_blink_is_no_run():
    told = score(rider(SHRUG), "shrug", moments(60, shrug=[("fault", 5, 8), ("fault", 50, 50.4)]))
    assert (told.found, told.events, told.false_runs) == (0, 1, 1)
    assert told.figures()["precision"] == 0.0


def test_the_wrong_name_for_a_fault_is_a_miss_and_a_false_one():
    label = rider(SHRUG)
    told = list(moments(60, head_drop=[("fault", 24, 32)]))
    assert score(label, "shrug", told).found == 0
    assert score(label, "head_drop", told).false_runs == 1


def test_what_the_camera_hardly_saw_counts_neither_way():
    hidden = Event("shrug", 20.0, 32.0, ramp_s=1.0, unoccluded=0.4)
    for state in ("fault", "unseen"):
        told = score(rider(hidden), "shrug", moments(60, shrug=[(state, 22, 31)]))
        assert (told.events, told.false_runs, told.missed_s) == (0, 0, 0)


def test_an_unseen_fault_is_a_miss_that_says_so():
    told = score(rider(SHRUG), "shrug", moments(60, shrug=[("unseen", 0, 60)]))
    assert (told.events, told.found, told.unseen_events) == (1, 0, 1)
    assert told.figures()["unseen_share"] == 1.0


def test_riders_add_up():
    one = score(rider(SHRUG), "shrug", moments(60, shrug=[("fault", 24, 35)]))
    whole = Tally()
    whole.add(one)
    whole.add(score(rider(SHRUG), "shrug", moments(60)))
    assert whole.figures()["recall"] == 0.5
    assert one.delays_s == [4.0]


def test_a_cue_on_good_riding_is_false_and_one_during_a_nuisance_too():
    label = rider(SHRUG, Event("nuisance_drink", 40.0, 45.0))
    told = list(moments(60, cue=[("shrug", 24), ("shrug", 10), ("head_drop", 43), ("sway", 26)]))
    said = talk(label, told)
    assert (said.corrections, said.false_in_good, said.wrong_in_fault) == (4, 2, 1)
    assert said.good_s == pytest.approx(60 - 13.5, abs=0.3)


def test_a_fault_that_no_rider_shows_is_told_and_does_not_fail(riders, tmp_path, capsys):
    folder = next(iter(riders.values())).recording.parent
    bars = tmp_path / "bars.toml"
    bars.write_text(
        '[least]\n"all.standing.recall" = 0.9\n[most]\n"all.standing.delay_median_s" = 5\n'
    )
    words = ["eval", str(folder), "--recordings", "--json", str(tmp_path / "out.json")]
    assert main([*words, "--bars", str(bars)]) == 0
    assert "not measured: all.standing.recall; no rider shows it" in capsys.readouterr().err


def test_a_cue_is_late_only_when_it_could_have_been_said_sooner():
    label = rider(SHRUG, Event("head_drop", 40.0, 58.0), seconds=70)
    said = talk(label, moments(70, cue=[("shrug", 24), ("head_drop", 54.2)]))
    assert (said.delays_s, said.late) == ([4.0, 0.2], 0)
    said = talk(label, moments(70, cue=[("head_drop", 51)]))
    assert (said.delays_s, said.late) == ([11.0], 1)


def test_the_report_tells_what_the_brain_costs(riders, tmp_path):
    folder = next(iter(riders.values())).recording.parent
    assert main(["eval", str(folder), "--recordings", "--json", str(tmp_path / "out.json")]) == 0
    assert 0 < json.loads((tmp_path / "out.json").read_text())["brain"]["cpu_ms_per_s"] < 1000
