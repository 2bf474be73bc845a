"""Where the updater keeps things, and the few ways to write there that survive a pulled plug."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Places:
    """The folders of a box; tests put them elsewhere."""

    root: Path = Path("/")

    @property
    def releases(self) -> Path:
        """One folder a release, named by its version; what begins with a dot is not one yet."""
        return self.root / "opt/bikebox/releases"

    @property
    def current(self) -> Path:
        """A symbolic link to the release that runs."""
        return self.root / "opt/bikebox/current"

    @property
    def state(self) -> Path:
        """What the updater remembers."""
        return self.root / "var/lib/bikebox-update"

    @property
    def run(self) -> Path:
        """What it forgets at every boot."""
        return self.root / "run/bikebox-update"

    @property
    def keys(self) -> Path:
        """Who may sign: the present key and the next."""
        return self.root / "etc/bikebox/release-keys"

    @property
    def store(self) -> Path:
        """The gateway's database, copied before every switch."""
        return self.root / "var/lib/bikebox/gateway/gateway.db"

    @property
    def library(self) -> Path:
        """The updater itself, a link to the folder of one version of it."""
        return self.root / "usr/local/lib/bikebox-updater"

    def make(self) -> None:
        """Make what is not there."""
        for folder in (self.releases, self.state, self.state / "inbox", self.run):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """Put a folder's names on the card."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, told: Any, *, mode: int = 0o644) -> None:
    """Write a file that is there whole, old or new, whenever the plug is pulled."""
    aside = path.with_name(f".{path.name}.new")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(told, file, indent=1)
        file.write("\n")
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)


def point(link: Path, to: Path) -> None:
    """Let a symbolic link point elsewhere, at once: whoever looks sees the old or the new."""
    aside = link.with_name(f".{link.name}.new")
    aside.unlink(missing_ok=True)
    aside.symlink_to(to)
    aside.replace(link)
    sync_folder(link.parent)
