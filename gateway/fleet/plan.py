"""From what a bike is to the steps that would make it what it should be; pure.

Nothing is sent or installed that a step does not say, and a bike that is as it should be has none.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from gateway.fleet.seen import Seen, UpdateStatus

MARGIN_BYTES = 200_000_000
"""Left free on the card beside the unpacked release, as the updater on the bike wants it."""

Verdict = Literal["todo", "done", "put off", "unreachable", "refused"]
"""refused: a technician must do something before this bike can be updated; `why` says what."""


class Bundle(Struct, frozen=True, kw_only=True):
    """A release file on the laptop, as its manifest tells of it."""

    path: Path
    sha256: str
    """Of the whole file; its name on the bike."""
    size_bytes: int
    unpacked_bytes: int
    version: str
    serial: int
    machine: str
    """aarch64 or x86_64."""
    python: str
    """ "3.11" or "3.13"."""


class Step(Struct, frozen=True):
    """One thing that would be done to a bike."""

    do: Literal["send", "install"]
    words: str
    bytes: int = 0
    """To be sent."""


class BikePlan(Struct, frozen=True, kw_only=True):
    """What would be done to one bike, and why not more."""

    bike: str
    verdict: Verdict
    now: str = ""
    """The release that serves."""
    why: str = ""
    steps: tuple[Step, ...] = ()
    bundle: Bundle | None = None


def plan_update(
    bike: str, seen: Seen, bundles: Sequence[Bundle], *, force: bool = False
) -> BikePlan:
    """Return the steps that bring this bike to one of these releases.

    force tries a release again that did not stay, and takes an older one.
    """
    bundle = _fitting(seen, bundles)
    stop = _why_not(bike, seen, bundle, bundles, force=force)
    if stop is not None:
        return stop
    if bundle is None or seen.update is None:
        raise AssertionError("either stops it")
    now = seen.update.version
    install = Step("install", f"install {bundle.version}" + (f" over {now}" if now else ""))
    steps = (*_sending(seen.inbox, bundle), install)
    return BikePlan(bike=bike, verdict="todo", now=now, steps=steps, bundle=bundle)


def plan_rollback(bike: str, seen: Seen) -> BikePlan:
    """Return what brings the release before back on this bike."""
    update = seen.update or UpdateStatus()
    verdict: Verdict = "refused"
    if seen.reached != "yes":
        verdict = "unreachable" if seen.reached == "no" else "refused"
        why = seen.why
    elif not update.previous:
        why = "there is no release before this one on it"
    elif update.state == "installing" or update.riding:
        verdict, why = "put off", "somebody rides" if update.riding else update.step
    else:
        step = Step("install", f"back to {update.previous}")
        return BikePlan(bike=bike, verdict="todo", now=update.version, steps=(step,))
    return BikePlan(bike=bike, verdict=verdict, now=update.version, why=why)


def in_words(plans: Mapping[str, BikePlan]) -> str:
    """Return the plan as a technician reads it: a line for each bike, and the sum."""
    lines = []
    for name, plan in plans.items():
        said = "; ".join(step.words for step in plan.steps) or f"{plan.verdict}: {plan.why}"
        lines.append(f"{name:<24} {plan.now or '-':<12} {said}")
    counts = {
        verdict: sum(plan.verdict == verdict for plan in plans.values())
        for verdict in ("todo", "done", "put off", "unreachable", "refused")
    }
    sent = sum(step.bytes for plan in plans.values() for step in plan.steps)
    told = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)
    return "\n".join([*lines, "", f"{len(plans)} bikes: {told}; {_mb(sent)} MB to send"]) + "\n"


def _why_not(
    bike: str, seen: Seen, bundle: Bundle | None, bundles: Sequence[Bundle], *, force: bool
) -> BikePlan | None:
    """Return why a bike is left as it is; None: nothing speaks against it."""
    verdict: Verdict = "refused"
    update = seen.update or UpdateStatus()
    back = None if bundle is None else update.went_back(bundle.version)
    if seen.reached != "yes":
        verdict = "unreachable" if seen.reached == "no" else "refused"
        why = seen.why
    elif seen.update is None:
        why = f"no updater there: bikebox fleet provision {bike}"
    elif bundle is None:
        had = ", ".join(sorted({f"{b.machine} Python {b.python}" for b in bundles}))
        why = f"it is {seen.machine} Python {seen.python}; the files are for {had}"
    elif update.state == "installing":
        verdict, why = "put off", f"it is being updated to {update.pending}: {update.step}"
    elif update.version == bundle.version:
        verdict = "done"
        why = "has it" + (", on probation" if update.state == "probation" else "")
    elif back is not None and not force:
        why = f"went back from it: {back}; --force tries it again"
    elif bundle.serial < update.serial and not force:
        why = f"{bundle.version} is older than {update.version}; --force takes it"
    elif (need := _need_bytes(seen.inbox, bundle)) > seen.free_bytes:
        why = (
            f"{_mb(need)} MB are needed on its card and {_mb(seen.free_bytes)} MB free:"
            " bikebox fleet doctor tells what to remove"
        )
    elif update.riding:
        verdict, why = "put off", "somebody rides"
    else:
        return None
    return BikePlan(bike=bike, verdict=verdict, now=update.version, why=why)


def _need_bytes(inbox: Mapping[str, int], bundle: Bundle) -> int:
    sent = sum(step.bytes for step in _sending(inbox, bundle))
    return sent + bundle.unpacked_bytes + MARGIN_BYTES


def _fitting(seen: Seen, bundles: Sequence[Bundle]) -> Bundle | None:
    fits = [b for b in bundles if (b.machine, b.python) == (seen.machine, seen.python)]
    return max(fits, key=lambda bundle: bundle.serial, default=None)


def _sending(inbox: Mapping[str, int], bundle: Bundle) -> tuple[Step, ...]:
    if inbox.get(f"{bundle.sha256}.bundle") == bundle.size_bytes:
        return ()
    begun = inbox.get(f"{bundle.sha256}.part", 0)
    if 0 < begun <= bundle.size_bytes:
        rest = bundle.size_bytes - begun
        return (Step("send", f"send the last {_mb(rest)} of {_mb(bundle.size_bytes)} MB", rest),)
    return (Step("send", f"send {_mb(bundle.size_bytes)} MB", bundle.size_bytes),)


def _mb(size_bytes: int) -> int:
    return round(size_bytes / 1_000_000)
