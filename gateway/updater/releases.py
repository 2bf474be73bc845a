"""The releases on the card: complete folders, one of which `current` points to."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from gateway.updater.bundle import Bundle
from gateway.updater.places import Places, point, sync_folder


@dataclass(frozen=True)
class Release:
    """A complete release on the card."""

    version: str
    serial: int
    sha256: str


class Releases:
    """What is there; a folder gets its name by one rename, when all in it is on the card."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def folder(self, version: str) -> Path:
        """Return where a release is, or would be."""
        return self._places.releases / version

    def aside(self, version: str) -> Path:
        """Return where a release is unpacked until it is one."""
        return self._places.releases / f".{version}.partial"

    def read(self, version: str | None) -> Release | None:
        """Return a release that is there and complete."""
        if not version:
            return None
        try:
            told = json.loads((self.folder(version) / "manifest.json").read_bytes())
            return Release(version, int(told["serial"]), str(told["payload_sha256"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def current(self) -> Release | None:
        """Return the release that `current` points to; None when it points nowhere."""
        try:
            return self.read(self._places.current.readlink().name)
        except OSError:
            return None

    def all(self) -> list[Release]:
        """Return every complete release, the newest last."""
        names = [path.name for path in self._places.releases.iterdir() if path.name[0] != "."]
        there = [release for name in names if (release := self.read(name))]
        return sorted(there, key=lambda release: release.serial)

    def place(self, bundle: Bundle) -> None:
        """Name what was unpacked aside; it must be on the card already.

        A folder of that name which is not complete, or of another build, goes first.
        """
        version = bundle.manifest.version
        target = self.folder(version)
        if target.exists():
            shutil.rmtree(target)
        self.aside(version).rename(target)
        sync_folder(self._places.releases)

    def flip(self, version: str | None) -> None:
        """Let `current` point to a release; to nothing when there was none before."""
        if version is None:
            self._places.current.unlink(missing_ok=True)
            sync_folder(self._places.current.parent)
        else:
            point(self._places.current, Path("releases") / version)

    def clean(self) -> None:
        """Remove what an interrupted update left half done."""
        for path in self._places.releases.glob(".*"):
            shutil.rmtree(path)

    def prune(self, keep: set[str | None]) -> None:
        """Remove all releases but these."""
        for release in self.all():
            if release.version not in keep:
                shutil.rmtree(self.folder(release.version))
