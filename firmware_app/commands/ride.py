"""Run the ride service: crank, form, coach, journal.

Reads bikebox.toml (--config, $BIKEBOX_CONFIG or /etc/bikebox/bikebox.toml) and serves ride.sock.
"""

import argparse
import asyncio
from pathlib import Path

from firmware_app.clock import MachineClock
from firmware_app.parts import make_crank
from firmware_app.running import run_until_stopped
from firmware_app.services.ride import RideService
from firmware_app.settings import load_settings, settings_path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the settings file and the moment a simulated crank starts."""
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument(
        "--start-at",
        type=float,
        metavar="MONOTONIC_S",
        help="when a simulated crank starts to turn (default: at once)",
    )


def run(args: argparse.Namespace) -> int:
    """Ride until told to stop."""
    settings = load_settings(args.config or settings_path())
    clock = MachineClock()
    start_at_s = clock.monotonic() if args.start_at is None else args.start_at
    crank = make_crank(settings.crank, clock, start_at_s)
    service = RideService(settings, crank, clock, BOOT_ID.read_text().strip())
    asyncio.run(run_until_stopped(service.run()))
    return 0
