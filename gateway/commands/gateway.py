"""Run the gateway service: store, sync to the studio, local API and console.

Reads bikebox.toml (--config, $BIKEBOX_CONFIG or /etc/bikebox/bikebox.toml), serves gateway.sock
for the ride and, on loopback, a console; its port is in <run>/gateway.port. `status` tells how far
the running one is, `verify` walks the audit's chain, `snapshot FILE` copies the store while it is
used, for the time before an update.
"""

import argparse
import asyncio
import sys
from pathlib import Path

import httpx
import msgspec

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput, PartLost
from firmware_app.running import run_until_stopped
from firmware_app.settings import Settings, load_settings, settings_path
from gateway.audit import check
from gateway.database import look_into, snapshot
from gateway.service import GatewayService, store_path
from gateway.web.console import Health
from gateway.web.frame import span_text


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the settings file, and what to do."""
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument("--json", action="store_true", help="status for programs")
    does = parser.add_subparsers(dest="does", metavar="WHAT")
    does.add_parser("run", help="serve until told to stop (default)")
    does.add_parser("status", help="what the studio does not have yet, and what is wrong")
    does.add_parser("verify", help="has anybody touched the audit: 0 whole, 1 broken")
    copy = does.add_parser("snapshot", help="copy the store while it is used")
    copy.add_argument("file", type=Path, help="a new file")


def run(args: argparse.Namespace) -> int:
    """Do it; return 0, or 1 when something is wrong."""
    settings = load_settings(args.config or settings_path())
    match args.does:
        case "status":
            return _status(settings, as_json=args.json)
        case "verify":
            return _verify(settings)
        case "snapshot":
            snapshot(store_path(settings), args.file)
        case _:
            service = GatewayService(settings, MachineClock())
            asyncio.run(run_until_stopped(service.run()))
    return 0


def _status(settings: Settings, *, as_json: bool) -> int:
    port_file = Path(settings.paths.run) / "gateway.port"
    try:
        port = int(port_file.read_text(encoding="ascii"))
        answer = httpx.get(f"http://127.0.0.1:{port}/health", timeout=5.0, trust_env=False)
        health = msgspec.json.decode(answer.content, type=Health)
    except (OSError, ValueError, httpx.HTTPError) as error:
        raise PartLost(
            f"no gateway answers ({port_file}: {error}); is it running?"
            " systemctl status bikebox-gateway"
        ) from error
    if as_json:
        sys.stdout.buffer.write(answer.content + b"\n")
        return int(not health.ok)
    lines = [
        f"{health.box}, version {health.version}: {'all is well' if health.ok else 'see below'}",
        f"studio            {health.sync}",
        f"not confirmed     {health.unsynced} records",
        f"the oldest waits  {span_text(health.oldest_age_s)}",
        f"last confirmed    {health.last_confirmed_utc or 'never'}",
        f"given up          {health.given_up} records for want of room",
        f"could not be read {health.unreadable} lines, {health.messages_dropped} messages",
        *(f"{part:17} {words}" for part, words in health.wrong.items()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(not health.ok)


def _verify(settings: Settings) -> int:
    path = store_path(settings)
    if not path.exists():
        raise BadInput(f"{path}: no store there; has the gateway ever run on this box?")
    with look_into(path) as db:
        found = check(db)
    if found.broken_at is not None:
        sys.stdout.write(
            f"{path}: entry {found.broken_at} of the audit does not follow from the one before;"
            " it was changed, or one beside it removed. Compare with the studio's copy.\n"
        )
        return 1
    sys.stdout.write(
        f"{path}: {found.entries} entries, each follows from the one before"
        f" (newest {found.newest[:16]})\n"
    )
    return 0
