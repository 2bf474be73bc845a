"""What a technician asks many bikes at once: status, doctor, logs, or a command of their own."""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from shlex import quote
from typing import Any

import msgspec

from firmware_app.errors import BadInput
from gateway.fleet.desk import Desk
from gateway.fleet.inventory import Bike
from gateway.fleet.seen import Seen
from gateway.fleet.ssh import Away, Said, Stranger

BIKEBOX = "/opt/bikebox/current/bin/bikebox"
DOCTOR_S = 120.0
KEPT_LOGS = "/var/log/bikebox/*.log.gz"
"""As systemd/keep-log writes them."""
NOT_REACHED = -1
"""Stands for an exit code where there was no command."""


def status(desk: Desk, *, as_json: bool) -> int:
    """Print what every bike is; 1 when one is not well, 3 when one was not reached."""
    seen = asyncio.run(desk.look())
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(seen), indent=1) + b"\n")
    else:
        for name, told in seen.items():
            sys.stdout.write(f"{name:<24} {_in_words(told)}\n")
    if any(told.reached == "refused" or told.update is None for told in seen.values()
           if told.reached != "no"):  # fmt: skip
        return 1
    return 3 if any(told.reached == "no" for told in seen.values()) else 0


def doctor(desk: Desk, *, as_json: bool) -> int:
    """Let every bike examine itself; print what is not well, with the remedy."""

    async def ask(bike: Bike) -> Said:
        return await _said(desk, bike, lambda root: f"{root}{BIKEBOX} doctor --json", DOCTOR_S)

    said = asyncio.run(desk.each(ask))
    found = {name: _findings(told) for name, told in said.items()}
    if as_json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    for name, report in found.items() if not as_json else ():
        wrong = [finding for finding in report["findings"] if finding["state"] == "bad"]
        sys.stdout.write(f"{name:<24} {'all well' if report['ok'] else 'NOT well'}\n")
        for finding in wrong:
            sys.stdout.write(f"    {finding['part']:<20} {finding['seen']}\n")
            sys.stdout.write(f"    {'':<20} -> {finding['remedy']}\n")
    well = {name for name, report in found.items() if report["ok"]}
    return _exit([told for name, told in said.items() if name not in well])


def logs(desk: Desk, *, unit: str, since: str, follow: bool) -> int:
    """Print the journals of the bikes' services; follow one bike's as it grows."""
    ago = f"-{since}" if re.fullmatch(r"\d+ ?[a-z]+", since) else since
    command = f"journalctl --no-pager -o short-iso -u {quote(unit)} --since={quote(ago)}"
    if follow:
        if len(desk.bikes) != 1:
            raise BadInput(f"--follow follows one bike, not {len(desk.bikes)}; name it")
        asyncio.run(_follow(desk, desk.bikes[0], command + " --follow"))
        return 0
    return command_on(desk, command, as_root=False)


def kept_logs(desk: Desk) -> int:
    """Print what the bikes keep on their cards of the ends of their last starts, oldest first."""
    return command_on(desk, f"ls -1tr {KEPT_LOGS} | xargs zcat", as_root=False)


def command_on(desk: Desk, command: str, *, as_root: bool) -> int:
    """Let every bike's shell do something, as you; print what each said."""

    async def ask(bike: Bike) -> Said:
        return await _said(desk, bike, lambda root: (root if as_root else "") + command, 600.0)

    said = asyncio.run(desk.each(ask))
    for name, told in said.items():
        for line in (told.out + told.err).splitlines() or ["(nothing)"]:
            sys.stdout.write(f"{name:<24} {line}\n")
        if told.exit > 0:
            sys.stdout.write(f"{name:<24} exit {told.exit}\n")
    return _exit([told for told in said.values() if told.exit])


async def _said(desk: Desk, bike: Bike, command: Callable[[str], str], patience_s: float) -> Said:
    try:
        async with desk.connect(bike) as line:
            return await line.run(command(line.login.as_root), patience_s=patience_s)
    except Away as error:
        return Said(NOT_REACHED, "", f"not reached: {error}")
    except Stranger as error:
        return Said(255, "", f"refused: {error}")


async def _follow(desk: Desk, bike: Bike, command: str) -> None:
    async with desk.connect(bike) as line:
        async for words in line.lines(command):
            sys.stdout.write(words)
            sys.stdout.flush()


def _findings(told: Said) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(told.out)
    except ValueError:
        seen = {"part": "doctor", "state": "bad", "seen": told.last_words, "remedy": "see above"}
        return {"ok": False, "findings": [seen]}
    return report


def _exit(wrong: list[Said]) -> int:
    """Return 1 when a bike said that something is wrong, 3 when some were only not reached."""
    if any(told.exit != NOT_REACHED for told in wrong):
        return 1
    return 3 if wrong else 0


def _in_words(told: Seen) -> str:
    if told.reached != "yes":
        return f"{'not reached' if told.reached == 'no' else 'refused'}: {told.why}"
    update = told.update
    if update is None:
        return "no updater there: bikebox fleet provision"
    parts = [update.version or "no release", update.state]
    if update.pending:
        parts.append(f"{update.step} {update.pending}".strip())
    if update.riding:
        parts.append("somebody rides")
    parts += [f"{part}: {words}" for part, words in update.health.items() if words != "ok"]
    parts += [f"went back from {bad.version}: {bad.why}" for bad in update.bad]
    return ", ".join(parts)
