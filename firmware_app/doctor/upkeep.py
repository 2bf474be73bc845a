"""What keeps a box in order for years: its release, its certificate, its card.

root stands before every path of the system, so that a test can lay out a machine of its own.
"""

import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from firmware_app.doctor.finding import Finding, bad, explain, ok, unused
from firmware_app.settings import Settings

UPDATER = "usr/local/bin/bikebox-update"
PATIENCE_S = 20.0
BY_HAND = "rolled back by"
"""How the updater begins when a person wished it: nothing is wrong then."""
OVERDUE = 5 / 6
"""Of a certificate's life. It is renewed after two thirds: by then that has failed for weeks."""
SPARE = "on the laptop, bikebox fleet provision"
CLAIM = "bikebox studio claim --box NAME, then here: bikebox provision --studio URL --claim CODE"
ON_A_CARD = ("ext4", "f2fs", "btrfs")


def look_at_release(root: Path) -> Finding:
    """Tell which release runs, and why the last one that was tried does not."""
    updater = root / UPDATER
    if not updater.exists():
        return unused("release", "no updater here: a clone, not a box")
    seen = "the updater says nothing"
    try:
        said = subprocess.run(  # noqa: S603 - a fixed question
            [updater, "status", "--json"],
            capture_output=True, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        seen = (said.stderr.strip() or seen).splitlines()[-1]
        told = json.loads(said.stdout)
        runs, state, put_back = told["version"], told["state"], told["bad"]
        # one that was kept since then has cleared the reason
        last = put_back[-1] if put_back and told["why"] else {"version": "", "why": ""}
        why = f"{last['version']} was put back: {last['why']}" if last["why"] else ""
        by_hand = last["why"].startswith(BY_HAND)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return bad("release", seen, "ask as root: sudo bikebox doctor; else provision it again")
    if runs is None:
        return bad("release", "none yet", "on the laptop: bikebox fleet provision --bundle FILE")
    if why and not by_hand:
        return bad("release", f"{runs}; {why}", "mend what it names, then update again")
    return ok("release", ", ".join(filter(None, (runs, state * (state != "idle"), why))))


def look_at_certificate(settings: Settings, now: datetime) -> Finding:
    """Tell whose certificate the box has, and until when."""
    file = Path(settings.identity.folder) / "cert.pem"
    if not file.exists():
        if settings.mqtt.cert_file or settings.identity.studio:
            return bad("certificate", f"{file}: not there", CLAIM)
        return unused("certificate", "none: no studio has named this box")
    try:
        made = x509.load_pem_x509_certificates(file.read_bytes())[0]
        (name,) = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (OSError, ValueError) as error:
        why = explain(error) if isinstance(error, OSError) else "not a certificate"
        return bad("certificate", f"{file}: {why}", CLAIM)
    return _judged(made, str(name.value), settings.box, now)


def _judged(made: x509.Certificate, name: str, box: str, now: datetime) -> Finding:
    begins, ends = made.not_valid_before_utc, made.not_valid_after_utc
    seen, remedy = f"{name}, until {ends:%Y-%m-%d}", ""
    if now < begins:
        seen = f"{name}, not valid before {begins:%Y-%m-%d}"
        remedy = "put the clock right: see the clock's line above"
    elif now >= ends:
        seen, remedy = f"{seen}: run out", CLAIM
    elif now >= begins + (ends - begins) * OVERDUE:
        seen += ": should have been renewed by now"
        remedy = "systemctl start renew-bikebox; journalctl -u renew-bikebox tells why it cannot"
    elif name != box:
        seen, remedy = f"{seen}, but this box is {box}", f'claim it as {box}, or set box = "{name}"'
    if remedy:
        return bad("certificate", seen, remedy)
    return ok("certificate", f"{seen}, {(ends - now).days} days; renewed by itself")


class Mount(NamedTuple):
    """A line of /proc/mounts."""

    device: str
    place: str
    kind: str
    options: tuple[str, ...]


def look_at_card(root: Path, state: Path) -> Finding:
    """Tell whether the card under the stored rides is sound, and spared."""
    there = _mount(root, state)
    if there is None or there.kind not in ON_A_CARD:
        return unused("card", f"{state} is on {there.kind if there else 'nothing known'}")
    device = Path(there.device).name
    errors = _number(root / f"sys/fs/ext4/{device}/errors_count")
    written_mb = _number(root / f"sys/fs/ext4/{device}/session_write_kbytes") // 1000
    seen = f"{device}, {there.kind}, {written_mb} MB written since it was mounted"
    for found, what, remedy in (
        ("ro" in there.options, "read-only", "change the card; it has given up"),
        (errors, f"{errors} errors", "change the card soon; what was ridden is at the studio"),
        (
            "data=writeback" in there.options,
            "mounted data=writeback",
            "take that out of /etc/fstab",
        ),
        ("noatime" not in there.options, "mounted without noatime", f"{SPARE}: reading writes"),
        (swaps := _swaps(root), f"swap on it, {swaps}", f"{SPARE}: swap wears it out"),
    ):
        if found:
            return bad("card", f"{device}: {what}", remedy)
    return ok("card", seen)


def _mount(root: Path, path: Path) -> Mount | None:
    """Return what a path is on: the last of the longest, as the kernel looks."""
    found = None
    for line in _text(root / "proc/mounts").splitlines():
        device, place, kind, options, *_ = line.split(" ")
        if path.is_relative_to(place) and (found is None or len(place) >= len(found.place)):
            found = Mount(device, place, kind, tuple(options.split(",")))
    return found


def _swaps(root: Path) -> str:
    """Return where swap is that is not in memory."""
    places = [line.split(" ")[0] for line in _text(root / "proc/swaps").splitlines()[1:]]
    return ", ".join(place for place in places if place and not place.startswith("/dev/zram"))


def _number(path: Path) -> int:
    text = _text(path).strip()
    return int(text) if text.isdigit() else 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
