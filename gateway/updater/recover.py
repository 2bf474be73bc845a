"""Puts right what was interrupted: at boot before any service, and every few seconds of a trial."""

from gateway.updater.box import Box
from gateway.updater.gate import SILENT_S
from gateway.updater.outcome import Ended, PutOff
from gateway.updater.state import Trial

MOST_BOOTS = 3
"""A release on trial during which the box starts this often is not one that holds it."""


def at_boot(box: Box) -> str:
    """Before the services: see to it that `current` is a complete release; return what was done."""
    box.releases.clean()
    trial = box.memory.state.trial
    running = box.on_trial()
    if running is None and trial is not None and not trial.why_back:
        return _drop(box, trial)
    if running is not None:
        running.boots += 1
        if running.boots > MOST_BOOTS and not running.why_back:
            running.why_back = f"the box was started {running.boots} times while it was on trial"
    if trial is not None and trial.why_back:
        box.releases.flip(trial.came_from)  # confirm does the rest, when there are services
    box.step("booted")
    return _mend_current(box)


def _drop(box: Box, trial: Trial) -> str:
    box.memory.state.trial = None
    told = f"{trial.version}: interrupted before the switch"
    box.audit("update-interrupted", trial.by, told)
    box.step("interrupted", why=told)
    return _mend_current(box) or told


def _mend_current(box: Box) -> str:
    """Point to the newest complete release when `current` points to none."""
    if box.releases.current() is not None:
        return ""
    there = [box.memory.state.previous, *(release.version for release in box.releases.all()[::-1])]
    bad = {bad.version for bad in box.memory.state.bad}
    whole = next((v for v in there if v not in bad and box.releases.read(v)), None)
    if whole is None:
        return ""
    box.releases.flip(whole)
    told = f"`current` pointed to no complete release; {whole} runs now"
    box.audit("update-mended", "box", told)
    box.step("mended", why=told)
    box.take_up()
    return told


def confirm(box: Box) -> str:
    """Finish an interrupted switch, look at a release on probation, keep it when that is over.

    Raise Ended when it was put back.
    """
    trial = box.memory.state.trial
    if trial is None:
        return "nothing is on trial"
    if trial.why_back:
        box.put_back(trial, trial.why_back)
        raise Ended(f"{trial.version} was put back: {box.memory.state.why}")
    if box.on_trial() is None:
        return _drop(box, trial)
    if not trial.gated:
        if not trial.boots:  # a boot has started the services from the right release
            box.switch(trial.version)
        box.judge(trial)
    elif why := _probe(box, trial):
        if box.machine.rides():
            raise PutOff(f"{why}; it goes back when the ride is over")
        box.put_back(trial, why)
        raise Ended(f"{trial.version} was put back: {why}")
    elif box.probation_over(trial):
        box.keep(trial, "box")
        return f"{trial.version} is kept"
    return f"{trial.version} is on probation since {trial.since_utc}"


def _probe(box: Box, trial: Trial) -> str:
    """Return what is wrong with a release on probation; what may pass gets the gate's patience."""
    if not box.glance(trial):
        return ""
    box.machine.sleep(SILENT_S)
    return box.gate(trial.version, trial.before) if box.glance(trial) else ""


def roll_back(box: Box, *, by: str, why: str = "") -> str:
    """Go back by a technician's word; raise Ended when there is nothing to go back to."""
    state = box.memory.state
    current = box.releases.current()
    trial = box.on_trial()
    back_to = trial.came_from if trial else state.previous
    if current is None or box.releases.read(back_to) is None:
        raise Ended("there is no earlier release on the card to go back to")
    if box.machine.rides():
        raise PutOff("somebody rides; going back waits until the ride is over, try again then")
    why = why or f"rolled back by {by}"
    if trial is None:
        if current:
            box.copy_store(current.version, str(back_to))
        state.trial = trial = Trial(
            current.version, current.sha256, back_to, by, box.before(), gated=True
        )
        state.previous = None
    trial.by = by
    box.put_back(trial, why)
    return f"{back_to} runs again"
