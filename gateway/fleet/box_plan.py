"""From what a box is to the steps that make a stock Raspberry Pi OS Lite a bike's box; pure.

A step is a few lines of shell for root that may be run any number of times. The same steps go
over SSH one by one, or onto the boot partition as one file for the first start.
"""

import base64
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from msgspec import Struct

from firmware_app.errors import BadSetting
from firmware_app.settings import read_settings
from gateway.fleet import spare_fstab
from gateway.fleet.inventory import merged
from gateway.fleet.spare_fstab import spared

GROUP = "bikebox-technician"
SETTINGS = "/etc/bikebox/bikebox.toml"
INBOX = "/var/lib/bikebox-update/inbox"
WORKSHOP = "/run/bikebox-provision"
"""On the box: the lock of who works on it, and what was put there but not yet made use of."""
BUSY = 3
"""How a step ends that was put off, as busy_on_box.py says why."""
SYSTEMS = ("bookworm", "trixie")
OTHER_SYSTEM = "put the 64-bit Raspberry Pi OS Lite (Bookworm or Trixie) on the card"
MACHINES = ("aarch64", "x86_64")
THE_BOXS_OWN = (
    ("mqtt", ("url", "ca_file", "cert_file", "key_file")),
    ("gateway", ("access_file",)),
    ("identity", None),
)
"""What `bikebox provision` wrote on the box stays, unless fleet.toml says something else."""


class File(Struct, frozen=True):
    """A file as it shall be."""

    path: str
    text: str
    mode: int = 0o644
    check: str = ""
    """Shell that must be content with the new file, at PATH.new, before it takes its place."""
    then: str = ""
    """Shell, when it has changed."""

    @property
    def digest(self) -> str:
        """As look_on_box.py tells it."""
        return f"{self.mode:o} {hashlib.sha256(self.text.encode()).hexdigest()}"


class BoxFacts(Struct, frozen=True, kw_only=True):
    """What a box is, as look_on_box.py told."""

    system: str = ""
    codename: str = ""
    machine: str = ""
    python: str = ""
    hostname: str = ""
    free_bytes: int = 0
    packages: tuple[str, ...] = ()
    """Those of the asked ones that are installed."""
    lacks_pins: bool = False
    """A Raspberry Pi without python3-lgpio; a release brings it for Python 3.11 alone."""
    files: dict[str, str] = {}
    """Path to "mode sha256"; empty: not there."""
    technicians: dict[str, str] = {}
    """Login to the keys that may use it."""
    updater: str = ""
    """The installed one's folder, which ends in its fingerprint."""
    inbox: str = ""
    """Its mode and group."""
    unused: tuple[str, ...] = ()
    """Marks of files that were put there before the line was cut, but not made use of."""
    settings: str = ""
    fstab: str = ""
    swap_file: bool = False
    log_on_card: bool = False
    """A release has said that the log is kept in memory, and what reads that has not been told."""
    certificate: bool = False


class Wanted(Struct, frozen=True, kw_only=True):
    """What a box shall be."""

    name: str
    packages: tuple[str, ...]
    technicians: dict[str, str]
    files: tuple[File, ...]
    settings: dict[str, Any]
    updater: bytes
    """The updater's folder, tar and gzip."""
    updater_fingerprint: str


class BoxStep(Struct, frozen=True):
    """One thing that would be done to a box."""

    words: str
    script: str


LOG_IN_MEMORY = BoxStep(
    "keep the log in memory",
    "systemctl restart systemd-journald\nrm -rf /var/log/journal\n",
)
"""After the first release, which brings journald.conf; the box's next start would do it too."""


def guarded(script: str) -> str:
    """Return a step as it goes to the box's shell.

    All of it is read before any of it is done, for a line may be cut in the middle of a word; one
    technician works at a time; and nothing is done while somebody rides, whenever that began, or
    while an update has not ended.
    """
    asks = Path(__file__).with_name("busy_on_box.py").read_text(encoding="utf-8")
    return (
        "{\nset -eu\numask 022\n"
        f"mkdir -p {WORKSHOP}\nexec 9>{WORKSHOP}/lock\nflock 9\n"
        f"/usr/bin/python3 -I -c {quote(asks)} || exit {BUSY}\n"
        f"{script}\nexit 0\n}}\n"
    )


def mark(path: str) -> str:
    """Name the mark of a file that was put there and is yet to be made use of."""
    return path.strip("/").replace("/", "-")


def why_not(facts: BoxFacts) -> str:
    """Return why this machine cannot become a box, and what to do; empty: it can."""
    if facts.codename not in SYSTEMS or facts.machine not in MACHINES:
        return f"it is {facts.system or 'an unknown system'} on {facts.machine}; {OTHER_SYSTEM}"
    return ""


def plan_box(facts: BoxFacts, wanted: Wanted) -> list[BoxStep]:
    """Return the steps from what it is to what it shall be; none when it is so.

    Raise BadSetting when the settings would not be right.
    """
    return [
        *_packages(facts, wanted),
        *([PINS] if facts.lacks_pins else []),
        *_hostname(facts, wanted),
        *_accounts(facts, wanted),
        *_files(facts, wanted.files),
        *_updater(facts, wanted),
        *_inbox(facts),
        *_card(facts),
        *([LOG_IN_MEMORY] if facts.log_on_card else []),
        *_settings(facts, wanted),
    ]


def settings_text(facts: BoxFacts, wanted: Wanted) -> str:
    """Return bikebox.toml: what fleet.toml says, and what the box's own identity wrote there."""
    present = _read(facts.settings)
    own: dict[str, Any] = {}
    for section, keys in THE_BOXS_OWN:
        there = present.get(section, {})
        if present.get("identity"):
            kept = {k: v for k, v in there.items() if keys is None or k in keys}
            own = merged(own, {section: kept} if kept else {})
    text = "# Written by `bikebox fleet provision`; change fleet.toml and provision again.\n"
    text += write_toml(merged(own, wanted.settings))
    try:
        read_settings(text, f"fleet.toml: {wanted.name}")
    except BadSetting as error:
        raise BadSetting(f"{error} (in settings of the gym or the bike)") from error
    return text


def _read(settings: str) -> dict[str, Any]:
    try:
        return tomllib.loads(settings)
    except tomllib.TOMLDecodeError:
        return {}  # written anew: what cannot be read is of no use to the box either


def write_toml(settings: Mapping[str, Any]) -> str:
    """Write settings of one level of sections as TOML."""
    plain = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    lines = [f"{key} = {_value(value)}" for key, value in plain.items()]
    for section, keys in settings.items():
        if isinstance(keys, dict):
            lines += ["", f"[{section}]", *(f"{key} = {_value(v)}" for key, v in keys.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    # JSON's words, numbers, strings and lists are TOML's, but for one control character
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def put(file: File) -> str:
    """Return shell that writes a file whole or not at all."""
    text = base64.b64encode(file.text.encode()).decode()
    path, waits = quote(file.path), quote(f"{WORKSHOP}/{mark(file.path)}")
    return (
        f"mkdir -p {quote(file.path.rpartition('/')[0])}\n"
        f"(umask 077; echo {text} | base64 -d >{path}.new)\n"
        f"chmod {file.mode:o} {path}.new\n"
        + (f"{file.check}\n" if file.check else "")
        + f"sync {path}.new\n"
        # what is between these two, a start of the box does too: the mark is in memory
        + (f"mkdir -p {WORKSHOP}\ntouch {waits}\n" if file.then else "")
        + f"mv {path}.new {path}\n"
        + (f"{file.then}\nrm {waits}\n" if file.then else "")
    )


def _packages(facts: BoxFacts, wanted: Wanted) -> Iterable[BoxStep]:
    missing = [name for name in wanted.packages if name not in facts.packages]
    if missing:
        names = " ".join(map(quote, missing))
        yield BoxStep(
            f"install Debian's {' '.join(missing)}",
            # a first start that is tried again asks no mirror for what is there
            f"there=$(dpkg-query -W -f '${{db:Status-Status}} ' {names} 2>/dev/null || true)\n"
            f'[ "$there" != "{"installed " * len(missing)}" ] || exit 0\n' + _apt_install(names),
        )


def _apt_install(names: str) -> str:
    apt = "apt-get -qq -o DPkg::Lock::Timeout=600"
    return (
        "export DEBIAN_FRONTEND=noninteractive\n"
        # what a pulled plug left half done; what is still amiss then, --fix-broken mends
        "dpkg --configure -a || true\n"
        f"{apt} update\n"
        f"{apt} install --yes --fix-broken\n"
        f"{apt} install --yes --no-install-recommends {names}\n"
    )


PINS = BoxStep(
    "install Raspberry Pi's python3-lgpio",
    "[ -e /proc/device-tree/model ] || exit 0\n"
    "! /usr/bin/python3 -c 'import lgpio' 2>/dev/null || exit 0\n" + _apt_install("python3-lgpio"),
)
"""Not Debian's: Raspberry Pi's own archive has it, and its OS from the start."""


def _hostname(facts: BoxFacts, wanted: Wanted) -> Iterable[BoxStep]:
    if facts.hostname != wanted.name:
        name = quote(wanted.name)
        yield BoxStep(
            f"call it {wanted.name}",
            f"echo {name} >/etc/hostname\n"
            f"hostname {name}\n"
            f"grep -qw {name} /etc/hosts || echo 127.0.1.1 {name} >>/etc/hosts\n",
        )


def _accounts(facts: BoxFacts, wanted: Wanted) -> Iterable[BoxStep]:
    for login, key in wanted.technicians.items():
        if facts.technicians.get(login) != key:
            yield BoxStep(
                f"let {login} in",
                f"getent group {GROUP} >/dev/null || groupadd --system {GROUP}\n"
                f"id {login} >/dev/null 2>&1 || useradd --create-home --shell /bin/bash {login}\n"
                f"usermod --expiredate '' --append --groups {GROUP},systemd-journal {login}\n"
                f"home=$(getent passwd {login} | cut -d: -f6)\n"
                f'install -d -o {login} -g {login} -m 700 "$home/.ssh"\n'
                f'echo {quote(key)} >"$home/.ssh/authorized_keys"\n'
                f'chown {login}: "$home/.ssh/authorized_keys"\n'
                'chmod 600 "$home/.ssh/authorized_keys"\n',
            )
    for login in facts.technicians:
        if login not in wanted.technicians:
            yield BoxStep(
                f"let {login} in no longer",
                f"home=$(getent passwd {login} | cut -d: -f6)\n"
                'rm -f "$home/.ssh/authorized_keys"\n'
                f"gpasswd --delete {login} {GROUP} >/dev/null\n"
                f"usermod --lock --expiredate 1 {login}\n"
                f"pkill -KILL -u {login} || true\n",
            )


def _files(facts: BoxFacts, files: Iterable[File]) -> Iterable[BoxStep]:
    for file in files:
        if facts.files.get(file.path) != file.digest or mark(file.path) in facts.unused:
            yield BoxStep(f"write {file.path}", put(file))


def _updater(facts: BoxFacts, wanted: Wanted) -> Iterable[BoxStep]:
    if not facts.updater.endswith(wanted.updater_fingerprint):
        yield BoxStep(
            "install the updater",
            "folder=$(mktemp -d)\n"
            f"echo {base64.b64encode(wanted.updater).decode()} | base64 -d | tar -xz -C $folder\n"
            "/usr/bin/python3 -I $folder/bikebox-update set-up\n"
            "rm -r $folder\n",
        )


def _inbox(facts: BoxFacts) -> Iterable[BoxStep]:
    if facts.inbox != f"2770 {GROUP}":
        yield BoxStep(
            "let technicians send releases",
            f"getent group {GROUP} >/dev/null || groupadd --system {GROUP}\n"
            # and this first account, which may do everything, and does it for them now
            f'install -d -m 2770 -o "${{SUDO_USER:-root}}" -g {GROUP} {INBOX}\n',
        )


def _card(facts: BoxFacts) -> Iterable[BoxStep]:
    """Yield what spares the card; see gateway/README.md for what is written."""
    if spared(facts.fstab) != facts.fstab:
        program = Path(spare_fstab.__file__).read_text(encoding="utf-8")
        yield BoxStep("mount the card noatime", f"/usr/bin/python3 -I -c {quote(program)}\n")
    if facts.swap_file:
        yield BoxStep(
            "no swap file on the card",
            "systemctl disable --now --quiet dphys-swapfile 2>/dev/null || true\nrm -f /var/swap\n",
        )


def _settings(facts: BoxFacts, wanted: Wanted) -> Iterable[BoxStep]:
    text = settings_text(facts, wanted)
    # the claim puts its lines where it likes: what they say counts
    if _read(text) != _read(facts.settings) or mark(SETTINGS) in facts.unused:
        restart = "systemctl --quiet try-restart --no-block bikebox.target 2>/dev/null || true"
        yield BoxStep(f"write {SETTINGS}", put(File(SETTINGS, text, then=restart)))
