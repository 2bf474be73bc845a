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
from gateway.web.console import WHAT_TO_DO, Health
from gateway.web.frame import span_text


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the settings file, and what to do."""
    parser.add_argument("--config", type=Path, help="settings file")
    does = parser.add_subparsers(dest="does", metavar="WHAT")
    does.add_parser("run", help="serve until told to stop (default)")
    status = does.add_parser("status", help="what the studio does not have yet, and what is wrong")
    for where, default in ((parser, False), (status, argparse.SUPPRESS)):
        where.add_argument(
            "--json", action="store_true", default=default, help="status for programs"
        )
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
    sys.stdout.write("\n".join(status_lines(health)) + "\n")
    return int(not health.ok)


def status_lines(health: Health) -> list[str]:
    """Return the box's state for a technician: what is wrong first, and what to do about it."""
    said = "all is well" if health.ok else f"{_many(len(health.wrong), 'part')} not well"
    lines = [f"{health.box}, version {health.version}: {said}"]
    for part, words in health.wrong.items():
        lines += [f"{part}: {words}", f"    {WHAT_TO_DO.get(part, 'It is tried again by itself.')}"]
    waits = f", the oldest for {span_text(health.oldest_age_s)}" if health.unsynced else ""
    last = (health.last_confirmed_utc or "")[:19].replace("T", " ")
    return [
        *lines,
        f"studio          {health.sync}",
        f"not confirmed   {_many(health.unsynced, 'record')}{waits}",
        f"last confirmed  {last + ' UTC' if last else 'never'}",
        f"given up        {_many(health.given_up, 'record')}, told to the studio as gaps",
        (
            f"unreadable      {_many(health.unreadable, 'line')} of the ride, "
            f"{_many(health.messages_dropped, 'message')} of the broker"
        ),
    ]


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


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
        f"{path}: the audit is whole, to entry {found.entries} (hash {found.newest[:16]});"
        " each follows from the one before\n"
    )
    return 0
