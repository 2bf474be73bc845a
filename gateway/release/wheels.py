"""Lays the locked wheels out for another machine: nothing of them is compiled or run here."""

import shutil
import subprocess
import sys
from pathlib import Path

from firmware_app.errors import BadInput, PartLost

GLIBC = {"3.11": 36, "3.13": 41}
"""Python to the C library of the Debian that brings it: Bookworm, Trixie."""
OLDEST_GLIBC = 5
ARCHITECTURES = ("aarch64", "x86_64")
INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
"""Locked because packages ask for them; a box never installs anything by itself."""
TRACES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
"""In *.dist-info: what was installed how and where, true of the building machine only."""


def lay_out(lock: Path, to: Path, arch: str, python: str) -> None:
    """Install what a lock names, wheels only and by its hashes, into a new folder."""
    if not lock.is_file():
        raise BadInput(f"{lock}: no lock for Python {python}; `make lock` writes it")
    platforms = [
        f"--platform=manylinux_2_{minor}_{arch}" for minor in range(GLIBC[python], OLDEST_GLIBC, -1)
    ]
    platforms += [f"--platform=manylinux{year}_{arch}" for year in ("2014", "2010", "1")]
    words = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--no-input", "--no-compile", "--no-deps", "--require-hashes", "--only-binary=:all:",
        *platforms, "--python-version", python, "--implementation", "cp",
        "--target", str(to), "--requirement", str(lock),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - pip
    if done.returncode:
        raise PartLost(
            f"pip does not lay out {lock.name} for {arch}: {done.stderr.strip().splitlines()[-1]};"
            " is the network there?"
        )
    _strip(to)


def _strip(folder: Path) -> None:
    """Remove installers, command scripts with this machine's paths, tests and traces."""
    shutil.rmtree(folder / "bin", ignore_errors=True)
    for name in INSTALLERS:
        shutil.rmtree(folder / name, ignore_errors=True)
        for info in folder.glob(f"{name}-*.dist-info"):
            shutil.rmtree(info)
    (folder / "distutils-precedence.pth").unlink(missing_ok=True)
    for cache in [*folder.rglob("__pycache__"), *folder.glob("numpy/**/tests")]:
        shutil.rmtree(cache, ignore_errors=True)
    for info in folder.glob("*.dist-info"):
        for name in TRACES:
            (info / name).unlink(missing_ok=True)
