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
from gateway.fleet import rollout
from gateway.fleet.asking import BIKEBOX, DOCTOR_S
from gateway.fleet.box_plan import (
    BUSY,
    BoxFacts,
    BoxStep,
    Wanted,
    guarded,
    plan_box,
    why_not,
)
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
STARTED = (
    "for _ in $(seq 30); do\n"
    "    systemctl list-jobs --no-legend 'bikebox*' | grep -q . || break\n"
    "    sleep 1\n"
    "done\n"
)
"""Waits until what new settings or a claim have restarted is up: only then it can be examined."""
FAILED, LATER = 1, 3
"""Exit codes: a technician must look; away or ridden, and the same command goes on later."""


class Errands(NamedTuple):
    """What was asked for on the command line."""

    bundles: Sequence[Bundle] = ()
    claim: str = ""
    host_key: str = ""
    """Of one new bike, as its screen or its card told it; empty: a person is asked."""
    dry_run: bool = False
    yes: bool = False


def provision(desk: Desk, errands: Errands) -> int:
    """Provision the bikes, several at once where nobody need be asked; return the exit code."""
    if errands.claim and len(desk.bikes) != 1:
        raise BadInput("a claim code is for one bike; name it with --on")
    if _nobody_is_asked(desk, errands):
        ends = asyncio.run(desk.each(lambda bike: _one(desk, bike, errands)))
    else:
        ends = {bike.name: asyncio.run(_one(desk, bike, errands)) for bike in desk.bikes}
    for end, words in ((FAILED, "not well"), (LATER, "later, with the same command")):
        if names := [name for name, code in ends.items() if code == end]:
            sys.stdout.write(f"{words}: {' '.join(names)}\n")
    return FAILED if FAILED in ends.values() else max(ends.values(), default=0)


def _nobody_is_asked(desk: Desk, errands: Errands) -> bool:
    known = all(bike.host_key for bike in desk.bikes)
    return len(desk.bikes) > 1 and known and (errands.yes or errands.dry_run)


async def _one(desk: Desk, bike: Bike, errands: Errands) -> int:
    try:
        known = await _meet(desk, bike, errands)
        if known is None:
            return FAILED
        async with desk.connect(known) as line:
            return await _furnish(desk, known, line, errands)
    except Away as error:
        sys.stdout.write(f"{bike.name}: not reached: {error}\n")
        return LATER
    except (Stranger, WireError) as error:
        sys.stdout.write(f"{bike.name}: refused: {error}\n")
        return FAILED


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
        return FAILED
    return (
        await _do(bike, line, steps)
        or await _release(desk, bike, line, errands)
        or await _again(bike, line, wants)
        or await _claim(bike, line, errands.claim)
        or await _examine(bike, line)
    )


async def _again(bike: Bike, line: Line, wants: Wanted) -> int:
    """Do what a first release brings with it; return the exit code."""
    return await _do(bike, line, plan_box(await _look(line, wants), wants))


async def _do(bike: Bike, line: Line, steps: Sequence[BoxStep]) -> int:
    """Do the steps one by one; return the exit code of the one that was not done, else 0."""
    for n, step in enumerate(steps, 1):
        sys.stdout.write(f"{bike.name}: [{n}/{len(steps)}] {step.words}\n")
        sys.stdout.flush()
        said = await line.as_root(guarded(step.script), patience_s=STEP_S)
        if said.exit:
            return _not_done(bike, said)
    return 0


def _not_done(bike: Bike, said: Said) -> int:
    """Say why a step was not done; return the exit code."""
    if said.exit == BUSY:
        why = said.err.strip() or "it is busy"
        sys.stdout.write(f"{bike.name}: {why}; nothing is changed until that is over\n")
        return LATER
    sys.stdout.write(f"{bike.name}: that failed: {said.err[-2000:] or said.last_words}\n")
    return FAILED


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


async def _release(desk: Desk, bike: Bike, line: Line, errands: Errands) -> int:
    """Bring the newest fitting release onto it, as an update would; return the exit code."""
    if not errands.bundles:
        return 0
    seen = await ask(line)
    plan = plan_update(bike.name, seen, errands.bundles)
    if plan.verdict == "done":
        return 0
    if plan.verdict != "todo" or plan.bundle is None:
        sys.stdout.write(f"{bike.name}: {plan.verdict}: {plan.why}\n")
        return LATER if plan.verdict == "put off" else FAILED
    errand = to_update(bike, plan, seen, desk.who)
    if _nobody_is_asked(desk, errands):  # a terminal has room for one bike's bars
        outcome = await desk.runner(_no_bars).carry_out(errand)
    else:
        with Bars() as bars:
            bars.plan({bike.name: plan.bundle.size_bytes})
            outcome = await desk.runner(bars.told).carry_out(errand)
            bars.over(outcome)
    if outcome.result == "updated":
        return 0
    sys.stdout.write(f"{bike.name}: {outcome.result}: {outcome.why}\n")
    return LATER if outcome.result in rollout.LATER else FAILED


async def _claim(bike: Bike, line: Line, code: str) -> int:
    if not code:
        return 0
    if not bike.studio:
        raise BadInput(f"[gyms.{bike.gym}] studio is empty: who should turn the claim into a key?")
    # the code is a secret: in the script, which goes by standard input; no list of processes has it
    command = f"echo {quote(code)} | {BIKEBOX} provision --studio {quote(bike.studio)} --claim -"
    said = await line.as_root(guarded(command), patience_s=120.0)
    sys.stdout.write(said.out)
    return _not_done(bike, said) if said.exit else 0


async def _examine(bike: Bike, line: Line) -> int:
    script = f"{STARTED}[ ! -x {BIKEBOX} ] || {BIKEBOX} doctor"
    said = await line.as_root(script, patience_s=DOCTOR_S)
    found = said.out or "no release yet; --bundle brings one\n"
    sys.stdout.write(f"{bike.name}:\n{found}" if "\n" in found[:-1] else f"{bike.name}: {found}")
    return FAILED if said.exit else 0


def _no_bars(_bike: str, _step: str, _sent_bytes: int | None = None, /) -> None:
    """Leave it to the line that says how it ended."""


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


def _agreed(question: str) -> bool:
    if quiet():
        raise BadInput("nobody is here to say yes; --yes says it, --dry-run ends here")
    sys.stdout.write(question)
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
