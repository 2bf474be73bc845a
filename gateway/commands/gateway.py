"""Run the gateway service: store, sync to the studio, local API and console.

Reads bikebox.toml (--config, $BIKEBOX_CONFIG or /etc/bikebox/bikebox.toml), serves gateway.sock
for the ride and, on loopback, a console; its port is in <run>/gateway.port.
"""

import argparse
import asyncio
from pathlib import Path

from firmware_app.clock import MachineClock
from firmware_app.running import run_until_stopped
from firmware_app.settings import load_settings, settings_path
from gateway.service import GatewayService


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the settings file."""
    parser.add_argument("--config", type=Path, help="settings file")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    service = GatewayService(load_settings(args.config or settings_path()), MachineClock())
    asyncio.run(run_until_stopped(service.run()))
    return 0
