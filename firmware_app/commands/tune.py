"""Fit the numbers that postures are told apart by (form/fitted.py) to labelled riders.

Takes every NAME.npz with its NAME.json.gz of each folder, as `bikebox eval` does. For each view it
tells how many times each posture was held, and what a fit without that rider takes it for; then,
for each rule, how strongly it showed when it was held and in good riding (1 begins a fault), which
is what its limits in form/evidence.py are set by. Set them by some riders and judge by others.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from firmware_app.coach.book import cue_file, read_cues
from firmware_app.errors import BadInput
from firmware_app.evaluation.fit import FULL, Seen, fitted, left_out, riders_of, written
from firmware_app.evaluation.labels import Clip, clips
from firmware_app.evaluation.limits import limits
from firmware_app.wire import View

VIEWS: tuple[View, ...] = ("front", "oblique", "side")
FEWEST = 3
"""Riders of a view; with fewer nobody can be left out. Obliquely those from the front help out."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the riders, and where the numbers go."""
    parser.add_argument("riders", type=Path, nargs="+", metavar="DIR", help="labelled riders")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write the numbers (firmware_app/form/fitted.py)"
    )


def run(args: argparse.Namespace) -> int:
    """Fit, tell, and write if asked to."""
    found = [clip for folder in args.riders for clip in clips(folder) if clip.recording.is_file()]
    counts = Counter(clip.label.view for clip in found)
    for view in ("front", "side"):
        if counts[view] < FEWEST:
            raise BadInput(
                f"{counts[view]} recorded riders seen from the {view}; it takes {FEWEST}"
            )
    seen = {view: riders_of(found, view) for view in VIEWS}
    for view, riders in seen.items():
        sys.stdout.write("\n".join(_told(view, riders)) + "\n")
    sys.stdout.write("\n".join(_limits(found)) + "\n")
    if args.write is not None:
        text = written({view: fitted(riders) for view, riders in seen.items()})
        args.write.write_text(text, encoding="utf-8")
    return 0


def _told(view: View, riders: list[Seen]) -> Iterator[str]:
    taken = Counter((true, told) for true, told, _ in left_out(riders))
    yield f"{view}: {len(riders)} riders; each posture, and what a fit without its rider says"
    for posture in FULL:
        row = {told: count for (true, told), count in taken.items() if true == posture}
        says = ", ".join(f"{told} {count}" for told, count in sorted(row.items()))
        yield f"    {posture:14s} {sum(row.values()):3d}: {says}"


def _limits(found: list[Clip]) -> Iterator[str]:
    yield "each rule: evidence while it was held (weakest, middle), and in good riding (99 of 100)"
    for view, rule, held, good in limits(found, read_cues(cue_file("en"))):
        shows = f"{min(held):5.2f} {sorted(held)[len(held) // 2]:5.2f}" if held else "    -     -"
        yield f"    {view:8s} {rule:14s} {len(held):3d} held: {shows}   good: {good:5.2f}"
