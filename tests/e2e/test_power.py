"""The plug is pulled in mid-update on a real kernel: after boot a complete release runs.

`make e2e ARGS="-m power"`: a quarter of an hour, for the machine is emulated.
"""

import pytest
from boxes import run
from fake_release import Foundry
from power import Machine
from updates import TRAP

pytestmark = [pytest.mark.long, pytest.mark.power]

CUTS = (("placed", 1, "good"), ("flipped", 1, "good"), ("restarted", 1, "good"),
        ("flipped", 2, "crash"))  # fmt: skip
"""Step, which time, and what the release does: the second flip of a bad one is the way back."""
PROVED = "1.0.0"
"""What a bad one goes back to: none after it has been on probation for long enough."""
MODULES = 40


@pytest.fixture
def machine(tmp_path, updater):
    """A box on a real kernel with the updater and some releases at hand; off."""
    run(["config/setup/power-machine"], timeout=300)
    foundry = Foundry(tmp_path / "foundry", watchdog_s=8, start_s=60)
    machine = Machine(tmp_path / "machine")
    machine.put("etc/bikebox/release-keys/present.pub", foundry.key.with_suffix(".pub"))
    machine.put("root/updater", updater)
    machine.put("root/trap.py", TRAP)
    for n, mode in enumerate(["good", *(mode for _, _, mode in CUTS)]):
        machine.put(f"root/1.{n}.0.bundle", foundry.make(f"1.{n}.0", n, mode))
    machine.make_disk()
    yield machine
    machine.cut()


def installed(machine, *more):
    """Start it for the first time; go on when it has its first release."""
    machine.start("set-up", "install:1.0.0", *more)
    assert machine.next()["did"] == "set-up"
    first = machine.next()
    assert first["code"] == 0, first["words"]


def dying(n):
    """The scene in which the release after n comes as far as its step."""
    step, times, _ = CUTS[n]
    return f"die:{step}:{times}:1.{n + 1}.0"


def test_a_complete_release_runs_whenever_the_plug_was_pulled(machine):
    installed(machine, dying(0))
    served = PROVED
    for n, (step, _, mode) in enumerate(CUTS, 1):
        assert machine.next() == {"did": "die", "step": step}
        machine.cut()
        machine.start("look", f"install:1.{n}.0", "look", *map(dying, range(n, len(CUTS))[:1]))
        came_up, again, converged = machine.next(), machine.next(), machine.next()
        wanted = f"1.{n}.0" if mode == "good" else PROVED
        assert came_up["version"] in {served, wanted}, came_up
        assert again["code"] == (0 if mode == "good" else 1), again
        assert converged["version"] == wanted, converged
        for seen in (came_up, converged):
            assert (seen["served"], seen["half"]) == (seen["version"], []), seen
            assert (seen["modules"], seen["empty"]) == (MODULES, 0), seen
        served = wanted


def test_without_the_sync_before_the_rename_the_same_cut_leaves_empty_files(machine):
    """Else the test above would prove nothing."""
    installed(machine, "forget", "die:flipped:1:1.1.0")
    assert machine.next()["did"] == "forget"
    assert machine.next() == {"did": "die", "step": "flipped"}
    machine.cut()
    machine.start("look")
    seen = machine.next()
    assert seen["empty"] > 0
    assert seen["served"] == PROVED, "even that is mended: the card lied, the box rides"
