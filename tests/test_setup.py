"""Set-up on machines as people have them: bare, without rights, with the wrong Python, half done.

The script is the real one; Python, pip and apt are stand-ins that write down what was asked.
"""

import os
import shutil
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[1]
NOBODY = 65534

PYTHON = """#!/bin/bash
echo "python $*" >>"$CALLS"
case "$*" in
    "-c "*) echo "${FAKE_VERSION:-3.11}" ;;
    "-m venv "*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && cp "$FAKES/bikebox" .venv/bin/ ;;
    *"pip install"*"--require-hashes"*)
        [[ -n $PIP_FAILS ]] && echo "ERROR: no network" && exit 1
        for n in {1..20}; do echo "Collecting package$n==1.0"; done
        echo "Installing collected packages: all" ;;
esac
"""
BIKEBOX = """#!/bin/bash
echo "bikebox $*" >>"$CALLS"
mkdir -p .cache/models
echo "model: made"
"""
DPKG_QUERY = """#!/bin/bash
[[ " $MISSING " == *" ${@: -1} "* ]] || echo installed
"""
APT_GET = """#!/bin/bash
echo "apt-get $*" >>"$CALLS"
"""
SUDO = """#!/bin/bash
[[ -n $SUDO_WORKS ]] || exit 1
shift
"$@"
"""


class Machine:
    """A clone of the repository, and programs that only pretend."""

    def __init__(self, folder: Path) -> None:
        self.clone, self.fakes = folder / "clone", folder / "fakes"
        self.calls = folder / "calls"
        self.calls.touch()
        shutil.copytree(ROOT / "config", self.clone / "config")
        shutil.copy(ROOT / "pyproject.toml", self.clone)
        models = "firmware_app/vision/models.py"
        (self.clone / models).parent.mkdir(parents=True)
        shutil.copy(ROOT / models, self.clone / models)
        self.fakes.mkdir()
        for name, text in {
            "python3.11": PYTHON, "bikebox": BIKEBOX, "dpkg-query": DPKG_QUERY,
            "apt-get": APT_GET, "sudo": SUDO,
        }.items():  # fmt: skip
            (self.fakes / name).write_text(text)
            (self.fakes / name).chmod(0o755)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o777)  # nobody works here too
        self.python = str(self.fakes / "python3.11")

    def set_up(self, what="demo", *, root=True, **environment) -> subprocess.CompletedProcess:
        self.calls.write_text("")
        command = [str(self.clone / "config/setup/set-up"), what]
        if not root and os.geteuid() == 0:
            as_nobody = ("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
            command = ["setpriv", *as_nobody, *command]
        return subprocess.run(
            command,
            env={
                "PATH": f"{self.fakes}:/usr/bin:/bin:/usr/sbin:/sbin",
                "PYTHON": self.python, "CALLS": str(self.calls), "FAKES": str(self.fakes),
            } | environment,
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def asked(self, program: str) -> list[str]:
        """What a program was asked to do in the last set-up."""
        lines = self.calls.read_text().splitlines()
        return [line for line in lines if line.startswith(program) and " -c " not in line]


@pytest.fixture
def machine():
    with TemporaryDirectory(prefix="bikebox-machine-") as folder:  # tmp_path lets root in only
        yield Machine(Path(folder))


def test_a_fresh_machine_is_made_ready_and_says_how_far_it_is(machine):
    said = machine.set_up(MISSING="espeak-ng fonts-inter", FAKE_VERSION="3.11")
    assert said.returncode == 0, said.stderr
    steps = [line[:5] for line in said.stdout.splitlines() if line.startswith("[")]
    assert steps[-4:] == ["[2/5]", "[3/5]", "[4/5]", "[5/5]"]
    locked = (ROOT / "config" / "locks" / "python3.11-box.txt").read_text().count("==")
    assert f"      10 of {locked}\n" in said.stdout
    assert said.stdout.splitlines()[-1].startswith("Ready after ")
    lock, project = (line for line in machine.asked("python") if "pip install" in line)
    assert "--require-hashes --only-binary :all: -r config/locks/python3.11-box.txt" in lock
    assert "--no-index --no-deps --no-build-isolation --editable ." in project
    assert machine.asked("bikebox") == ["bikebox models --to .cache/models --model full"]


def test_the_second_time_there_is_nothing_to_do(machine):
    machine.set_up()
    begun = time.perf_counter()
    said = machine.set_up()
    assert time.perf_counter() - begun < 2
    assert (said.stdout, said.stderr, said.returncode) == ("", "", 0)
    assert machine.asked("python") == machine.asked("apt-get") == machine.asked("bikebox") == []


def test_the_tests_need_more_and_the_demo_is_content_with_that(machine):
    machine.set_up("test")
    assert any("python3.11-dev.txt" in line for line in machine.asked("python"))
    assert machine.asked("bikebox")[0].endswith("--model full lite heavy")
    assert machine.set_up("demo").stdout == ""


def test_a_laptop_that_looks_after_bikes_gets_ssh_and_no_models(machine):
    machine.set_up("fleet")
    assert any("python3.11-fleet.txt" in line for line in machine.asked("python"))
    assert machine.asked("bikebox") == []
    assert machine.set_up("fleet").stdout == ""


def test_a_changed_lock_is_installed(machine):
    machine.set_up()
    lock = machine.clone / "config/locks/python3.11-box.txt"
    lock.write_text(lock.read_text().replace("httpx==", "httpx==9"))
    assert "[3/5]" in machine.set_up().stdout


def test_a_changed_project_is_installed_without_asking_for_packages(machine):
    machine.set_up()
    project = machine.clone / "pyproject.toml"
    project.write_text(project.read_text() + "\n")
    said = machine.set_up().stdout
    assert "[4/5]" in said
    assert "[3/5]" not in said


def test_root_gets_the_missing_packages_and_no_others(machine):
    said = machine.set_up(MISSING="fonts-inter", SUDO_WORKS="yes" if os.geteuid() else "")
    assert "[1/5] Debian packages: fonts-inter\n" in said.stdout
    update, install = machine.asked("apt-get")
    assert update.endswith("update")
    assert install.endswith("install --yes --no-install-recommends fonts-inter")


def test_a_person_with_sudo_is_asked_nothing(machine):
    machine.set_up(root=False, MISSING="fonts-inter", SUDO_WORKS="yes")
    assert machine.asked("apt-get")[-1].endswith("fonts-inter")


def test_a_person_without_rights_gets_the_line_to_type(machine):
    said = machine.set_up(root=False, MISSING="python3-venv fonts-inter")
    assert said.returncode == 1
    assert (
        "  sudo apt-get update && sudo apt-get install --yes --no-install-recommends"
        " python3-venv fonts-inter\n"
    ) in said.stderr
    assert machine.asked("apt-get") == machine.asked("python") == []


def test_a_program_of_ones_own_will_do_for_a_package(machine):
    (machine.fakes / "espeak-ng").write_text("#!/bin/sh\n")
    (machine.fakes / "espeak-ng").chmod(0o755)
    said = machine.set_up(MISSING="espeak-ng")
    assert "[1/5]" not in said.stdout


def test_a_machine_with_the_wrong_python_is_told_which_and_how_to_name_it(machine):
    said = machine.set_up(FAKE_VERSION="3.12")
    assert said.returncode == 1
    assert f"looked at: {machine.python} (3.12)" in said.stderr
    assert "make demo PYTHON=/path/to/python3.11" in said.stderr


def test_a_failed_download_shows_what_pip_said_and_the_next_try_begins_there(machine):
    said = machine.set_up(PIP_FAILS="yes")
    assert said.returncode == 1
    assert "ERROR: no network" in said.stderr
    assert "Is the network there" in said.stderr
    again = machine.set_up()
    assert again.returncode == 0
    assert "[2/5]" not in again.stdout
    assert "[3/5]" in again.stdout


def test_another_python_makes_another_environment(machine):
    machine.set_up()
    other = machine.fakes / "python3.13"
    other.write_text(PYTHON.replace("3.11", "3.13"))
    other.chmod(0o755)
    machine.python = str(other)
    said = machine.set_up()
    assert f"[2/5] Python 3.13 from {other}" in said.stdout
    assert "config/locks/python3.13-box.txt" in said.stdout


def test_make_alone_tells_what_can_be_typed():
    said = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    for word in ("demo", "test", "check", "setup", "models", "lock", "clean"):
        assert f"make {word} " in said
