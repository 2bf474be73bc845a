"""Run the studio: takes in what the boxes send, confirms it, shows the class in counts.

Reads gym.toml (--config; config/gym.toml explains it); what is said here goes before the file.
Without --config the defaults hold. --import takes in a box's gateway.db that was brought by hand,
and ends. `claim`, `revoke`, `boxes`, `audit` and `ca` are for who looks after the boxes.
"""

import argparse
import asyncio
import contextlib
import sys
from pathlib import Path

from msgspec import structs

from firmware_app.clock import MachineClock
from firmware_app.running import run_until_stopped
from firmware_app.settings import load_as
from gateway.commands import boxes
from gateway.studio.archive import Archive
from gateway.studio.by_hand import take_in
from gateway.studio.service import StudioService
from gateway.studio.settings import GymSettings


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the settings file and what goes before it."""
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument("--broker", metavar="URL", help="mqtt://HOST:PORT or mqtts://HOST:PORT")
    parser.add_argument("--port", type=int, help="of the board and API; 0: any that is free")
    parser.add_argument("--db", type=Path, metavar="FILE", help="the studio's database")
    parser.add_argument(
        "--import", type=Path, dest="by_hand", metavar="DB", help="a box's gateway.db"
    )
    parser.add_argument("--port-file", type=Path, metavar="FILE", help="write the port here")
    boxes.arguments(parser.add_subparsers(dest="does", metavar="WHAT"))


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    settings = GymSettings() if args.config is None else load_as(GymSettings, args.config)
    if args.broker is not None:
        settings = structs.replace(settings, mqtt=structs.replace(settings.mqtt, url=args.broker))
    if args.port is not None:
        settings = structs.replace(settings, port=args.port)
    if args.db is not None:
        settings = structs.replace(settings, database=str(args.db))
    if args.does is not None:
        return boxes.run(args, settings)
    if args.by_hand is not None:
        archive = Archive(settings.database, MachineClock())
        with contextlib.closing(archive):
            taken = take_in(args.by_hand, archive, MachineClock())
        told = f"{args.by_hand}: {taken.new} new records of {taken.box}"
        if taken.unreadable:
            told += f"; {taken.unreadable} could not be read: copy the file from the box once more"
        sys.stdout.write(f"{told}\n")
        return int(taken.unreadable > 0)
    service = StudioService(settings, MachineClock(), args.port_file)
    asyncio.run(run_until_stopped(service.run()))
    return 0
