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


@pytest.fixture(scope="module")
def machine(tmp_path_factory, updater):
    """A box on a real kernel with the updater and some releases at hand; off."""
    run(["config/setup/power-machine"], timeout=300)
    folder = tmp_path_factory.mktemp("power")
    foundry = Foundry(folder / "foundry", watchdog_s=8, start_s=60)
    machine = Machine(folder / "machine")
    machine.put("etc/bikebox/release-keys/present.pub", foundry.key.with_suffix(".pub"))
    machine.put("root/updater", updater)
    machine.put("root/trap.py", TRAP)
    modes = ["good", *(mode for _, _, mode in CUTS), "good"]
    for n, mode in enumerate(modes):
        machine.put(f"root/1.{n}.0.bundle", foundry.make(f"1.{n}.0", n, mode))
    machine.make_disk()
    yield machine
    machine.cut()


def test_a_complete_release_runs_whenever_the_plug_was_pulled(machine):
    """And the control: without the sync before the rename the same cut leaves empty files."""
    machine.start("set-up", "install:1.0.0", dying(0))
    assert machine.next()["did"] == "set-up"
    first = machine.next()
    assert first["code"] == 0, first["words"]
    served = PROVED
    for n, (step, _, mode) in enumerate(CUTS, 1):
        assert machine.next() == {"did": "die", "step": step}
        machine.cut()
        after = ("forget", f"die:flipped:1:1.{n + 1}.0") if n == len(CUTS) else (dying(n),)
        machine.start("look", f"install:1.{n}.0", "look", *after)
        came_up, again, converged = machine.next(), machine.next(), machine.next()
        wanted = f"1.{n}.0" if mode == "good" else PROVED
        assert came_up["version"] in {served, wanted}, came_up
        assert again["code"] == (0 if mode == "good" else 1), again
        assert converged["version"] == wanted, converged
        for seen in (came_up, converged):
            assert (seen["served"], seen["half"]) == (seen["version"], []), seen
            assert (seen["modules"], seen["empty"]) == (MODULES, 0), seen
        served = wanted
    assert machine.next()["did"] == "forget"
    assert machine.next()["did"] == "die"
    machine.cut()
    machine.start("look")
    assert machine.next()["empty"] > 0


def dying(n: int) -> str:
    """Return the scene in which the next release comes as far as its step."""
    step, times, _ = CUTS[n]
    return f"die:{step}:{times}:1.{n + 1}.0"
