"""Measure what a pose costs on this machine, and what of it is the model's own.

The model alone and the whole pipeline (crop, model, filters, light, message) take turns on the
frames of a video, so that a busy machine slows both alike. Processor time, not waiting time,
but for p95_ms, a frame's whole pipeline, and start_ms, the loading of detector and model: these are
by the clock on the wall.
"""

import argparse
import json
import resource
import statistics
import sys
from pathlib import Path
from time import perf_counter, process_time

from firmware_app.errors import BadInput
from firmware_app.vision.eye import Eye
from firmware_app.vision.models import LANDMARKS, ModelName, models_folder
from firmware_app.vision.offline import frames
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video
from firmware_app.wire import encode

RIDER = Path(__file__).parents[1] / "sim" / "rides" / "front.mp4"
WARM_UP, MEASURED = 10, 300
"""Frames."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to measure."""
    parser.add_argument("--json", required=True, metavar="OUT", help="file; - is standard output")
    parser.add_argument("--video", type=Path, default=RIDER, help="default: a recorded rider")
    parser.add_argument("--model", choices=LANDMARKS, default="full")
    parser.add_argument("--models", type=Path, metavar="DIR", help="folder of the pose models")
    parser.add_argument("--threads", type=int, choices=range(1, 5), default=1)


def run(args: argparse.Namespace) -> int:
    """Measure and write the figures."""
    figures = measure(args.video, args.models or models_folder(), args.model, args.threads)
    text = json.dumps(figures, indent=2)
    if args.json == "-":
        sys.stdout.write(text + "\n")
    else:
        Path(args.json).write_text(text + "\n", encoding="utf-8")
        sys.stderr.write(
            f"{figures['model']}: {figures['pipeline_cpu_ms']} ms a frame,"
            f" {figures['pipeline_over_invoke']} times the model alone\n"
        )
    return 0


def measure(video: Path, models: Path, model: ModelName, threads: int) -> dict[str, object]:
    """Return the figures, times in ms; raise BadInput for too short a video."""
    loading_s = perf_counter()
    tracker = load_tracker(models, model, threads)
    start_s = perf_counter() - loading_s
    network = tracker.landmarker.network
    eye = Eye(tracker)
    invoke_s: list[float] = []
    pipeline_s: list[float] = []
    wall_s: list[float] = []
    film = Video(video)
    for count, frame in enumerate(frames(film)):
        wall_start_s, begin_s = perf_counter(), process_time()
        encode(eye.look(frame))
        middle_s, wall_end_s = process_time(), perf_counter()
        network.run()
        end_s = process_time()
        if count >= WARM_UP and tracker.detect_s == 0:  # a search is not what a frame costs
            pipeline_s.append(middle_s - begin_s)
            invoke_s.append(end_s - middle_s)
            wall_s.append(wall_end_s - wall_start_s)
        if len(wall_s) == MEASURED:
            break
    film.close()
    if len(wall_s) < 2:
        raise BadInput(f"{video} shows a rider in {len(wall_s)} frames; give a longer one")
    invoke, pipeline = statistics.mean(invoke_s), statistics.mean(pipeline_s)
    return {
        "model": model,
        "runtime": network.runtime,
        "threads": threads,
        "frames": len(wall_s),
        "invoke_cpu_ms": round(invoke * 1000, 2),
        "pipeline_cpu_ms": round(pipeline * 1000, 2),
        "pipeline_over_invoke": round(pipeline / invoke, 3),
        "p95_ms": round(statistics.quantiles(wall_s, n=20)[-1] * 1000, 2),
        "start_ms": round(start_s * 1000, 1),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
