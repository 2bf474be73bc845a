"""The page of licences is true: every locked package is on it, and says the same of itself."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import av
import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "config" / "licences.md").read_text()
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "Public Domain": "Unlicense",
    "Public Domain / zlib": "Zlib",
    "unlicense.org": "Unlicense",
}
"""What packages write to what they mean."""


def table() -> dict[str, tuple[set[str], str, str]]:
    """Package to the Pythons that need it, its licence, and what is inside."""
    part = PAGE[PAGE.index("## Python packages of a bike") :]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in part.splitlines()[6:]]
    return {
        name: (set(pythons.split()), licence, inside) for name, pythons, licence, inside in rows
    }


def locked(python: str) -> set[str]:
    lock = (ROOT / "config" / "locks" / f"python{python}-box.txt").read_text()
    return set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE))


def said_by(package: str) -> str:
    """The licence as the installed package's metadata has it, in SPDX words."""
    about = metadata(package)
    written = about.get("License-Expression") or about.get("License") or ""
    if not written or "\n" in written:
        kinds = [c.split(" :: ")[-1] for c in about.get_all("Classifier", []) if "License" in c]
        written = kinds[0]
    return SPDX.get(written, written)


@pytest.mark.parametrize("python", ["3.11", "3.13"])
def test_every_package_of_a_bike_is_on_the_page_and_no_other(python):
    assert {name for name, (pythons, *_) in table().items() if python in pythons} == locked(python)


def test_what_only_a_laptop_has_is_told_with_its_licence():
    told = PAGE[PAGE.index("## On a technician's laptop") : PAGE.index("## Python packages")]
    lock = (ROOT / "config" / "locks" / "python3.11-fleet.txt").read_text()
    only = set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)) - locked("3.11")
    assert set(re.findall(r"`([a-z]+)` \(", told)) == only
    for package in only:
        assert said_by(package) in " ".join(told.split()), package


@pytest.mark.parametrize("package", sorted(table()))
def test_a_package_is_under_the_licence_that_it_says(package):
    try:
        said = said_by(package)
    except PackageNotFoundError:
        pythons, licence, _ = table()[package]
        assert pythons != {"3.11", "3.13"}, "not installed, though every Python needs it"
        assert licence, "recorded by hand when the lock was made"
        return
    # newer releases write out what their wheels carry along
    assert table()[package][1] == said.split(" AND 0BSD")[0]


def test_no_package_is_under_a_licence_that_we_have_not_read():
    read = {
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "EPL-2.0", "ISC", "MIT", "MIT-0",
        "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
    }  # fmt: skip
    for package, (_, licence, _) in table().items():
        assert set(re.split(r" AND | OR ", licence)) <= read, package


def test_the_gpl_in_the_video_wheel_is_told():
    libraries = Path(av.__file__).parent.with_name("av.libs")
    carried = {path.name.partition("-")[0] for path in libraries.glob("libx26*")}
    assert carried == {"libx264", "libx265"}
    assert "**GPL**" in table()["av"][2]


def test_bikebox_itself_is_under_the_apache_licence():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert metadata("bikebox")["License-Expression"] == "Apache-2.0"
