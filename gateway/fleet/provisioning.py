"""Makes stock boxes bikes over SSH: meet it, look, show the plan, do it, claim it, examine it."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import msgspec
from msgspec import structs

from firmware_app.errors import BadInput, WireError
from gateway.fleet.asking import BIKEBOX, DOCTOR_S
from gateway.fleet.box_plan import BoxFacts, BoxStep, Wanted, plan_box, why_not
from gateway.fleet.desk import Desk
from gateway.fleet.inventory import Bike
from gateway.fleet.pinning import pin
from gateway.fleet.plan import Bundle, plan_update
from gateway.fleet.progress import Bars, quiet
from gateway.fleet.ssh import Away, Line, Said, Stranger, host_fingerprint
from gateway.fleet.update import ask, to_update
from gateway.fleet.wanted import wanted

LOOK = Path(__file__).with_name("look_on_box.py")
STEP_S = 1800.0
"""A Pi with a slow card and a slow mirror: Debian's packages take minutes."""


class Errands(NamedTuple):
    """What was asked for on the command line."""

    bundles: Sequence[Bundle] = ()
    claim: str = ""
    host_key: str = ""
    """Of one new bike, as its screen or its card told it; empty: a person is asked."""
    dry_run: bool = False
    yes: bool = False


def provision(desk: Desk, errands: Errands) -> int:
    """Provision one bike after the other; return the exit code."""
    if errands.claim and len(desk.bikes) != 1:
        raise BadInput("a claim code is for one bike; name it with --on")
    return max([asyncio.run(_one(desk, bike, errands)) for bike in desk.bikes], default=0)


async def _one(desk: Desk, bike: Bike, errands: Errands) -> int:
    try:
        known = await _meet(desk, bike, errands)
        if known is None:
            return 1
        async with desk.connect(known) as line:
            return await _furnish(desk, known, line, errands)
    except Away as error:
        sys.stdout.write(f"{bike.name}: not reached: {error}\n")
        return 3
    except (Stranger, WireError) as error:
        sys.stdout.write(f"{bike.name}: refused: {error}\n")
        return 1


async def _meet(desk: Desk, bike: Bike, errands: Errands) -> Bike | None:
    """Return the bike with a pinned key; None when the person says it is another."""
    if bike.host_key:
        return bike
    shown = await host_fingerprint(bike.address, bike.port)
    if errands.host_key:
        if errands.host_key != shown:
            raise Stranger(f"{bike.address} shows {shown}, not {errands.host_key}")
    elif quiet():
        raise BadInput(f"{bike.name} shows {shown}; if that is its key: --host-key {shown}")
    else:
        sys.stdout.write(
            f"{bike.name} at {bike.address} was not met before. It shows\n  {shown}\n"
            "On its own screen: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n"
        )
        if not _agreed("Is it the same? [y/N] "):
            return None
    pin(desk.file, bike, shown)
    return structs.replace(bike, host_key=shown)


async def _furnish(desk: Desk, bike: Bike, line: Line, errands: Errands) -> int:
    wants = wanted(bike, desk.inventory, desk.file)
    facts = await _look(line, wants)
    if why := why_not(facts):
        raise Stranger(why)
    steps = plan_box(facts, wants)
    _show(bike, facts, steps, errands)
    if errands.dry_run:
        return 0
    if steps and not errands.yes and not _agreed(f"Do it to {bike.name}? [y/N] "):
        return 1
    for n, step in enumerate(steps, 1):
        sys.stdout.write(f"{bike.name}: [{n}/{len(steps)}] {step.words}\n")
        sys.stdout.flush()
        said = await line.as_root(f"set -eu\numask 022\n{step.script}", patience_s=STEP_S)
        if said.exit:
            sys.stdout.write(f"{bike.name}: that failed: {said.err[-2000:]}\n")
            return 1
    if errands.bundles and not await _release(desk, bike, line, errands):
        return 1
    if errands.claim and not _worked(bike, await _claim(bike, line, errands.claim)):
        return 1
    return await _examine(bike, line)


async def _look(line: Line, wants: Wanted) -> BoxFacts:
    asked = {"packages": wants.packages, "files": [file.path for file in wants.files]}
    program = LOOK.read_text(encoding="utf-8")
    words = msgspec.json.encode(asked).decode()
    script = f"/usr/bin/python3 -I -c {quote(program)} <<'END'\n{words}\nEND\n"
    said = await line.as_root(script)
    try:
        return msgspec.json.decode(said.out, type=BoxFacts)
    except msgspec.MsgspecError as wrong:
        raise WireError(f"it cannot be looked at: {said.last_words} ({wrong})") from wrong


async def _release(desk: Desk, bike: Bike, line: Line, errands: Errands) -> bool:
    """Bring the newest fitting release onto it, as an update would."""
    seen = await ask(line)
    plan = plan_update(bike.name, seen, errands.bundles)
    if plan.verdict == "done":
        return True
    if plan.verdict != "todo" or plan.bundle is None:
        sys.stdout.write(f"{bike.name}: {plan.verdict}: {plan.why}\n")
        return False
    with Bars() as bars:
        bars.plan({bike.name: plan.bundle.size_bytes})
        runner = desk.runner(bars.told)
        outcome = await runner.carry_out(to_update(bike, plan, seen, desk.who))
        bars.over(outcome)
    return outcome.result == "updated"


async def _claim(bike: Bike, line: Line, code: str) -> Said:
    if not bike.studio:
        raise BadInput(f"[gyms.{bike.gym}] studio is empty: who should turn the claim into a key?")
    # the code is a secret: by standard input, where no list of processes shows it
    command = f"{BIKEBOX} provision --studio {quote(bike.studio)} --claim -"
    return await line.as_root(f"{command} <<'END'\n{code}\nEND\n", patience_s=120.0)


async def _examine(bike: Bike, line: Line) -> int:
    said = await line.as_root(f"[ ! -x {BIKEBOX} ] || {BIKEBOX} doctor", patience_s=DOCTOR_S)
    sys.stdout.write(said.out or f"{bike.name}: no release yet; --bundle brings one\n")
    return int(said.exit != 0)


def _show(bike: Bike, facts: BoxFacts, steps: Sequence[BoxStep], errands: Errands) -> None:
    sys.stdout.write(f"{bike.name}: {facts.system} on {facts.machine}, Python {facts.python}\n")
    for step in steps:
        sys.stdout.write(f"  {step.words}\n")
    for bundle in errands.bundles:
        sys.stdout.write(f"  bring release {bundle.version}, if it is for it and not there\n")
    if errands.claim:
        sys.stdout.write("  make its key, and let the studio certify it\n")
    if not steps and not errands.bundles and not errands.claim:
        sys.stdout.write("  nothing: it is as it shall be\n")


def _worked(bike: Bike, said: Said) -> bool:
    sys.stdout.write(said.out)
    if said.exit:
        sys.stdout.write(f"{bike.name}: {said.last_words}\n")
    return said.exit == 0


def _agreed(question: str) -> bool:
    if quiet():
        raise BadInput("nobody is here to say yes; --yes says it, --dry-run ends here")
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
