"""Brings in what only a gym with several studios installs: clients of PostgreSQL and NATS."""

import importlib
from types import ModuleType

from firmware_app.errors import MissingPart


def load_extra(name: str, setting: str) -> ModuleType:
    """Return our module of this name; raise MissingPart when the client under it is not there."""
    try:
        return importlib.import_module(f"gateway.studio.{name}")
    except ImportError as error:
        raise MissingPart(
            f"{setting} in gym.toml: its client is not installed ({error}); try:"
            ' pip install "bikebox[cluster]"'
        ) from error
