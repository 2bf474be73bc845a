"""A claim code: twenty letters that turn a box into a named bike of this gym, once.

The code never travels. Box and studio both know it, so each seals what it says with a keyed hash
(HMAC-SHA-256): the studio knows that the request comes from the box the operator meant, and the box
that the certificate comes from the studio that made the code. Neither needs TLS for that, nor an
authority that a new box could not know yet. Eighty secret bits leave nothing to guess from what
was overheard.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

import msgspec
from msgspec import Struct

from firmware_app.errors import BadInput

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter is taken for another."""
ALIKE = str.maketrans("OIL", "011")
NUMBER, SECRET = 4, 16
"""How many letters name the claim, and how many prove it."""


class Code(NamedTuple):
    """A claim code as two parties know it."""

    number: str
    """Names the claim; no secret."""
    verifier: str
    """SHA-256 of the secret letters, in hex: what the studio keeps, and the key of the seals."""


class Sealed(Struct, frozen=True, kw_only=True):
    """Words, and the proof that they come from who knows the code."""

    number: str
    body: str
    seal: str


class Asked(Struct, frozen=True, kw_only=True):
    """Body of what a box asks."""

    request: str
    """A certificate request (PEM)."""


class Granted(Struct, frozen=True, kw_only=True):
    """Body of what the studio answers."""

    box: str
    """The name the operator gave."""
    certificate: str
    chain: str
    """The issuer, then the root."""
    broker_url: str
    gym: str = ""
    at_utc: str = ""
    """The studio's time, for a box that does not know it."""


class RenewalAsked(Struct, frozen=True, kw_only=True):
    """What a box asks when its certificate is two thirds through."""

    serial: str
    """Of the certificate it has, in hex."""
    request: str
    """A certificate request (PEM) for a new key."""
    signature: str
    """Of the request, by the key it has: ECDSA with SHA-256, in hex."""


def make_code() -> str:
    """Make a code as people read it: groups of four."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(NUMBER + SECRET))
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def read_code(text: str) -> Code:
    """Read a code as it was typed; raise BadInput."""
    letters = "".join(text.upper().split()).replace("-", "").translate(ALIKE)
    if len(letters) != NUMBER + SECRET or set(letters) - set(LETTERS):
        raise BadInput(
            f"a claim code has {NUMBER + SECRET} letters and digits, in groups of four; this has"
            f" {len(letters)}. The studio's `bikebox studio claim` makes one"
        )
    secret = hashlib.sha256(letters[NUMBER:].encode()).hexdigest()
    return Code(letters[:NUMBER], secret)


def seal(code: Code, who: str, body: Struct) -> Sealed:
    """Seal what one side says; who is "box" or "studio", so that no answer passes for another's."""
    text = msgspec.json.encode(body).decode()
    return Sealed(number=code.number, body=text, seal=_mac(code, who, text))


def is_genuine(sealed: Sealed, code: Code, who: str) -> bool:
    """Tell whether it was said by who knows the code."""
    said = sealed.seal.encode("ascii", "replace")
    return hmac.compare_digest(said, _mac(code, who, sealed.body).encode())


def _mac(code: Code, who: str, text: str) -> str:
    words = f"bikebox claim 1\n{who}\n{code.number}\n{text}"
    return hmac.new(code.verifier.encode(), words.encode(), hashlib.sha256).hexdigest()
