"""Whatever dies after whichever step of an update, a whole release runs, and a rerun converges.

The updater on the box is given a Memory that stops where it is told: by SIGKILL of the updater, or
by waiting until the plug of the whole box is pulled.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest
from boxes import until
from updates import TRAP, UPDATE, bring, install, settled, status, whole

GOING_IN = (
    "verified", "room", "unpacked", "tried", "on-card", "placed", "copied", "pending", "flipped",
    "restarted", "probation",
)  # fmt: skip
GOING_BACK = (("putting-back", 1), ("flipped", 2), ("put-back", 1))
"""Step, and which time: the second flip is the one back."""
WHO = ("updater", "box")
STATE = "/usr/local/lib/bikebox-updater/gateway/updater/state.py"


def die_at(box, bundle, step, who, times=1):
    """Install a bundle, and let updater or box die right after a step."""
    there = bring(box, bundle)
    box.send(TRAP, "/root/trap.py")
    box.sh(f"grep -q _step_and_stop {STATE} || cat /root/trap.py >> {STATE}")
    box.sh(f"rm -f /run/trapped; echo {step} {who} {times} > /run/trap")
    box.run(UPDATE, "install", there, "--by", "Ada", "--detach")
    until(lambda: box.run("test", "-e", "/run/trapped", check=False).returncode == 0, 180, step)
    if who == "box":
        box.cut()
        box.start()
        box.wait_up()


@pytest.mark.boxes(4)
def test_a_whole_release_runs_whatever_dies_at_whichever_step(updatable, foundry):
    points = [(step, who) for step in GOING_IN for who in WHO]
    first = foundry.make("1.0.0", 0)
    bundles = [foundry.make(f"1.0.{n}", n) for n in range(1, len(points) + 1)]

    def one_box(number):
        box, before = updatable.boxes[number], "1.0.0"
        assert install(box, first).code == 0
        for (step, who), bundle in list(zip(points, bundles, strict=True))[number::4]:
            wanted = bundle.name.split("-")[1]
            die_at(box, bundle, step, who)
            told = settled(box)
            assert told["version"] in (before, wanted), (step, who, told)
            again = install(box, bundle)
            assert again.code == 0, (step, who, again.words)
            told = settled(box)
            assert (told["version"], told["bad"]) == (wanted, []), (step, who, told)
            whole(box)
            before = wanted
        return len(points[number::4])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one_box, range(4))) == len(points) == 22


@pytest.mark.boxes(3)
def test_a_bad_release_goes_back_whatever_dies_on_the_way_back(updatable, foundry):
    first = foundry.make("1.0.0", 1)
    bad = {who: foundry.make(f"2.0.{n}", 2, "crash") for n, who in enumerate(WHO)}

    def one_box(number):
        box, (step, times) = updatable.boxes[number], GOING_BACK[number]
        assert install(box, first).code == 0
        for n, who in enumerate(WHO):
            die_at(box, bad[who], step, who, times)
            until(lambda: status(box)["pending"] is None, 180, f"{step} {who}")
            told = settled(box)
            assert told["version"] == "1.0.0", (step, who, told)
            assert told["bad"][-1]["version"] == f"2.0.{n}", (step, who, told)
            assert "bikebox-ride died" in told["why"]
            whole(box)
        return len(WHO)

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(one_box, range(3))) == 6
