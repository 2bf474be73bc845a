"""Writes a bike's host key into fleet.toml, on its own line and nowhere else."""

import re
from pathlib import Path

from firmware_app.errors import BadInput
from gateway.fleet.inventory import Bike, read_inventory


def with_host_key(text: str, bike: Bike, fingerprint: str) -> str:
    """Return fleet.toml with this bike's key in it; raise BadInput when its line is not found.

    What is written is read again and must say the same but for the key.
    """
    begin = re.search(rf"^\[gyms\.{re.escape(bike.gym)}\.bikes\]\s*$", text, re.MULTILINE)
    line = begin and re.compile(
        rf'^("?{re.escape(bike.name)}"?\s*=\s*\{{[^\n]*?)\s*\}}([^\n}}]*)$', re.MULTILINE
    ).search(text, begin.end())
    if line:
        pinned = f'{line[1].rstrip(", ")}, host_key = "{fingerprint}" }}{line[2]}'
        after = text[: line.start()] + pinned + text[line.end() :]
        was, now = read_inventory(text).bikes, read_inventory(after).bikes
        same = {name for name in was if name != bike.name and now.get(name) == was[name]}
        others = len(same) == len(was) - 1 and len(now) == len(was)
        if others and bike.name in now and now[bike.name].host_key == fingerprint:
            return after
    raise BadInput(
        f'{bike.name}: its line was not found; write host_key = "{fingerprint}" there by hand'
    )


def pin(file: Path, bike: Bike, fingerprint: str) -> None:
    """Write it down, whole or not at all."""
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(
        with_host_key(file.read_text(encoding="utf-8"), bike, fingerprint), encoding="utf-8"
    )
    fresh.replace(file)
