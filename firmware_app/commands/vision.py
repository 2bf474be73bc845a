"""Run the vision service: camera to poses.

Reads bikebox.toml (--config, $BIKEBOX_CONFIG or /etc/bikebox/bikebox.toml) and serves vision.sock.
"""

import argparse
import asyncio
from functools import partial
from pathlib import Path

import structlog

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput
from firmware_app.parts import make_camera
from firmware_app.running import run_until_stopped
from firmware_app.services.vision import VisionService
from firmware_app.settings import load_settings, settings_path
from firmware_app.vision.choice import choose
from firmware_app.vision.eye import Eye
from firmware_app.vision.lux import LuxMeter, read_meter
from firmware_app.vision.seeing import Light
from firmware_app.vision.tracker import load_tracker

log = structlog.get_logger()


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the settings file and the moment a video file starts."""
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument(
        "--start-at",
        type=float,
        metavar="MONOTONIC_S",
        help="when a video file that is the camera starts to play (default: at once)",
    )


def run(args: argparse.Namespace) -> int:
    """Watch until told to stop."""
    settings = load_settings(args.config or settings_path())
    vision = settings.vision
    clock = MachineClock()
    models, model, threads, choice = Path(settings.paths.models), vision.model, vision.threads, None
    if model == "auto":
        choice = choose(models, vision.fps)
        model, threads = choice.model, choice.threads
        log.info("model_chosen", model=model, threads=threads, why=choice.why)
    tracker = load_tracker(models, model, threads)
    light = Light(vision.dark_below_snr_db, vision.light_above_snr_db)
    start_at_s = clock.monotonic() if args.start_at is None else args.start_at
    camera = partial(make_camera, vision, clock, start_at_s)
    eye = Eye(tracker, light, vision.known_view, _meter(vision.lux_file))
    service = VisionService(settings, eye, camera, clock, choice)
    asyncio.run(run_until_stopped(service.run()))
    return 0


def _meter(lux_file: str) -> LuxMeter | None:
    """Read the camera's calibration; one that is damaged costs the lux, not the coach."""
    if lux_file:
        try:
            return read_meter(Path(lux_file))
        except BadInput as error:
            log.warning("no_lux", why=str(error))
    return None
