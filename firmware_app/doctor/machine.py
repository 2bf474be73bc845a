"""The machine under the bike: Python, processor, disk, power and clock.

root stands before every path of the system, so that a test can lay out a machine of its own.
"""

import platform
import shutil
import sys
from pathlib import Path

from firmware_app.doctor.finding import Finding, bad, explain, ok, unused

PYTHONS = ((3, 11), (3, 13))
PROCESSORS = ("aarch64", "x86_64")
FREE_MB = 500
"""Beside the store: a release to update to, and a day of journals."""
UNDER_VOLTAGE = 1 << 0
UNDER_VOLTAGE_BEFORE = 1 << 16
"""Bits of the Pi's firmware, as `vcgencmd get_throttled` documents them."""


def look_at_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Tell whether the locked packages are for this Python."""
    seen = f"Python {version[0]}.{version[1]}"
    if version in PYTHONS:
        return ok("python", seen)
    return bad("python", seen, "run Bikebox on Python 3.11 (Debian 12) or 3.13 (Debian 13)")


def look_at_system(root: Path, processor: str = platform.machine()) -> Finding:
    """Tell which system and machine this is; the locked packages are for 64 bits."""
    model = root / "proc/device-tree/model"
    name = _text(model).rstrip("\0") or "no Raspberry Pi"
    lines = dict(line.split("=", 1) for line in _text(root / "etc/os-release").split("\n") if line)
    system = lines.get("PRETTY_NAME", "an unknown system").strip('"')
    seen = f"{system} on {processor}, {name}"
    if processor in PROCESSORS:
        return ok("system", seen)
    return bad("system", seen, "put the 64-bit Raspberry Pi OS on the card")


def look_at_disk(state: Path, keep_mb: int) -> Finding:
    """Tell whether there is room for what the box keeps."""
    folder = next(path for path in (state, *state.parents) if path.exists())
    try:
        free_mb = shutil.disk_usage(folder).free // 1_000_000
    except OSError as error:
        return bad("disk", f"{folder}: {explain(error)}", "is the card in, and whole?")
    seen = f"{free_mb} MB free for {state}"
    need_mb = keep_mb + FREE_MB
    if free_mb >= need_mb:
        return ok("disk", seen)
    return bad(
        "disk", seen, f"{need_mb} MB are needed: apt clean, or lower [gateway] keep_mb ({keep_mb})"
    )


def look_at_power(root: Path) -> Finding:
    """Tell whether the Pi has had the voltage it needs since it was started."""
    reported = _text(root / "sys/devices/platform/soc/soc:firmware/get_throttled").strip()
    try:
        bits = int(reported, 16)
    except ValueError:
        return unused("power", "this machine does not tell")
    if bits & (UNDER_VOLTAGE | UNDER_VOLTAGE_BEFORE):
        when = "now" if bits & UNDER_VOLTAGE else "at some time since the start"
        return bad("power", f"too little voltage {when}", "use the Pi's own supply and cable")
    return ok("power", "enough voltage since the start")


def look_at_clock(root: Path) -> Finding:
    """Tell whether the wall clock was put right since the start; it dates the rides."""
    if (root / "run/systemd/timesync/synchronized").exists():
        return ok("clock", "set by the network")
    if not (root / "run/systemd/system").exists():
        return unused("clock", "no systemd here to ask")
    return bad(
        "clock",
        "not set by the network since the start",
        "timedatectl set-ntp true, and let the gym's router pass NTP (UDP 123)",
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
