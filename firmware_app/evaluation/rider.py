"""One labelled rider, evaluated: from video or recording to states, cues and scores."""

from collections.abc import Iterator
from pathlib import Path
from time import process_time

import msgspec
from msgspec import Struct

from firmware_app.coach.book import CueBook
from firmware_app.errors import BadInput
from firmware_app.evaluation import keypoints, knee_angle, pose_cadence
from firmware_app.evaluation.confusion import Taken, confusions
from firmware_app.evaluation.drive import Moment, judge
from firmware_app.evaluation.honesty import Honesty, honesty
from firmware_app.evaluation.labels import Clip, recorded
from firmware_app.evaluation.scoring import Outcome, Talk, Tally, outcomes, talk, tally
from firmware_app.evaluation.timeline import timeline
from firmware_app.form.catalogue import POSTURE
from firmware_app.form.metrics import FormMetrics, measure
from firmware_app.vision.offline import poses
from firmware_app.vision.tracker import Tracker
from firmware_app.wire import PoseFrame


class Result(Struct):
    """All that one rider adds to the report."""

    clip: str
    view: str
    source: str
    """video or recording."""
    frames: int
    outcomes: list[Outcome]
    tallies: dict[str, Tally]
    talk: Talk
    cadence_errors_rpm: list[float]
    knee_error_deg: float | None
    """Flexion at the bottom of the turn, from the side."""
    keypoints: keypoints.Keypoints
    taken: list[Taken]
    honesty: dict[str, Honesty]
    riding_s: float
    brain_cpu_s: float
    """Processor time from points to cues, of all that time."""
    timeline: str
    """The ride as an SVG picture."""


def evaluate(clip: Clip, tracker: Tracker | None, book: CueBook, trace: Path | None) -> Result:
    """Run one rider through the chain; without a tracker, from the recording.

    Writes the trace, a line for each moment, when one is wanted. Raise BadInput when the video or
    the recording cannot be read.
    """
    label = clip.label
    found: keypoints.Keypoints = {}
    measured: list[FormMetrics] = []
    brain_s = 0.0
    for frame in _frames(clip, tracker):
        began_s = process_time()
        measured.append(measure(frame, label.view))
        brain_s += process_time() - began_s
        if tracker is not None:
            keypoints.add(found, frame, label)
    began_s = process_time()
    moments = list(judge(label.view, measured, label.crank_pulses_s, book))
    brain_s += process_time() - began_s
    if not moments:
        raise BadInput(f"{label.name}: has no frames; is the file whole?")
    if trace is not None:
        trace.write_bytes(b"".join(_line(moment) for moment in moments))
    met = list(outcomes(label, moments))
    return Result(
        clip=label.name,
        view=label.view,
        source="recording" if tracker is None else "video",
        frames=len(measured),
        outcomes=met,
        tallies={rule: tally(rule, label, moments, met) for rule in POSTURE},
        talk=talk(label, moments),
        cadence_errors_rpm=pose_cadence.errors_rpm(measured, label.per_frame),
        knee_error_deg=knee_angle.error_deg(measured, label),
        keypoints=found,
        taken=list(confusions(label, moments)),
        honesty=honesty(label, moments),
        riding_s=measured[-1].t_s - measured[0].t_s,
        brain_cpu_s=brain_s,
        timeline=timeline(label, moments),
    )


def _frames(clip: Clip, tracker: Tracker | None) -> Iterator[PoseFrame]:
    if tracker is None:
        return recorded(clip.recording, clip.label)
    return poses(clip.video, tracker)


def _line(moment: Moment) -> bytes:
    cue = moment.cue
    told = None if cue is None else {"rule": cue.rule, "words": cue.text}
    line = {"t_s": round(moment.form.t_s, 3), "states": moment.form.states, "cue": told}
    return msgspec.json.encode(line) + b"\n"
