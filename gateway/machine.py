"""Names the machine and the file on it: a card that was cloned, a store that was put back.

A copy of a store must not go on under the original's epoch: both would give the same name to
different records, and the studio would take the second for known.
"""

import hashlib
from pathlib import Path

SERIAL = Path("/sys/firmware/devicetree/base/serial-number")
"""A Pi's own, which no card carries along."""
MACHINE_ID = Path("/etc/machine-id")
"""Elsewhere; a virtual machine gets a new one when it is cloned with care."""


def home_of(path: Path) -> str:
    """Return a word that stays while this very file is on this very machine.

    A copy has another inode, a card in another Pi another serial number.
    """
    told = f"{_read(SERIAL) or _read(MACHINE_ID)} {path.stat().st_ino}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip("\0\n")
    except OSError:
        return ""
