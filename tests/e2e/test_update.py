"""One box and its updater: installed, updated, put back, put off; told in words and exit codes."""

import json

import pytest
from fake_release import bring

pytestmark = pytest.mark.boxes(1)


@pytest.fixture
def box(updatable):
    return updatable.boxes[0]


def status(box):
    return json.loads(box.run("bikebox-update", "status", "--json").stdout)


def install(box, bundle, *more):
    """Install a bundle; return the exit code and what was said."""
    done = box.run(
        "bikebox-update", "install", bring(box, bundle), "--by", "Ada", *more, check=False
    )
    return done.returncode, done.stdout


def served(box):
    return box.sh('curl -s "http://127.0.0.1:$(cat /run/bikebox/gateway.port)/health"')


def test_the_first_release_comes_onto_an_empty_box_and_the_next_one_after_it(box, foundry):
    assert status(box)["version"] is None
    code, said = install(box, foundry.make("1.0.0", 1))
    assert code == 0, said
    told = status(box)
    assert (told["version"], told["state"], told["previous"]) == ("1.0.0", "probation", None)
    code, said = install(box, foundry.make("1.1.0", 2))
    assert code == 0, said
    told = status(box)
    assert (told["version"], told["serial"], told["state"]) == ("1.1.0", 2, "probation")
