"""Compare our poses with MediaPipe 0.10.18's, and what both cost, frame by frame in one process.

    make oracle                      compares on the recorded riders of tests/recordings
    make oracle ARGS="FOLDER ..."    on the videos there; --model lite full heavy --frames N

Runs in an environment of its own (config/locks/oracle.txt): MediaPipe brings numpy 1, jax and a
second OpenCV. Both take turns to go first. Cost is processor time of the whole process, ours with
light and message, MediaPipe's without the change of colours that it wants from its caller. Points
agree within 0.05 of the torso, both at 30 frames a second, for which MediaPipe's wrapper takes
every video. With a label beside the video (NAME.json.gz) both are also held against the truth,
within 0.2: ours then as a bike has them, with the video's own times. --control compares MediaPipe
with itself instead, on a picture of which one value in a hundred is a grey level higher: nobody can
agree with it better than that.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from time import process_time
from typing import TextIO

import cv2
import mediapipe
import numpy as np
from mediapipe.python.solutions.pose import Pose

from firmware_app.evaluation import keypoints
from firmware_app.evaluation.labels import Label, clips
from firmware_app.hardware import Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.fetch import fetch
from firmware_app.vision.models import LANDMARKS
from firmware_app.vision.offline import frames, poses
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video
from firmware_app.wire import Landmark, PoseFrame, encode

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"
RIDERS = ROOT / "tests" / "recordings"
COMPLEXITY = {"lite": 0, "full": 1, "heavy": 2}
WRAPPER_FPS = 30.0
"""For which MediaPipe's Python wrapper takes every video."""
SHOULDERS, HIPS = (11, 12), (23, 24)
WARM_UP = 5
"""Frames whose cost does not count."""


@dataclass
class Comparison:
    """One clip through one model."""

    clip: str
    model: str
    frames: int = 0
    only_ours: int = 0
    only_theirs: int = 0
    visible: int = 0
    agreeing: int = 0
    ours_ms: list[float] = field(default_factory=list)
    theirs_ms: list[float] = field(default_factory=list)
    ours_near: keypoints.Keypoints = field(default_factory=dict)
    theirs_near: keypoints.Keypoints = field(default_factory=dict)

    def take_in(self, ours: PoseFrame, theirs: PoseFrame) -> None:
        """Count how far two poses of one frame agree."""
        self.frames += 1
        self.only_ours += bool(ours.landmarks) > bool(theirs.landmarks)
        self.only_theirs += bool(ours.landmarks) < bool(theirs.landmarks)
        if not (ours.landmarks and theirs.landmarks):
            return
        a = np.array([(p.x_px, p.y_px) for p in ours.landmarks])
        b = np.array([(p.x_px, p.y_px) for p in theirs.landmarks])
        torso_px = np.linalg.norm(b[SHOULDERS, :].mean(axis=0) - b[HIPS, :].mean(axis=0))
        size_px = max(torso_px, 0.2 * np.ptp(b, axis=0).max())  # a torso seen end on
        seen = np.array([p.visibility for p in theirs.landmarks]) > 0.5
        self.visible += int(seen.sum())
        self.agreeing += int((np.linalg.norm(a - b, axis=1)[seen] < 0.05 * size_px).sum())

    def row(self) -> dict[str, object]:
        """Return the figures."""
        return {
            "model": self.model,
            "clip": self.clip,
            "frames": self.frames,
            "only_ours": self.only_ours,
            "only_theirs": self.only_theirs,
            "pck05": round(self.agreeing / self.visible, 4) if self.visible else None,
            "ours_ms": round(statistics.mean(self.ours_ms), 2),
            "theirs_ms": round(statistics.mean(self.theirs_ms), 2),
            "ratio": round(sum(self.theirs_ms) / sum(self.ours_ms), 3),
            "truth_ours": _share(self.ours_near),
            "truth_theirs": _share(self.theirs_near),
        }


def control(video: Path, _label: Label | None, model: str, most: int) -> Comparison:
    """Show each frame to MediaPipe twice, once with a few values changed by the least there is."""
    result = Comparison(video.stem, model)
    random = np.random.default_rng(0)
    with (
        Pose(model_complexity=COMPLEXITY[model]) as one,
        Pose(model_complexity=COMPLEXITY[model]) as two,
    ):
        for frame in islice(_at_their_pace(video), most):
            rgb = cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2RGB)
            theirs, theirs_s = _time(one.process, rgb)
            rgb = cv2.add(rgb, (random.random(rgb.shape) < 0.01).astype(np.uint8))
            again, again_s = _time(two.process, rgb)
            result.take_in(_as_ours(again, frame), _as_ours(theirs, frame))
            result.ours_ms.append(again_s * 1000)
            result.theirs_ms.append(theirs_s * 1000)
    return result


def compare(video: Path, label: Label | None, model: str, most: int) -> Comparison:
    """Show each frame to both."""
    result = Comparison(video.stem, model)
    tracker = load_tracker(CACHE / "models", model)
    eye = Eye(tracker)
    with Pose(model_complexity=COMPLEXITY[model], smooth_landmarks=True) as pose:
        for n, frame in enumerate(islice(_at_their_pace(video), most)):
            rgb = cv2.cvtColor(frame.bgr, cv2.COLOR_BGR2RGB)
            if n % 2:
                theirs, theirs_s = _time(pose.process, rgb)
            ours, ours_s = _time(lambda frame: _told(eye, frame), frame)
            if not n % 2:
                theirs, theirs_s = _time(pose.process, rgb)
            told = _as_ours(theirs, frame)
            result.take_in(ours, told)
            if label:
                keypoints.add(result.theirs_near, told, label)
            if n >= WARM_UP:
                result.ours_ms.append(ours_s * 1000)
                result.theirs_ms.append(theirs_s * 1000)
    if label:
        for seen in islice(poses(video, tracker), most):
            keypoints.add(result.ours_near, seen, label)
    return result


def _told(eye: Eye, frame: Frame) -> PoseFrame:
    seen = eye.look(frame)
    encode(seen)
    return seen


def _time(work, *args):
    start_s = process_time()
    done = work(*args)
    return done, process_time() - start_s


def _at_their_pace(video: Path) -> Iterator[Frame]:
    film = Video(video)
    yield from frames(film, WRAPPER_FPS)
    film.close()


def _as_ours(result, frame: Frame) -> PoseFrame:
    height, width = frame.bgr.shape[:2]
    points = result.pose_landmarks.landmark if result.pose_landmarks else ()
    landmarks = tuple(
        Landmark(p.x * width, p.y * height, p.z * width, p.visibility, 1.0) for p in points
    )
    return PoseFrame(
        t_s=frame.t_s, frame=frame.number, width_px=width, height_px=height, landmarks=landmarks
    )


def _share(found: keypoints.Keypoints) -> float | None:
    points = sum(tally.points for tally in found.values())
    return round(sum(tally.near for tally in found.values()) / points, 4) if points else None


def _bring_models() -> None:
    """Give MediaPipe its lite and heavy models, which it would fetch from elsewhere."""
    whole = [
        replace(model, used=model.shipped, used_sha256=model.shipped_sha256)
        for model in LANDMARKS.values()
    ]
    folder = Path(mediapipe.__file__).parent / "modules" / "pose_landmark"
    fetch(whole, folder, CACHE / "packages", lambda said: _say(said, sys.stderr))


def _videos(paths: list[Path]) -> Iterator[tuple[Path, Label | None]]:
    for path in paths:
        if path.is_file():
            yield path, None
            continue
        labels = {clip.video: clip.label for clip in clips(path)} if any(path.glob("*.gz")) else {}
        for video in sorted(path.glob("*.mp4")):
            yield video, labels.get(video)


def _say(line: str, to: TextIO = sys.stdout) -> None:
    to.write(line + "\n")
    to.flush()


def main() -> None:
    """Compare and print a line a clip, then the means of each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[RIDERS])
    parser.add_argument("--model", nargs="+", choices=COMPLEXITY, default=["full"])
    parser.add_argument("--frames", type=int, default=150, help="most of each clip")
    parser.add_argument("--json", type=Path, help="where the figures go too")
    parser.add_argument("--control", action="store_true", help="MediaPipe against itself")
    args = parser.parse_args()
    _bring_models()
    rows = []
    for model in args.model:
        own = []
        for video, label in _videos(args.paths):
            own.append(
                (control if args.control else compare)(video, label, model, args.frames).row()
            )
            _say(" ".join(f"{name} {value}" for name, value in own[-1].items()))
        known = [row["pck05"] for row in own if row["pck05"] is not None]
        ratio = sum(r["theirs_ms"] for r in own) / sum(r["ours_ms"] for r in own)
        _say(
            f"{model}: mean pck05 {statistics.mean(known):.4f}, least {min(known):.4f},"
            f" cost ratio {ratio:.3f}"
        )
        rows += own
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
