"""What the READMEs say is so."""

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from firmware_app.settings import Coaching, Ride

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "firmware_app/README.md", "gateway/README.md")
PAGES = (*READMES, "docs/technician.md", "CHANGELOG.md")
COMMANDS = {point.name: point for point in entry_points(group="bikebox.commands")}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help_and_stands_in_the_readme(name):
    assert (COMMANDS[name].load().__doc__ or "").strip()
    assert re.search(rf"`(bikebox )?{name}\b", (ROOT / "README.md").read_text())


@pytest.mark.parametrize("page", PAGES)
def test_every_link_and_picture_of_a_page_is_there(page):
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_the_readme_names_only_commands_that_exist():
    text = (ROOT / "README.md").read_text()
    named = set(re.findall(r"`bikebox ([a-z-]+)", text))
    assert named
    assert named <= set(COMMANDS)
    targets = set(re.findall(r"`?make ([a-z0-9-]+)", text))
    makefile = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_file_names_in_the_readmes_are_files():
    for page in PAGES:
        for name in re.findall(r"`([a-z_]+(?:/[a-z_]+)*\.py)`", (ROOT / page).read_text()):
            places = (ROOT / name, (ROOT / page).parent / name)
            assert any(place.is_file() for place in places), f"{page} names {name}"


def test_the_changelog_tells_of_this_version_for_all_three():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1]
    assert newest.startswith(version)
    assert all(f"### {people}" in newest for people in ("Riders", "Gyms", "Technicians"))


def test_the_sentences_about_time_in_the_readme_are_the_settings_defaults():
    text = " ".join((ROOT / "README.md").read_text().split())
    assert Coaching().quiet_s == 30
    assert "once in thirty seconds" in text
    assert Coaching().same_fault_s == 90
    assert "within a minute and a half" in text
    assert Ride().start_turns == 3
    assert "after three turns" in text
    assert Ride().pause_s == 10
    assert "for ten seconds and the ride rests" in text
    assert Coaching().baseline_s == 20
    assert "first twenty seconds of steady riding" in text
