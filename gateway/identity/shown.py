"""What a code that is held to a box's camera says: the gym's Wi-Fi, or a claim and whose it is.

WIFI:T:WPA;S:Gym North;P:a password;;          as every phone shows its own network
BIKEBOX:http://studio.example:8790#7X4T-...    as `bikebox studio claim` prints it
"""

import re
from typing import NamedTuple

from firmware_app.errors import BadInput
from gateway.identity.claim import read_code

WIFI, CLAIM = "WIFI:", "BIKEBOX:"
FIELD = re.compile(r"([A-Z]+):((?:\\.|[^\\;])*);")
KINDS = {"WPA": "wpa-psk", "WPA2": "wpa-psk", "WPA3": "sae", "SAE": "sae", "nopass": "", "": ""}
"""To NetworkManager's key-mgmt."""


class Wifi(NamedTuple):
    """A wireless network."""

    name: str
    password: str
    key_management: str = "wpa-psk"
    """Empty: it is open."""
    hidden: bool = False


class Shown(NamedTuple):
    """A claim, and the studio that made it."""

    studio: str
    code: str


def claim_words(studio: str, code: str) -> str:
    """Return what a code of a claim says."""
    return f"{CLAIM}{studio}#{code}"


def read_shown(words: str) -> Wifi | Shown:
    """Read a code's words; raise BadInput."""
    if words.startswith(WIFI):
        fields = {key: _plain(value) for key, value in FIELD.findall(words[len(WIFI) :])}
        kind = fields.get("T", "")
        if not fields.get("S") or kind not in KINDS:
            raise BadInput(
                f"a Wi-Fi code without a name, or of kind {kind or 'unknown'}: this box joins open"
                " networks and those with WPA2 or WPA3 and a password"
            )
        return Wifi(fields["S"], fields.get("P", ""), KINDS[kind], fields.get("H", "") == "true")
    studio, _, code = words.removeprefix(CLAIM).partition("#")
    if not words.startswith(CLAIM) or not re.match(r"https?://[^\s/]+", studio):
        raise BadInput("a code that is neither a Wi-Fi's nor a claim's")
    read_code(code)
    return Shown(studio, code)


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value)
