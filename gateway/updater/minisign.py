"""Checks a minisign signature: Ed25519 over the BLAKE2b of a file, and a signed comment.

The format is minisign's own (https://jedisct1.github.io/minisign/), so that anybody can check a
release with Debian's minisign as well.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from gateway.updater.ed25519 import verify
from gateway.updater.outcome import MustMend, Refused

TRUSTED = "trusted comment: "


@dataclass(frozen=True)
class Key:
    """A public key that releases may be signed with."""

    name: str
    number: bytes
    public: bytes


def read_keys(folder: Path) -> list[Key]:
    """Return the keys of a folder, NAME.pub as minisign writes them; raise MustMend without any."""
    keys = [_read_key(path) for path in sorted(folder.glob("*.pub"))]
    if not keys:
        raise MustMend(f"{folder}: no *.pub there, so no release can be trusted; provision the box")
    return keys


def _read_key(path: Path) -> Key:
    try:
        raw = base64.b64decode(path.read_text(encoding="ascii").splitlines()[1], validate=True)
    except (OSError, ValueError, IndexError, binascii.Error) as error:
        raise MustMend(f"{path}: not a public key of minisign ({error}); copy it anew") from error
    if len(raw) != 42 or raw[:2] != b"Ed":
        raise MustMend(f"{path}: not a public key of minisign; copy it anew")
    return Key(path.stem, raw[2:10], raw[10:])


def check(message: bytes, signature: str, keys: list[Key]) -> str:
    """Return the trusted comment of a message signed with one of the keys; raise Refused if not."""
    try:
        _, first, comment, last = signature.splitlines()[:4]
        raw, whole = base64.b64decode(first, validate=True), base64.b64decode(last, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Refused("its signature is not one of minisign; build it anew") from error
    if len(raw) != 74 or raw[:2] != b"ED" or not comment.startswith(TRUSTED):
        raise Refused("its signature is not a prehashed one of minisign; build it anew")
    number, signed = raw[2:10], raw[10:]
    key = next((key for key in keys if key.number == number), None)
    if key is None:
        known = ", ".join(key.name for key in keys)
        raise Refused(f"it is signed with a key that this box does not know (it knows {known})")
    words = comment.removeprefix(TRUSTED)
    if not verify(key.public, hashlib.blake2b(message).digest(), signed):
        raise Refused("its manifest is not what was signed: damaged, or tampered with")
    if not verify(key.public, signed + words.encode(), whole):
        raise Refused("its signature's comment is not what was signed: tampered with")
    return words
