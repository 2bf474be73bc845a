"""Show what this bike keeps of a rider, or forget it.

Only riders who agreed to it are kept, each in a small file of numbers whose name tells nobody who
it is. Two riders of one name, told apart by their phones, are both shown and both forgotten. Run it
as the user that the ride service runs as, or as root.
"""

import argparse
import sys
from pathlib import Path

import msgspec

from firmware_app.services.memory import Memory, Remembered
from firmware_app.settings import load_settings, settings_path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the rider's name and what is wished."""
    parser.add_argument("name", help="as the rider gave it; case and spaces do not matter")
    parser.add_argument("--forget", action="store_true", help="remove all that is kept")
    parser.add_argument("--json", action="store_true", help="print all that is kept")
    parser.add_argument("--config", type=Path, help="settings file")


def run(args: argparse.Namespace) -> int:
    """Show or forget; 1 when nothing is kept under this name."""
    memory = Memory(load_settings(args.config or settings_path()).riders)
    if args.forget:
        there = memory.forget(args.name)
        sys.stdout.write("Forgotten.\n" if there else "Nothing was kept under this name.\n")
        return 0 if there else 1
    riders = [memory.recall(place) for place in memory.named(args.name)]
    if args.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(riders), indent=1).decode() + "\n")
    else:
        told = ["\n".join(_lines(known)) for known in riders]
        sys.stdout.write("\n\n".join(told or ["Nothing is kept under this name."]) + "\n")
    return 0 if riders else 1


def _lines(known: Remembered) -> list[str]:
    profile = known.profile
    seats = ", ".join(f"{len(kept)} from the {view}" for view, kept in known.baselines.items())
    said = [
        "buttons on the left" if profile.left_handed else "",
        f"without {', '.join(profile.without)}" if profile.without else "",
        "stays in the saddle" if profile.seated_only else "",
        "" if profile.voice else "no voice",
        profile.style,
    ]
    wishes = ", ".join(word for word in said if word)
    return [
        f"rides here   {known.rides}",
        f"baselines    {seats or 'none'}",
        f"wishes       {wishes or 'none'}",
    ]
