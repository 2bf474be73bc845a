"""Keeps the volume a rider chose over a restart, in one small file with one writer."""

from pathlib import Path

import structlog

log = structlog.get_logger()

LEAST = 0.1
"""A bike that starts silent looks broken."""


class KeptVolume:
    """The volume, 0..1, and where it is kept."""

    def __init__(self, path: Path | None, otherwise: float) -> None:
        """Read it; path None keeps nothing; otherwise is what the settings say."""
        self._path = path
        self._told = False
        self.value = otherwise
        if path is not None:
            try:
                self.value = min(1.0, max(LEAST, float(path.read_text(encoding="ascii"))))
            except (OSError, ValueError):  # none yet, or torn by a power cut
                return

    def change(self, step: float) -> float:
        """Turn it up or down by step within 0..1, keep it, and return it."""
        self.value = min(1.0, max(0.0, round(self.value + step, 2)))
        if self._path is not None:
            draft = self._path.with_suffix(".draft")
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                draft.write_text(f"{self.value:.2f}\n", encoding="ascii")
                draft.replace(self._path)
            except OSError as error:
                if not self._told:
                    log.warning("volume_not_kept", file=str(self._path), why=str(error))
                self._told = True  # it is heard all the same
        return self.value
