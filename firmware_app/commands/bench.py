"""Measure what a pose costs on this machine, and what of it is the model's own.

invoke is the model alone; pipeline is from the picture to the smoothed points: crop, model,
refinement, filters. They take turns to go first on the frames of a video, each after the picture
was drawn anew, so that a busy machine and cold caches slow both alike. frame is all that the box
does with a picture once it is decoded: the pipeline, light, framing, and the message.

Processor time, not waiting time. invoke and pipeline are lower quartiles: other programs, which
push ours out of the caches, only ever add. frame is a mean, since light is looked at only now and
then. p95_ms is a frame as the clock on the wall has it, start_ms the loading of detector and model.
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
from firmware_app.vision.runtime import Network
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
    frame_s: list[float] = []
    wall_s: list[float] = []
    alone_s = 0.0
    film = Video(video)
    for frame in frames(film):
        if frame.number % 2:
            alone_s = _invoke(network)
            film.picture()
        wall_start_s, begin_s = perf_counter(), process_time()
        pose = eye.see(frame)
        seen_s = process_time()
        encode(eye.tell(frame, pose))
        told_s, wall_end_s = process_time(), perf_counter()
        if not frame.number % 2:
            film.picture()
            alone_s = _invoke(network)
        looked = tracker.landmark_s > 0 and tracker.detect_s == 0  # a search is no frame's cost
        if frame.number >= WARM_UP and looked:
            invoke_s.append(alone_s)
            pipeline_s.append(seen_s - begin_s)
            frame_s.append(told_s - begin_s)
            wall_s.append(wall_end_s - wall_start_s)
        if len(wall_s) == MEASURED:
            break
    film.close()
    if len(wall_s) < 2:
        raise BadInput(f"{video} shows a rider in {len(wall_s)} frames; give a longer one")
    invoke, pipeline = (statistics.quantiles(took_s, n=4)[0] for took_s in (invoke_s, pipeline_s))
    return {
        "model": model,
        "runtime": network.runtime,
        "threads": threads,
        "frames": len(wall_s),
        "invoke_cpu_ms": round(invoke * 1000, 2),
        "pipeline_cpu_ms": round(pipeline * 1000, 2),
        "pipeline_over_invoke": round(pipeline / invoke, 3),
        "frame_cpu_ms": round(statistics.mean(frame_s) * 1000, 2),
        "p95_ms": round(statistics.quantiles(wall_s, n=20)[-1] * 1000, 2),
        "start_ms": round(start_s * 1000, 1),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _invoke(network: Network) -> float:
    """Return the processor time of the model alone, on the picture it saw last."""
    begin_s = process_time()
    network.run()
    return process_time() - begin_s
