"""What a bike is, as it told when it was asked: the ground every plan stands on."""

from typing import Literal

import msgspec
from msgspec import Struct

from firmware_app.errors import WireError

State = Literal["idle", "installing", "probation"]


class WentBack(Struct, frozen=True):
    """A release that was tried on this bike and did not stay."""

    version: str
    why: str = ""


class UpdateStatus(Struct, frozen=True, kw_only=True):
    """What `bikebox-update status --json` says (schema bikebox.update-status/1)."""

    version: str = ""
    """The release that serves; empty: none yet."""
    previous: str = ""
    pending: str = ""
    """The release that is being installed or proves itself."""
    state: State = "idle"
    step: str = ""
    why: str = ""
    """In words: what the last switch came to."""
    at_utc: str = ""
    serial: int = 0
    """Counts releases; a lower one than this is a downgrade."""
    bad: tuple[WentBack, ...] = ()
    riding: bool = False
    health: dict[str, str] = {}
    """Part to its state in words, as before the last switch or now."""

    def went_back(self, version: str) -> str | None:
        """Return why this release did not stay on this bike; None: it was not so."""
        return next((bad.why or "it failed" for bad in self.bad if bad.version == version), None)


class Seen(Struct, frozen=True, kw_only=True):
    """One bike as it is now."""

    reached: Literal["yes", "no", "refused"] = "yes"
    """no: nobody answers there, which is no fault. refused: it is another host, or it knows nobody
    of this name; a technician must look."""
    why: str = ""
    """Why it was not reached."""
    machine: str = ""
    """aarch64 or x86_64."""
    python: str = ""
    """Of the system: "3.11"."""
    free_bytes: int = 0
    inbox: dict[str, int] = {}
    """Name of a file that was sent before to its bytes: SHA256.bundle whole, SHA256.part begun."""
    update: UpdateStatus | None = None
    """None: no updater there, the bike was not provisioned."""


LOOK = """\
uname -m
python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])'
df -PB1 /opt | awk 'END { print $4 }'
cd /var/lib/bikebox-update/inbox 2>/dev/null && stat -c '%s %n' -- *.bundle *.part 2>/dev/null
echo =
[ -x /usr/local/bin/bikebox-update ] && ${AS_ROOT} /usr/local/bin/bikebox-update status --json
"""
"""Asked of every bike's shell; read_look() reads the answer. AS_ROOT: sudo -n, or nothing."""


def read_look(said: str) -> Seen:
    """Read what LOOK printed; raise WireError when it is no answer to it."""
    facts, cut, status = said.partition("=\n")
    lines = facts.splitlines()
    try:
        machine, python, free, *files = lines
        if not cut:
            raise ValueError("it ends too early")  # noqa: TRY301 - one place tells what was seen
        return Seen(
            machine=machine,
            python=python,
            free_bytes=int(free),
            inbox={name: int(size) for size, name in (line.split(" ", 1) for line in files)},
            update=_read_status(status) if status.strip() else None,
        )
    except (ValueError, msgspec.MsgspecError) as wrong:
        raise WireError(f"the bike answered {said[:200]!r}: {wrong}") from wrong


def _read_status(text: str) -> UpdateStatus:
    # null stands for "none" in some versions; a field that is not there has its default
    raw = msgspec.json.decode(text, type=dict[str, object])
    given = {key: value for key, value in raw.items() if value is not None}
    return msgspec.convert(given, UpdateStatus)
