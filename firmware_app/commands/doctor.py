"""Look at this box part by part, in a technician's order, and say what to do.

Every line tells what was seen and, where it is not well, the remedy. Exit code 0: all that is
used is well; 1: something is not. Changes nothing, and takes no device from a running service.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from firmware_app.clock import MachineClock
from firmware_app.doctor import devices, machine, network, services, software, upkeep
from firmware_app.doctor.finding import Finding, bad, ok
from firmware_app.errors import BadSetting
from firmware_app.settings import Settings, load_settings, settings_path

MARKS = {"ok": "ok ", "bad": "NOT", "unused": " - "}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the settings file, and how to print."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings file")
    parser.add_argument("--json", action="store_true", help="print for a program")


def run(args: argparse.Namespace) -> int:
    """Look, print each line as soon as it is known; 1 when something is not well."""
    found: list[Finding] = []
    for finding in examine(args.config or settings_path(), Path("/")):
        found.append(finding)
        if not args.json:
            sys.stdout.write(in_words(finding))
            sys.stdout.flush()
    well = all(finding.state != "bad" for finding in found)
    if args.json:
        report = msgspec.json.encode({"ok": well, "findings": found})
        sys.stdout.write(msgspec.json.format(report, indent=2).decode() + "\n")
    elif well:
        sys.stdout.write("All well.\n")
    else:
        wrong = [finding.part for finding in found if finding.state == "bad"]
        sys.stdout.write(f"Not well: {', '.join(wrong)}. Begin with the first.\n")
    return 0 if well else 1


def examine(config: Path, root: Path) -> Iterator[Finding]:
    """Yield one finding after the other; root is where the machine's own files are."""
    settings: Settings | None = None
    try:
        settings = load_settings(config)
    except BadSetting as error:
        seen, _, remedy = str(error).rpartition("; " if "; " in str(error) else ". ")
        yield bad("settings", seen, remedy)
    else:
        yield ok("settings", f"{config}, box {settings.box}")
    yield machine.look_at_python()
    yield machine.look_at_system(root)
    yield machine.look_at_power(root)
    yield machine.look_at_clock(root)
    yield upkeep.look_at_release(root)
    if settings is None:
        return  # the rest depends on them
    yield upkeep.look_at_certificate(settings, MachineClock().wall())
    yield upkeep.look_at_card(root, Path(settings.paths.state))
    yield machine.look_at_disk(Path(settings.paths.state), settings.gateway.keep_mb)
    yield software.look_at_models(settings)
    yield devices.look_at_camera(settings.vision)
    yield software.look_at_lux(settings)
    yield devices.look_at_crank(settings.crank, root)
    yield devices.look_at_screen(root)
    yield devices.look_at_speaker(root)
    yield software.look_at_voice(settings)
    for service in ("vision", "ride", "player", "gateway"):
        yield services.look_at_unit(service, root)
    yield services.look_at_vision(settings)
    yield services.look_at_ride(settings)
    yield network.look_at_class(settings)
    yield network.look_at_broker(settings)
    yield from services.look_at_gateway(settings)


def in_words(finding: Finding) -> str:
    """Return a finding as a technician reads it: the remedy on a line of its own."""
    line = f"{MARKS[finding.state]} {finding.part:<24} {finding.seen}\n"
    if finding.remedy:
        line += f"    {'':<24} -> {finding.remedy}\n"
    return line
