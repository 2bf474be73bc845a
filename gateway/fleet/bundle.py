"""A release file on the laptop: what its manifest says, for the plan.

Whether it may be trusted is the bike's own question: it checks the signature before it opens
anything, so that nobody in between has to be believed, this laptop included.
"""

import hashlib
import tarfile
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from firmware_app.errors import BadInput
from gateway.fleet.plan import Bundle

MANIFEST = "manifest.json"
LARGEST_MANIFEST_BYTES = 1 << 20


class Manifest(Struct, frozen=True, kw_only=True):
    """What of a release's manifest a plan needs; the updater reads all of it."""

    schema: Literal["bikebox.release/1"]
    version: str
    serial: int
    arch: str
    python: str
    unpacked_bytes: int


def read_bundle(path: Path) -> Bundle:
    """Read what a release file is; raise BadInput when it is none."""
    try:
        with tarfile.open(path, "r:") as tar:
            entry = tar.getmember(MANIFEST)
            file = tar.extractfile(entry) if entry.size < LARGEST_MANIFEST_BYTES else None
            manifest = msgspec.json.decode(file.read() if file else b"", type=Manifest)
        with path.open("rb") as whole:
            sha256 = hashlib.file_digest(whole, "sha256").hexdigest()
    except (OSError, tarfile.TarError, KeyError, msgspec.MsgspecError) as error:
        raise BadInput(
            f"{path}: no release of ours ({error}); bikebox release build makes one"
        ) from error
    return Bundle(
        path=path,
        sha256=sha256,
        size_bytes=path.stat().st_size,
        unpacked_bytes=manifest.unpacked_bytes,
        version=manifest.version,
        serial=manifest.serial,
        machine=manifest.arch,
        python=manifest.python,
    )
