"""The release of this repository, built by the command that ships it."""

import sys
from pathlib import Path

from boxes import run


def build(to: Path, key: Path, python: str = "3.11", **env: str) -> Path:
    """Build and sign it for a box of this machine's kind; return the bundle."""
    words = ["release", "build", "--arch", "x86_64", "--python", python, "--key", str(key)]
    words += ["--to", str(to)]
    run([sys.executable, "-m", "firmware_app.cli", *words], timeout=1200, **env)
    return next(to.glob(f"*-x86_64-python{python}.bundle"))
