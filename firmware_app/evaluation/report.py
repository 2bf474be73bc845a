"""Many riders' scores as one report: for a program and for a terminal."""

from collections.abc import Iterator
from typing import Any

from firmware_app.evaluation import keypoints
from firmware_app.evaluation.honesty import Honesty
from firmware_app.evaluation.rider import Result
from firmware_app.evaluation.scoring import Outcome, Talk, Tally
from firmware_app.form.catalogue import POSTURE

LONG_S = 10.0
"""A fault held longer than this belongs into the ride's summary."""
CLOSE_RPM = 3.0

Report = dict[str, Any]
"""Ready to be written as JSON."""


def report(results: list[Result]) -> Report:
    """Add up riders; views and all of them together, rule by rule."""
    views = sorted({result.view for result in results})
    long = [
        one
        for result in results
        for one in result.outcomes
        if one.counts and one.t1 - one.t0 > LONG_S
    ]
    return {
        "riders": len(results),
        "from_video": sum(result.source == "video" for result in results),
        "views": {view: _rules([one for one in results if one.view == view]) for view in views},
        "all": _rules(results),
        "long_faults": _long(long),
        "coach": _talk(results).figures(),
        "pose_cadence": _cadence(results),
        "knee_flexion": _knee(results),
        "brain": _brain(results),
        "confusion": _confusion(results),
        "honesty": _honesty(results),
        "pck_0_2": keypoints.pck(_points(results)),
        "clips": [
            {
                "clip": result.clip,
                "view": result.view,
                "source": result.source,
                "frames": result.frames,
                "faults": [
                    {
                        "fault": one.fault,
                        "t0": one.t0,
                        "t1": one.t1,
                        "counts": one.counts,
                        "found": one.found,
                        "delay_s": one.delay_s,
                        "held_s": one.held_s,
                        "unseen_share": round(one.unseen_share, 2),
                    }
                    for one in result.outcomes
                ],
                "coach": result.talk.figures(),
            }
            for result in results
        ],
    }


def table(told: Report) -> Iterator[str]:
    """Yield the report's lines for a terminal."""
    yield (
        f"{'view':8s} {'rule':14s} {'found':>7s} {'P':>5s} {'R':>5s} {'F1':>5s}"
        f" {'F1 by s':>7s} {'false':>5s} {'unseen':>6s} {'delay s':>7s}"
    )
    for view, rules in (*told["views"].items(), ("all", told["all"])):
        for rule, row in rules.items():
            if row["events"] or row["false_runs"]:
                yield (
                    f"{view:8s} {rule:14s} {row['found']:3d}/{row['events']:<3d}"
                    f" {_cell(row['precision'])} {_cell(row['recall'])} {_cell(row['f1'])}"
                    f" {_cell(row['f1_s'], 7)} {row['false_runs']:5d}"
                    f" {_cell(row['unseen_share'], 6)} {_cell(row['delay_median_s'], 7)}"
                )
    coach, long, cadence = told["coach"], told["long_faults"], told["pose_cadence"]
    yield f"faults held longer than {LONG_S:.0f} s: {long['found']} of {long['held']} found"
    yield (
        f"coach: {coach['corrections']} corrections, {coach['praises']} praises;"
        f" {coach['false_cues_in_good_riding']} false in {coach['good_riding_s'] / 3600:.2f} h of"
        f" good riding, {coach['wrong_cues_in_faults']} about another fault than the one shown"
    )
    if coach["cue_delay_median_s"] is not None:
        yield (
            f"first word about a fault: {coach['cue_delay_median_s']} s after half of it (median),"
            f" {coach['cues_late']} later than the rule's window and a second"
        )
    yield f"brain: {told['brain']['cpu_ms_per_s']} ms of processor time a second of riding"
    yield (
        f"cadence from the pose: median error {cadence['median_error_rpm']} rpm,"
        f" {cadence['within_3_rpm']} of {cadence['windows']} windows within {CLOSE_RPM:.0f}"
    )
    knee = told["knee_flexion"]
    if knee["riders"]:
        yield (
            f"knee flexion at the bottom of the turn: median error {knee['median_error_deg']}"
            f" degrees, {knee['riders']} riders"
        )
    hidden = sum(row["hidden_moments"] for row in told["honesty"].values())
    if hidden:
        called_ok = sum(row["hidden_called_ok"] for row in told["honesty"].values())
        yield f"where the joints were hidden: called ok in {called_ok} of {hidden} judgements"
    if told["pck_0_2"]:
        yield f"PCK@0.2: {', '.join(f'{joint} {near}' for joint, near in told['pck_0_2'].items())}"


def _rules(results: list[Result]) -> Report:
    found = {}
    for rule in POSTURE:
        score = Tally()
        for result in results:
            score.add(result.tallies[rule])
        found[rule] = score.figures()
    return found


def _talk(results: list[Result]) -> Talk:
    said = Talk()
    for result in results:
        said.add(result.talk)
    return said


def _cadence(results: list[Result]) -> Report:
    errors = sorted(error for result in results for error in result.cadence_errors_rpm)
    return {
        "windows": len(errors),
        "median_error_rpm": errors[len(errors) // 2] if errors else None,
        "within_3_rpm": sum(error <= CLOSE_RPM for error in errors),
    }


def _knee(results: list[Result]) -> Report:
    errors = sorted(abs(one.knee_error_deg) for one in results if one.knee_error_deg is not None)
    return {
        "riders": len(errors),
        "median_error_deg": errors[len(errors) // 2] if errors else None,
    }


def _long(held: list[Outcome]) -> Report:
    found = sum(one.found for one in held)
    share = round(found / len(held), 3) if held else None
    return {"held": len(held), "found": found, "found_share": share}


def _brain(results: list[Result]) -> Report:
    """Return the processor time that a second of riding takes, measuring the points included."""
    riding_s = sum(result.riding_s for result in results)
    cpu_s = sum(result.brain_cpu_s for result in results)
    return {"cpu_ms_per_s": round(1000 * cpu_s / riding_s, 2) if riding_s else None}


def _confusion(results: list[Result]) -> dict[str, dict[str, int]]:
    """Return true fault to what it was taken for, counted."""
    found: dict[str, dict[str, int]] = {}
    for result in results:
        for true, rule in result.taken:
            row = found.setdefault(true, {})
            row[rule] = row.get(rule, 0) + 1
    return found


def _honesty(results: list[Result]) -> Report:
    found: dict[str, Honesty] = {}
    for result in results:
        for rule, count in result.honesty.items():
            found.setdefault(rule, Honesty()).add(count)
    return {rule: count.figures() for rule, count in found.items()}


def _points(results: list[Result]) -> keypoints.Keypoints:
    found: keypoints.Keypoints = {}
    for result in results:
        for joint, near in result.keypoints.items():
            tally = found.setdefault(joint, keypoints.Near())
            tally.points += near.points
            tally.near += near.near
    return found


def _cell(value: float | None, width: int = 5) -> str:
    return f"{'-':>{width}s}" if value is None else f"{value:{width}.2f}"
