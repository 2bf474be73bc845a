"""Fetch the pose models, check them and prune what the coach never asks for.

They come from the packages that ship them (mediapipe by pip: detector and full; @mediapipe/pose
by npm: lite and heavy). What is there and right is left alone, without a network.
"""

import argparse
import sys
from pathlib import Path

from firmware_app.vision.fetch import fetch
from firmware_app.vision.models import DETECTOR, LANDMARKS, models_folder


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take where to put them and which."""
    parser.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="default: where the settings say, or .cache/models without settings",
    )
    parser.add_argument("--model", nargs="+", choices=LANDMARKS, default=["full"])
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="keep the packages here for the next time"
    )


def run(args: argparse.Namespace) -> int:
    """Fetch what is missing."""
    fetch(
        [DETECTOR, *(LANDMARKS[name] for name in args.model)],
        args.to or models_folder(),
        args.cache,
        lambda said: print(said, file=sys.stderr, flush=True),  # noqa: T201 - for people
    )
    return 0
