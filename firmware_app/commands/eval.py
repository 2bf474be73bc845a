"""Run labelled riders through the shipped chain and tell how good the coach is.

Takes every NAME.mp4 (or, where there is none, NAME.npz) with its NAME.json.gz of a folder. Faults
are counted by segment and by seconds; what the camera could hardly see counts neither way.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from firmware_app.coach.book import cue_file, read_cues
from firmware_app.evaluation.bars import below, read_bars, unmeasured
from firmware_app.evaluation.labels import Clip, clips
from firmware_app.evaluation.page import page
from firmware_app.evaluation.report import report, table
from firmware_app.evaluation.rider import Result, evaluate
from firmware_app.vision.models import LANDMARKS, models_folder
from firmware_app.vision.tracker import load_tracker

BAR = 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the riders and where the results go."""
    parser.add_argument("riders", type=Path, nargs="+", metavar="DIR", help="labelled riders")
    parser.add_argument("--json", type=Path, metavar="OUT", required=True, help="- for the screen")
    parser.add_argument("--traces", type=Path, metavar="DIR2", help="five states a second, each")
    parser.add_argument("--report", type=Path, metavar="HTML", help="a page to read")
    parser.add_argument("--bars", type=Path, metavar="TOML", help="fail when a figure is worse")
    parser.add_argument("--model", choices=LANDMARKS, default="full")
    parser.add_argument(
        "--recordings", action="store_true", help="take the recorded pose even beside a video"
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate; the table goes to the screen unless the JSON does; 1 when a bar is not passed."""
    bars = read_bars(args.bars) if args.bars else None
    found = [clip for folder in args.riders for clip in clips(folder)]
    results = list(_evaluate(found, args))
    told = report(results)
    text = msgspec.json.format(msgspec.json.encode(told), indent=1).decode() + "\n"
    if str(args.json) == "-":
        sys.stdout.write(text)
    else:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(text, encoding="utf-8")
        sys.stdout.write("\n".join(table(told)) + "\n")
    if args.report is not None:
        args.report.parent.mkdir(parents=True, exist_ok=True)
        timelines = {result.clip: result.timeline for result in results}
        args.report.write_text(page(told, timelines), encoding="utf-8")
    worse = list(below(told, bars)) if bars else []
    for path in unmeasured(told, bars) if bars else ():
        sys.stderr.write(f"not measured: {path}; no rider shows it\n")
    for line in worse:
        sys.stderr.write(f"worse than the bar: {line}\n")
    return 1 if worse else 0


def _evaluate(found: Sequence[Clip], args: argparse.Namespace) -> Iterator[Result]:
    book = read_cues(cue_file("en"))
    tracker = None
    if args.traces is not None:
        args.traces.mkdir(parents=True, exist_ok=True)
    for done, clip in enumerate(found):
        _progress(done, len(found), clip.label.name)
        watch = clip.video.is_file() and not (args.recordings and clip.recording.is_file())
        if watch and tracker is None:
            tracker = load_tracker(models_folder(), args.model)
        trace = args.traces and args.traces / f"{clip.label.name}.states.jsonl"
        yield evaluate(clip, tracker if watch else None, book, trace)
    _progress(len(found), len(found), "")


def _progress(done: int, whole: int, name: str) -> None:
    if sys.stderr.isatty():
        full = BAR * done // whole
        bar = "#" * full + "." * (BAR - full)
        sys.stderr.write(f"\r[{bar}] {done}/{whole} {name:32s}" + ("\n" if done == whole else ""))
    elif name:
        sys.stderr.write(f"{done + 1}/{whole} {name}\n")
    sys.stderr.flush()
