"""Find the rider's pose in every frame of a video file.

Writes one JSON line a frame: t_s, present, landmarks [33][x_px, y_px, z_px, visibility, presence]
in pixels of the frame (empty when nobody is seen), world [33][x_m, y_m, z_m], snr_db.

Points are smoothed by the times of the pictures, as the file has them. MediaPipe's Python wrapper
takes every video for one of 30 frames a second: to compare with it, say --fps 30.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from fractions import Fraction
from pathlib import Path
from typing import TextIO

import av
import msgspec
import numpy as np

from firmware_app.errors import BadInput
from firmware_app.hardware import Frame
from firmware_app.vision.models import LANDMARKS, models_folder
from firmware_app.vision.offline import poses
from firmware_app.vision.skeleton import draw
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video
from firmware_app.wire import PoseFrame

BAR = 40
"""Characters of the progress bar."""


ENOUGH = 0.95
"""The head of a file may miscount its pictures by a few."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the video and where the poses go."""
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument("--json", required=True, metavar="OUT", help="file; - is standard output")
    parser.add_argument("--model", choices=LANDMARKS, default="full")
    parser.add_argument("--models", type=Path, metavar="DIR", help="folder of the pose models")
    parser.add_argument(
        "--fps", type=float, help="frames a second, whatever the file says of their times"
    )
    parser.add_argument("--overlay", type=Path, metavar="OUT.mp4", help="the video with the pose")


def run(args: argparse.Namespace) -> int:
    """Find the poses."""
    if args.fps is not None and not 1 <= args.fps <= 240:
        raise BadInput(f"--fps {args.fps:g} is no pace of a video; give 1 to 240")
    video = Video(args.video)
    total, fps = video.frames, args.fps or video.fps
    video.close()
    tracker = load_tracker(args.models or models_folder(), args.model)
    with ExitStack() as open_files:
        out = open_files.enter_context(_out(args.json))
        show = open_files.enter_context(_overlay(args.overlay, fps)) if args.overlay else None
        done = 0
        for done, pose in enumerate(poses(args.video, tracker, show, args.fps), start=1):
            out.write(line(pose) + "\n")
            _progress(done, total)
    if done < ENOUGH * total:
        raise BadInput(
            f"{args.video} breaks off: {done} of {total} pictures could be read, and their poses"
            " are written; the rest is damaged or missing, copy the file again"
        )
    return 0


def line(pose: PoseFrame) -> str:
    """Return the pose as the JSON that `bikebox pose` promises."""
    told = {
        "t_s": round(pose.t_s, 6),
        "present": bool(pose.landmarks),
        "landmarks": pose.landmarks,
        "world": pose.world,
        "snr_db": pose.snr_db,
    }
    return msgspec.json.encode(told).decode()


@contextmanager
def _out(name: str) -> Iterator[TextIO]:
    if name == "-":
        with nullcontext(sys.stdout) as out:
            yield out
        return
    try:
        with Path(name).open("w", encoding="utf-8") as out:
            yield out
    except OSError as error:
        raise BadInput(f"--json {name} cannot be written: {error.strerror or error}") from error


@contextmanager
def _overlay(path: Path, fps: float) -> Iterator[Callable[[Frame, PoseFrame], None]]:
    """Give what draws a pose over its picture and appends it to an MP4."""
    try:
        container = av.open(str(path), "w", format="mp4")
    except OSError as error:
        raise BadInput(f"--overlay {path} cannot be written: {error}") from error
    with container:
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 90_000)

        def show(frame: Frame, pose: PoseFrame) -> None:
            draw(pose, frame.bgr)
            height, width = frame.bgr.shape[:2]
            # the codec keeps colour for pairs of pixels: an odd side gets its edge twice
            even = np.pad(frame.bgr, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
            picture = av.VideoFrame.from_ndarray(even, format="bgr24")
            if not stream.codec_context.is_open:
                stream.width, stream.height = picture.width, picture.height
            picture.pts, picture.time_base = round(frame.t_s * 90_000), stream.time_base
            container.mux(stream.encode(picture))

        yield show
        container.mux(stream.encode(None))


def _progress(done: int, total: int) -> None:
    """Show how far we are, on a terminal in place, elsewhere once at the end."""
    total = max(total, done)
    if sys.stderr.isatty() and (done % 10 == 0 or done == total):
        bar = ("#" * (BAR * done // total)).ljust(BAR, ".")
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r[{bar}] {done}/{total} frames{end}")
        sys.stderr.flush()
    elif done == total:
        sys.stderr.write(f"{done} frames\n")
