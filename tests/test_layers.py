"""Who may import whom: the contracts in pyproject.toml hold, and nothing escapes them."""

import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import firmware_app

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
OPEN_TO_THE_GATEWAY = {
    "clock", "errors", "link", "logs", "notify", "running", "settings", "sockets", "summary",
    "supervise", "wire",
}  # fmt: skip


def contract(name: str) -> dict:
    return next(c for c in CONTRACTS if name in c["name"])


def test_every_import_goes_down_the_staircase():
    program = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout[said.stdout.find("Contracts:") :]
    assert "0 broken" in said.stdout


def test_a_new_part_of_the_bike_is_closed_to_the_gateway_until_somebody_opens_it():
    parts = {part.name for part in pkgutil.iter_modules(firmware_app.__path__)}
    closed = {
        name.removeprefix("firmware_app.")
        for name in contract("by its messages only")["forbidden_modules"]
    }
    assert closed == parts - OPEN_TO_THE_GATEWAY


def test_no_module_is_excused_from_a_contract():
    for each in CONTRACTS:
        assert not each.get("ignore_imports"), each["name"]
    assert all(c["exhaustive"] for c in CONTRACTS if c["type"] == "layers")
