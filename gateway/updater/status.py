"""How the updates of this box stand: for a person, and as bikebox.update-status/1 for programs."""

from typing import Any

from gateway.updater.box import Box
from gateway.updater.state import running

SCHEMA = "bikebox.update-status/1"


def status(box: Box) -> dict[str, Any]:
    """Return what `bikebox-update status --json` prints."""
    state, current = box.memory.state, box.releases.current()
    trial = state.trial
    on_trial = box.on_trial()
    at_work = running(box.places)
    look = box.machine.look()
    return {
        "schema": SCHEMA,
        "version": current.version if current else None,
        "previous": trial.came_from if trial else state.previous,
        "pending": trial.version if trial else None,
        "state": "installing" if at_work or (trial and not trial.gated) else
        "probation" if on_trial else "idle",
        "step": state.step,
        "why": state.why,
        "at_utc": state.at_utc,
        "serial": current.serial if current else None,
        "bad": [{"version": bad.version, "why": bad.why} for bad in state.bad],
        "riding": box.machine.rides(),
        "health": look.health.parts if look.health else {"gateway": look.why_none},
    }  # fmt: skip


def words(told: dict[str, Any]) -> str:
    """Return the same for a person."""
    lines = [
        f"runs        {told['version'] or 'nothing yet'}",
        f"state       {told['state']}, last step: {told['step']} {told['at_utc']}",
        f"way back    {told['previous'] or 'none'}",
    ]
    if told["why"]:
        lines.append(f"because     {told['why']}")
    lines += [f"put back    {bad['version']}: {bad['why']}" for bad in told["bad"]]
    lines += [f"{part:11} {words}" for part, words in told["health"].items() if words != "ok"]
    if told["riding"]:
        lines.append("somebody rides: nothing is switched until the ride is over")
    return "\n".join(lines)
