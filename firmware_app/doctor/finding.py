"""What the doctor says of one part: what was seen, whether that is well, and the remedy."""

from typing import Literal

from msgspec import Struct

State = Literal["ok", "bad", "unused"]
"""unused: these settings, or this machine, have no such part; it is not judged."""


class Finding(Struct, frozen=True):
    """One line of the doctor."""

    part: str
    state: State
    seen: str
    remedy: str = ""
    """What to do about it; empty unless bad."""


def ok(part: str, seen: str) -> Finding:
    """Return that a part is well."""
    return Finding(part, "ok", seen)


def bad(part: str, seen: str, remedy: str) -> Finding:
    """Return that a part is not well, and what to do."""
    return Finding(part, "bad", seen, remedy)


def unused(part: str, seen: str) -> Finding:
    """Return that there is nothing to judge."""
    return Finding(part, "unused", seen)


def explain(error: OSError) -> str:
    """Return the system's words for an error, without its number and file."""
    cause = getattr(error, "reason", error)  # urllib wraps what happened
    said = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return said[0].lower() + said[1:]
