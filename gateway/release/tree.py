"""Builds a release's folder: our code, the locked wheels, the models, the units, the updater.

    bin/bikebox  lib/ (wheels)  firmware_app/ gateway/ config/  models/  speech/  systemd/  updater/

Debian's own Python runs it where it lies; nothing is installed into it and nothing is fetched.
"""

import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from firmware_app.errors import BadInput
from gateway.release import updater, wheels

START = '''\
#!/usr/bin/python3 -I
"""The one command of this release, wherever `current` pointed when it was typed."""

import os
import sys

HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
sys.path[:0] = [HOME, os.path.join(HOME, "lib")]

from firmware_app.cli import main

sys.exit(main())
'''
SPEAK = """\
#!/bin/sh
# The Python of the coach's voice: Piper is a program of its own, under the GPL, with its wheels.
PYTHONPATH="$(dirname "$(dirname "$(readlink -f "$0")")")/lib" exec /usr/bin/python3 -s "$@"
"""
OURS = ("firmware_app", "gateway", "config/cues", "config/screen")
FILES = ("config/bikebox.toml", "config/gym.toml", "config/licences.md", "LICENSE", "CHANGELOG.md")
SELF_TEST = ("bin/bikebox", "self-test")


def build(  # noqa: PLR0913 - what a release is of
    repository: Path, to: Path, *, arch: str, python: str, version: str, models: Iterable[Path]
) -> None:
    """Build a release of this repository into a new folder."""
    project = read_project(repository)
    wheels.lay_out(repository / f"config/locks/python{python}-box.txt", to / "lib", arch, python)
    for name in OURS:
        shutil.copytree(
            repository / name, to / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    for name in FILES:
        shutil.copy(repository / name, to / name)
    wheels.lay_out(repository / "config/locks/piper.txt", to / "speech/lib", arch, python)
    _start(to / "speech/bin/python", SPEAK)
    (to / "models").mkdir()
    for model in models:
        shutil.copy(model, to / "models" / model.name)
    shutil.copytree(
        repository / "systemd",
        to / "systemd",
        ignore=shutil.ignore_patterns(updater.DOOR, f"{updater.UNITS}*"),
    )
    (to / "updater").mkdir()
    updater.lay_out(repository, to / "updater")
    _start(to / "bin/bikebox", START)
    _describe(project, version, to / "lib" / f"bikebox-{version}.dist-info")


def _start(program: Path, text: str) -> None:
    program.parent.mkdir()
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)


def read_project(repository: Path) -> dict[str, Any]:
    """Return [project] of pyproject.toml; raise BadInput outside a clone."""
    try:
        text = (repository / "pyproject.toml").read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{repository}: not a clone of the repository; run this from one") from error
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


def _describe(project: dict[str, Any], version: str, to: Path) -> None:
    """Tell Python's importlib.metadata the version and the commands, as an installer would."""
    to.mkdir()
    (to / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n"
        f"License: {project['license']}\n",
        encoding="utf-8",
    )
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {place}" for name, place in points.items()), ""]
    (to / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
