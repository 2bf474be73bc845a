"""Build the signed file that a box is installed and updated with.

`release build` lays out the locked wheels, our code and the models for each kind of box, and packs
and signs them: the same commit gives the same bits. Beside each bundle it writes its SBOM
(CycloneDX). It needs a clone of the repository, its models (make models), the network for the
wheels, Debian's minisign and a secret key (minisign -G makes one).
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware_app.errors import BadInput, MissingPart
from gateway.release.pack import Signer, minisign, pack
from gateway.release.sbom import sbom
from gateway.release.tree import SELF_TEST, build, read_project
from gateway.release.wheels import ARCHITECTURES, GLIBC

REPOSITORY = Path(__file__).parents[2]
MODELS = ("NOTICE", "pose_detection.tflite", "pose_landmark_full_pruned.tflite",
          "pose_landmark_lite_pruned.tflite")  # fmt: skip
"""Heavy is for recordings, not for a Pi."""
LASTS = timedelta(days=400)
"""A release can be installed for a year and a month after its commit."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to build, for whom, and who signs."""
    does = parser.add_subparsers(dest="does", metavar="WHAT", required=True)
    builds = does.add_parser("build", help="build, pack and sign", description=__doc__)
    builds.add_argument(
        "--to", type=Path, default=Path("dist"), metavar="DIR", help="default: dist"
    )
    builds.add_argument("--key", type=Path, required=True, help="minisign's secret key")
    builds.add_argument("--arch", nargs="+", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    builds.add_argument("--python", nargs="+", choices=sorted(GLIBC), default=sorted(GLIBC))
    builds.add_argument("--models", type=Path, default=REPOSITORY / ".cache/models", metavar="DIR")
    builds.add_argument("--version", help="default: as pyproject.toml says")
    builds.add_argument("--serial", type=int, help="default: made from a version year.month.count")
    builds.add_argument("--expires", metavar="DATE", help="default: 400 days after the commit")


def run(args: argparse.Namespace) -> int:
    """Build each bundle; return 0."""
    version = args.version or str(read_project(REPOSITORY)["version"])
    serial = serial_of(version) if args.serial is None else args.serial
    expires = _date(args.expires) if args.expires else _commit_utc() + LASTS
    models = [args.models / name for name in MODELS]
    for model in models:
        if not model.is_file():
            raise MissingPart(f"{model}: not there; `make models` fetches it")
    args.to.mkdir(parents=True, exist_ok=True)
    sign = minisign(args.key)
    for arch in args.arch:
        for python in args.python:
            about = (version, serial, arch, python, expires.isoformat())
            _one(args.to, about, models, sign)
    return 0


def _one(to: Path, about: tuple[str, int, str, str, str], models: list[Path], sign: Signer) -> None:
    version, serial, arch, python, expires = about
    name = f"bikebox-{version}-{arch}-python{python}"
    with TemporaryDirectory(prefix=".build-", dir=to) as scratch:
        folder = Path(scratch) / "release"
        folder.mkdir()
        build(REPOSITORY, folder, arch=arch, python=python, version=version, models=models)
        parts = sbom(folder, version)
        beside = Path(scratch) / f"{name}.cdx.json"
        beside.write_text(parts, encoding="utf-8")
        manifest = pack(
            folder, to / f"{name}.bundle", sign, version=version, serial=serial, arch=arch,
            python=python, expires=expires, self_test=SELF_TEST,
            sbom_sha256=hashlib.sha256(parts.encode()).hexdigest(),
        )  # fmt: skip
        shutil.move(beside, to / beside.name)
    sys.stdout.write(
        f"{to / name}.bundle: {manifest.payload_bytes // 1_000_000} MB,"
        f" {manifest.unpacked_bytes // 1_000_000} MB on the card, serial {serial},"
        f" until {expires[:10]}\n"
    )


def serial_of(version: str) -> int:
    """Return a number that rises with year.month.count; raise BadInput for another kind."""
    try:
        year, month, count = map(int, version.split("."))
    except ValueError as error:
        raise BadInput(f"version {version} is not year.month.count; give --serial N") from error
    return (year * 100 + month) * 10_000 + count


def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInput(f"--expires {text} is not a date like 2027-01-31") from error


def _commit_utc() -> datetime:
    """Return when this commit was made, so that building it again gives the same bits."""
    if seconds := os.environ.get("SOURCE_DATE_EPOCH"):
        return datetime.fromtimestamp(int(seconds), UTC)
    words = ["git", "-C", str(REPOSITORY), "log", "-1", "--format=%ct"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - git
    except (OSError, subprocess.CalledProcessError) as error:
        raise BadInput(
            "this is no clone of git; set SOURCE_DATE_EPOCH or give --expires"
        ) from error
    return datetime.fromtimestamp(int(done.stdout), UTC)
