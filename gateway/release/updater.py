"""Lays out the updater as it is installed: its modules, its door, its units; nothing else."""

import shutil
from pathlib import Path

from firmware_app.errors import BadInput

DOOR = "bikebox-update"
UNITS = "update-bikebox-"
"""How its units begin. Not with bikebox-, for what closes the services would close the updater."""


def lay_out(repository: Path, to: Path) -> None:
    """Copy the updater out of a clone of the repository into a new folder.

    `bikebox-update set-up` in that folder installs it on the box it is run on.
    """
    if not (repository / "systemd" / DOOR).is_file():
        raise BadInput(f"{repository}: not a clone of the repository; run this from one")
    package = repository / "gateway/updater"
    shutil.copytree(package, to / "gateway/updater", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(repository / "gateway/__init__.py", to / "gateway/__init__.py")
    shutil.copy(repository / "systemd" / DOOR, to / DOOR)
    (to / "systemd").mkdir()
    for unit in sorted((repository / "systemd").glob(f"{UNITS}*")):
        shutil.copy(unit, to / "systemd" / unit.name)
