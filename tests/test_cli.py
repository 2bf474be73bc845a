"""The one command: what it offers, and how it says that something is wrong."""

import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware_app import cli
from firmware_app.errors import BadSetting, PartLost

COMMANDS = {point.name: point for point in entry_points(group="bikebox.commands")}


@pytest.fixture
def command(monkeypatch):
    """Offer one command, "try", that does what it is given."""

    def offer(run):
        module = SimpleNamespace(
            __doc__="Try it.\n\nAgain.", arguments=lambda _parser: None, run=run
        )
        monkeypatch.setattr(EntryPoint, "load", lambda _point: module)
        point = EntryPoint("try", "nowhere", "bikebox.commands")
        monkeypatch.setattr(cli, "entry_points", lambda **_group: [point])

    return offer


def raises(error):
    def run(_args):
        raise error

    return run


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_says_what_it_is_for(name, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    assert said.startswith(f"usage: bikebox {name}")
    assert COMMANDS[name].load().__doc__.splitlines()[0] in " ".join(said.split())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_no_command_takes_an_option_that_it_does_not_know(name, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([name, "--no-such-option"])
    assert ended.value.code == 2
    assert f"usage: bikebox {name}" in capsys.readouterr().err


def test_a_misspelt_command_is_answered_with_those_there_are(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["dmeo"])
    assert ended.value.code == 2
    assert "'dmeo'" in (said := capsys.readouterr().err)
    assert "demo" in said


def test_bikebox_alone_lists_its_commands(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 0
    assert set(COMMANDS) <= set(capsys.readouterr().out.replace(",", " ").split())


def test_what_a_technician_must_mend_ends_with_78_and_one_sentence(command, capsys):
    command(raises(BadSetting("bikebox.toml: vision.fps: ...")))
    assert cli.main(["try"]) == 78
    assert capsys.readouterr().err == "bikebox try: bikebox.toml: vision.fps: ...\n"


def test_what_went_wrong_ends_with_1_and_one_sentence(command, capsys):
    command(raises(PartLost("the class server hung up")))
    assert cli.main(["try"]) == 1
    assert capsys.readouterr().err == "bikebox try: the class server hung up\n"


def test_a_bug_is_shown_whole(command):
    command(raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["try"])


def test_what_worked_ends_as_the_command_says(command):
    command(lambda _args: 0)
    assert cli.main(["try"]) == 0


def test_a_person_who_presses_ctrl_c_sees_no_traceback(command):
    command(raises(KeyboardInterrupt()))
    assert cli.main(["try"]) == 130


def test_the_installed_program_knows_its_version():
    program = Path(sys.executable).with_name("bikebox")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("bikebox 2")
