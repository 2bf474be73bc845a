"""What a release says of itself, and whether this box may have it. Pure.

The manifest is the signed part of a bundle; everything else is bound to it by size and SHA-256.
"""

import json
import re
from dataclasses import dataclass, fields
from datetime import datetime

from gateway.updater.outcome import Refused

SCHEMA = "bikebox.release/1"
PRODUCT = "bikebox"
UPDATER = 1
"""What this updater can do; a release that needs more says so in min_updater."""
SPARE_BYTES = 200_000_000
"""Left free on the card beside a release: rides are stored there too."""
FULL = "look for what fills the card: du -xh / | sort -h | tail"


@dataclass(frozen=True)
class Manifest:
    """One release for one kind of box."""

    schema: str
    product: str
    version: str
    serial: int
    """Rises with every release; a lower one is a downgrade."""
    arch: str
    """As `uname -m` has it: aarch64, x86_64."""
    python: str
    """Of /usr/bin/python3: 3.11, 3.13."""
    expires: str
    """ISO 8601 in UTC; later it is refused, so that an old one cannot be played in for ever."""
    payload_sha256: str
    payload_bytes: int
    unpacked_bytes: int
    files: int
    self_test: tuple[str, ...]
    """A command line, its program inside the release."""
    sbom_sha256: str = ""
    min_updater: int = 1


@dataclass(frozen=True)
class BoxFacts:
    """What of a box decides whether a release fits."""

    arch: str
    python: str
    now_utc: datetime
    free_bytes: int
    version: str | None
    """What is installed; None before the first."""
    serial: int
    bad: dict[str, str]
    """SHA-256 of a payload that was put back, to the reason."""


def read_manifest(text: bytes) -> Manifest:
    """Read a manifest whose signature is good; raise Refused when it is not one of ours."""
    try:
        told = json.loads(text)
        told["self_test"] = tuple(told["self_test"])
        known = {field.name: told[field.name] for field in fields(Manifest) if field.name in told}
        manifest = Manifest(**known)
        datetime.fromisoformat(manifest.expires)
        numbers = (manifest.serial, manifest.payload_bytes, manifest.unpacked_bytes, manifest.files)
        whole = all(type(number) is int and number >= 0 for number in numbers)
    except (ValueError, TypeError, KeyError) as error:
        raise Refused(f"its manifest cannot be read ({error}); is the updater too old?") from error
    if (manifest.schema, manifest.product) != (SCHEMA, PRODUCT) or not whole:
        raise Refused(f"it is {manifest.product!r}, {manifest.schema!r}: not a release of ours")
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}", manifest.version):
        raise Refused(f"its version {manifest.version!r} cannot be the name of a folder")
    return manifest


def why_not(manifest: Manifest, box: BoxFacts, *, force: bool = False) -> str:
    """Return why a box may not have a release, with the remedy; empty when it may.

    force is a technician's word for a downgrade or a release that was put back; nothing else.
    """
    wanted, here = (manifest.arch, manifest.python), (box.arch, box.python)
    if wanted != here:
        kind, mine = " with Python ".join(wanted), " with Python ".join(here)
        return f"it is for {kind} and this box is {mine}; take that file"
    if manifest.min_updater > UPDATER:
        return f"it needs updater {manifest.min_updater} and this one is {UPDATER}; provision anew"
    if datetime.fromisoformat(manifest.expires) <= box.now_utc:
        return f"it expired on {manifest.expires[:10]}; build or fetch a newer one"
    if not force and manifest.payload_sha256 in box.bad:
        return f"it was put back before: {box.bad[manifest.payload_sha256]}; --force tries it again"
    if not force and manifest.version != box.version and manifest.serial <= box.serial:
        return (
            f"it is serial {manifest.serial} and {box.version} is {box.serial}: a downgrade;"
            " `bikebox-update rollback` goes back, --force installs it all the same"
        )
    return ""


def why_no_room(manifest: Manifest, free_bytes: int) -> str:
    """Return why it does not fit on the card, with the remedy; empty when it does."""
    needed = manifest.unpacked_bytes * 11 // 10 + SPARE_BYTES
    if free_bytes >= needed:
        return ""
    return f"it needs {needed // 1_000_000} MB and {free_bytes // 1_000_000} MB are free; {FULL}"
