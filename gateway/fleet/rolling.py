"""Plan, update and roll back: look at every bike, show what would be done, do it in waves."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput
from firmware_app.running import cancel_when_stopped
from gateway.fleet.desk import Desk
from gateway.fleet.plan import BikePlan, Bundle, in_words, plan_rollback, plan_update
from gateway.fleet.progress import Bars, quiet
from gateway.fleet.report import Report, write_report
from gateway.fleet.rollout import Outcome, Result, Rollout
from gateway.fleet.seen import Seen
from gateway.fleet.spread import Spread
from gateway.fleet.update import Errand, to_roll_back, to_update


class Wish(NamedTuple):
    """What was asked for on the command line."""

    bundles: Sequence[Bundle] = ()
    """None: roll back."""
    force: bool = False
    dry_run: bool = False
    yes: bool = False
    """Do not ask."""
    reports: Path | None = None
    """Folder; None: fleet-reports beside fleet.toml."""

    @property
    def what(self) -> str:
        """In a few words, for the report."""
        to = " ".join(sorted({bundle.version for bundle in self.bundles}))
        return f"update to {to}" if to else "rollback"


def roll(desk: Desk, wish: Wish) -> int:
    """Look, plan, show, ask, do; return the exit code."""
    return asyncio.run(_roll(desk, wish))


async def _roll(desk: Desk, wish: Wish) -> int:
    seen = await desk.look()
    plans = {name: _plan(name, told, wish) for name, told in seen.items()}
    sys.stdout.write(in_words(plans))
    todo = [bike for bike in desk.bikes if plans[bike.name].verdict == "todo"]
    if wish.dry_run:
        return 0
    if todo and not wish.yes and not _agreed(len(todo)):
        return 1
    clock = MachineClock()
    began_utc, began_s = clock.wall().isoformat(timespec="seconds"), clock.monotonic()
    rollout = Rollout(todo, _kinds(plans), desk.inventory.rollout.waves)
    with Bars() as bars:
        bars.plan({bike.name: sum(s.bytes for s in plans[bike.name].steps) for bike in todo})
        errands = {bike.name: _errand(desk, plans[bike.name], seen, wish) for bike in todo}
        spread = Spread(rollout, errands, desk.runner(bars.told), desk.inventory.rollout, bars)
        running = asyncio.ensure_future(spread.run())
        cancel_when_stopped(running)
        await running
    report = Report(
        what=wish.what,
        who=desk.who,
        began_utc=began_utc.replace("+00:00", ""),
        seconds=round(clock.monotonic() - began_s, 1),
        stopped=rollout.stopped,
        bikes=_all(desk, plans, rollout),
    )
    path = write_report(report, wish.reports or desk.file.parent / "fleet-reports")
    sys.stdout.write(path.with_suffix(".txt").read_text(encoding="utf-8"))
    return report.exit_code


def _plan(name: str, seen: Seen, wish: Wish) -> BikePlan:
    if wish.bundles:
        return plan_update(name, seen, wish.bundles, force=wish.force)
    return plan_rollback(name, seen)


def _errand(desk: Desk, plan: BikePlan, seen: Mapping[str, Seen], wish: Wish) -> Errand:
    bike, told = desk.inventory.bikes[plan.bike], seen[plan.bike]
    if wish.bundles:
        return to_update(bike, plan, told, desk.who, force=wish.force)
    if told.update is None:
        raise AssertionError("only a bike with an updater has a plan")
    return to_roll_back(bike, told.update, desk.who)


def _kinds(plans: Mapping[str, BikePlan]) -> dict[str, str]:
    return {n: p.bundle.sha256 if p.bundle else "" for n, p in plans.items()}


def _all(desk: Desk, plans: Mapping[str, BikePlan], rollout: Rollout) -> tuple[Outcome, ...]:
    results: dict[str, Result] = {"done": "done", "put off": "put off"}
    results |= {"unreachable": "unreachable", "refused": "refused"}
    ended = rollout.outcomes | {told.bike: told for told in rollout.left()}
    for name, plan in plans.items():
        if plan.verdict != "todo":
            ended[name] = Outcome(
                bike=name, result=results[plan.verdict], why=plan.why, before=plan.now
            )
    return tuple(ended[bike.name] for bike in desk.bikes)


def _agreed(bikes: int) -> bool:
    if quiet():
        raise BadInput("nobody is here to say yes to this plan; --yes says it, --dry-run ends here")
    sys.stdout.write(f"Change {bikes} bike{'s' * (bikes != 1)}? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
