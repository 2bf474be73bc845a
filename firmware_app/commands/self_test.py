"""Try this release where it lies: every part loads, the pose finds a rider, the settings are read.

The updater runs it before it switches to a release: what cannot work on this box is refused while
the old release still runs. It opens no device and changes nothing.
"""

import argparse
import asyncio
import importlib
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path

from firmware_app.errors import MissingPart, PartLost
from firmware_app.settings import load_settings, settings_path
from firmware_app.speech.engines import find_espeak, find_piper
from firmware_app.vision.eye import Eye
from firmware_app.vision.models import models_folder
from firmware_app.vision.offline import frames
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video

HOME = Path(__file__).parents[2]
RIDER = HOME / "firmware_app/sim/rides/front.mp4"
PI = Path("/proc/device-tree/model")
LOOKS = 5
"""Pictures of the rider; an emulated Pi needs ten seconds for each."""
LATE = (
    "aiortc", "av", "cryptography.hazmat.bindings.openssl.binding", "cv2", "gpiozero",
    "paho.mqtt.client", "sqlite3", "ssl", "uvicorn",
)  # fmt: skip
"""Parts that a service loads only when it needs them."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the folder of the models."""
    parser.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="default: this release's, else as the settings say",
    )


def run(args: argparse.Namespace) -> int:
    """Try each part and name it; return 0, or raise at the first that does not work."""
    shipped = HOME / "models"
    models = args.models or (shipped if shipped.is_dir() else models_folder())
    tries: dict[str, Callable[[], object]] = {
        "parts": _load_parts,
        "pins": _find_pins,
        "settings": _read_settings,
        "voice": _find_voice,
        "pose": lambda: _find_rider(models),
    }
    for name, attempt in tries.items():
        sys.stdout.write(f"{name}: {attempt()}\n")
        sys.stdout.flush()
    return 0


def _load_parts() -> str:
    names = [point.value for point in entry_points(group="bikebox.commands")]
    for name in (*names, *LATE, "firmware_app.player.sdl"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise MissingPart(
                f"{name} does not load ({error}); if it names a library, Debian has it:"
                " config/setup/debian-box.txt, else build the release anew"
            ) from error
    return f"{len(names)} commands and {len(LATE) + 1} libraries load"


def _find_pins() -> str:
    try:
        importlib.import_module("lgpio")
    except ImportError as error:
        if not PI.exists():
            return "none here: no Raspberry Pi"
        raise MissingPart(
            f"lgpio does not load ({error}): on Python 3.13 it is Raspberry Pi OS's; apt install"
            " python3-lgpio, or provision the box again"
        ) from error
    return "lgpio loads"


def _read_settings() -> str:
    path = settings_path()
    if not path.exists():
        return f"no {path} yet"
    load_settings(path)
    return f"{path} is understood"


def _find_voice() -> str:
    if find_espeak("en", 165) is None:
        raise MissingPart("no espeak-ng: apt install espeak-ng")
    piper = asyncio.run(find_piper(HOME / "speech/bin/python", "en"))
    return f"{piper.voice}, and espeak-ng" if piper else "espeak-ng"


def _find_rider(models: Path) -> str:
    eye = Eye(load_tracker(models))
    film = Video(RIDER)
    try:
        poses = [eye.look(frame) for frame in islice(frames(film), LOOKS)]
    finally:
        film.close()
    found = sum(bool(pose.landmarks) for pose in poses)
    if not found:
        raise PartLost(f"no rider found in {len(poses)} pictures of {RIDER.name}")
    return f"a rider in {found} of {len(poses)} pictures"
