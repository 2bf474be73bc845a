"""The updater's own files: put beside the old ones, tried, and switched to by one link.

It goes last, when a release has proved itself, so that the updater that brought a release is also
the one that can take it back.
"""

import hashlib
import shutil
from pathlib import Path

from gateway.updater.machine import PYTHON, Machine
from gateway.updater.outcome import Ended
from gateway.updater.places import Places, point

UNITS = ("update-bikebox-boot.service", "update-bikebox-confirm.timer")
"""Started by themselves; the others are started by these."""
COMMAND = "bikebox-update"


def renew(places: Places, machine: Machine, source: Path) -> str:
    """Install the updater that lies in source unless it is installed; return what was done."""
    if not (source / COMMAND).is_file():
        return ""
    name = f"{places.library.name}-{fingerprint(source)}"
    target = places.library.with_name(name)
    if places.library.is_symlink() and places.library.readlink().name == name:
        return ""
    places.library.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{name}.new")
    shutil.rmtree(aside, ignore_errors=True)
    shutil.copytree(source, aside, ignore=shutil.ignore_patterns("__pycache__"))
    try:
        machine.run([PYTHON, "-I", str(aside / COMMAND), "--version"])
    except Ended as error:
        shutil.rmtree(aside)
        return f"not renewed: {error}"
    machine.put_on_card(aside)
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)
    point(places.library, Path(name))
    _hang(places, machine)
    for old in places.library.parent.glob(f"{places.library.name}-*"):
        if old != target:
            shutil.rmtree(old)
    return name


def _hang(places: Places, machine: Machine) -> None:
    """Link the command and the units, and start those that start by themselves."""
    command = places.root / "usr/local/bin" / COMMAND
    command.parent.mkdir(parents=True, exist_ok=True)
    point(command, places.library / COMMAND)
    folder = places.root / "etc/systemd/system"
    for unit in sorted((places.library / "systemd").iterdir()):
        point(folder / unit.name, unit)
    machine.run(["systemctl", "daemon-reload"])
    machine.run(["systemctl", "enable", "--quiet", *UNITS])
    machine.run(["systemctl", "start", "--no-block", UNITS[1]])


def fingerprint(folder: Path) -> str:
    """Return a word that changes with any of the updater's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
