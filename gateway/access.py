"""Who may look: a PIN for the gym, a token for each technician, and nothing that works by default.

Kept as one small file of hashes. A token is 160 random bits, so a plain SHA-256 keeps it; a PIN is
short, so it is kept by scrypt and guarded by patience.py.
"""

import hashlib
import hmac
import secrets
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from firmware_app.errors import BadInput, BadSetting

Role = Literal["gym", "technician"]
PersonName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
SCRYPT = {"n": 1 << 14, "r": 8, "p": 1}
"""16 MB and a twentieth of a second: RFC 7914's choice for somebody who waits."""
LEAST_DIGITS, MOST_DIGITS = 6, 12
HEAD = """\
# Who may look at this box from the network: hashes, written by `bikebox access`.
# After a change: systemctl restart bikebox-gateway (or bikebox-studio).
"""


class Person(NamedTuple):
    """Somebody who has shown who they are."""

    name: str
    role: Role


class Access(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The file."""

    pin: str = ""
    """scrypt:<salt>:<hash>, in hex; empty: no PIN opens anything."""
    tokens: dict[PersonName, str] = {}
    """Technician to the SHA-256 of the token, in hex."""

    def by_token(self, token: str) -> Person | None:
        """Return whose token this is; takes as long for a wrong one."""
        seen, found = _digest(token), None
        for name, kept in self.tokens.items():
            if hmac.compare_digest(seen, kept):
                found = Person(name, "technician")
        return found

    def by_pin(self, pin: str) -> Person | None:
        """Return the gym when this is its PIN; takes a twentieth of a second and 16 MB."""
        try:
            _, salt, kept = self.pin.split(":")
            seen = _scrypt(pin, bytes.fromhex(salt))
        except ValueError:
            return None  # there is none
        return Person("gym", "gym") if hmac.compare_digest(seen, kept) else None


def read_access(path: Path) -> Access:
    """Read the file; one that is empty or not there lets nobody in; raise BadSetting."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Access)
    except FileNotFoundError:
        return Access()
    except (OSError, ValueError) as error:
        raise BadSetting(
            f"{path}: {error}; `bikebox access --file {path}` writes this file"
        ) from error


def write_access(access: Access, path: Path) -> None:
    """Write the file so that its owner alone can read it, all at once; raise BadInput."""
    tokens = "".join(f'{_key(name)} = "{kept}"\n' for name, kept in sorted(access.tokens.items()))
    text = f'{HEAD}\npin = "{access.pin}"\n\n[tokens]\n{tokens}'
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}; try as root") from error


def with_pin(access: Access, pin: str) -> Access:
    """Return the access with this PIN; raise BadInput when anybody could guess it."""
    if not (pin.isascii() and pin.isdecimal() and LEAST_DIGITS <= len(pin) <= MOST_DIGITS):
        raise BadInput(f"a PIN has {LEAST_DIGITS} to {MOST_DIGITS} digits and nothing else")
    if len({int(after) - int(before) for before, after in pairwise(pin)}) == 1:
        raise BadInput("this PIN is among the first that anybody would try; choose another")
    salt = secrets.token_bytes(16)
    return msgspec.structs.replace(access, pin=f"scrypt:{salt.hex()}:{_scrypt(pin, salt)}")


def with_token(access: Access, name: str) -> tuple[Access, str]:
    """Return the access with a technician more, and the token, which is kept nowhere."""
    try:
        msgspec.convert(name, PersonName)
    except msgspec.ValidationError as error:
        raise BadInput(f'"{name}": a technician\'s name is like anna or anna.k') from error
    token = "bike-" + secrets.token_hex(20)
    tokens = {**access.tokens, name: _digest(token)}
    return msgspec.structs.replace(access, tokens=tokens), token


def without(access: Access, name: str) -> Access:
    """Return the access without a technician; raise BadInput when there is none of that name."""
    if name not in access.tokens:
        raise BadInput(f"no technician is called {name}; there are {', '.join(access.tokens)}")
    tokens = {known: kept for known, kept in access.tokens.items() if known != name}
    return msgspec.structs.replace(access, tokens=tokens)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _scrypt(pin: str, salt: bytes) -> str:
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=32, **SCRYPT).hex()


def _key(name: str) -> str:
    return f'"{name}"' if "." in name else name
