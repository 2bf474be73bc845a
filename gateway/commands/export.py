"""Write a ride for other programs: FIT for Strava, Garmin Connect and the like, JSON for health.

RIDE is a ride's name as the console and the summary have it, or "newest". Read from the box's own
store (--config), also while the gateway runs.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from firmware_app.errors import BadInput
from firmware_app.settings import load_settings, settings_path
from gateway.database import look_into
from gateway.export.fit import fit_of
from gateway.export.health import health_of
from gateway.export.track import track_of
from gateway.rides import messages_of, newest_of
from gateway.service import store_path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the ride and the files to write."""
    parser.add_argument("ride", metavar="RIDE", help="a ride's name, or newest")
    parser.add_argument("--fit", type=Path, metavar="FILE", help="a FIT activity")
    parser.add_argument("--health", type=Path, metavar="FILE", help="a workout as JSON")
    parser.add_argument("--config", type=Path, help="settings file")


def run(args: argparse.Namespace) -> int:
    """Write what was asked for."""
    if args.fit is None and args.health is None:
        raise BadInput("nothing to write; give --fit FILE, --health FILE or both")
    store = store_path(load_settings(args.config or settings_path()))
    if not store.exists():
        raise BadInput(f"{store}: no store there; has the gateway ever run on this box?")
    with look_into(store) as db:
        ride = newest_of(db) if args.ride == "newest" else args.ride
        told = list(messages_of(db, ride)) if ride else []
    if not told:
        raise BadInput(f"no ride is called {args.ride} in {store}; bikebox's console lists them")
    track = track_of(told)
    for file, content in (
        (args.fit, fit_of(track) if args.fit else b""),
        (args.health, msgspec.json.encode(health_of(track))),
    ):
        if file is not None:
            try:
                file.write_bytes(content)
            except OSError as error:
                raise BadInput(f"{file}: {error.strerror}; may you write there?") from error
            sys.stdout.write(f"{file}: {track.summary.ride}, {len(track.seconds)} s\n")
    return 0
