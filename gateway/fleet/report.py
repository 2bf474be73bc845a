"""What a rollout came to, as a file for programs and a page for people; and where to go on."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from firmware_app.errors import BadInput
from gateway.fleet.rollout import LATER, STOPS, Outcome, Result

SCHEMA = "bikebox.fleet-report/1"


class Report(Struct, frozen=True, kw_only=True):
    """One run of `bikebox fleet update` or `rollback`."""

    schema: str = SCHEMA
    what: str
    who: str
    began_utc: str
    seconds: float
    stopped: str = ""
    """Why no other wave began; empty: it went through."""
    bikes: tuple[Outcome, ...]

    def of(self, *results: Result) -> list[str]:
        """Return the bikes with one of these results."""
        return [told.bike for told in self.bikes if told.result in results]

    @property
    def exit_code(self) -> int:
        """0: all is as it should be; 1: something failed; 3: nothing did, and some come later."""
        if self.of(*STOPS):
            return 1
        return 3 if self.of(*LATER) else 0


def write_report(report: Report, folder: Path) -> Path:
    """Write both files into the folder; return the one for programs."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = report.began_utc.replace(":", "").replace("-", "")[:15]
    path = folder / f"{stamp}Z-{report.what.split()[0]}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
    path.with_suffix(".txt").write_text(in_words(report, path), encoding="utf-8")
    return path


def read_report(path: Path) -> Report:
    """Read a report that was written before; raise BadInput."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise BadInput(f"{path}: no report of a fleet ({error}); they end in .json") from error


def to_resume(report: Report) -> list[str]:
    """Return the bikes that come later; those that failed wait for a person."""
    return report.of(*LATER)


def in_words(report: Report, path: Path) -> str:
    """Return the report as a person reads it, worst first, with what to type next."""
    lines = [f"{report.what}, by {report.who}, {report.began_utc}, {report.seconds:.0f} s", ""]
    order: Sequence[Result] = (
        "failed", "refused", "put off", "unreachable", "waits", "updated", "done",
    )  # fmt: skip
    for result in order:
        for told in report.bikes:
            if told.result == result:
                moved = f"{told.before or '-'} -> {told.after}" if told.after else told.before
                lines.append(
                    f"{result:<12} {told.bike:<24} {moved:<22} {told.seconds:6.1f} s  {told.why}"
                )
    counts = ", ".join(f"{len(report.of(r))} {r}" for r in order if report.of(r))
    lines += ["", counts or "no bikes"]
    if report.stopped:
        lines.append(f"Stopped: {report.stopped}")
    if report.of(*STOPS):
        first = report.of(*STOPS)[0]
        lines.append(
            f"Look first: bikebox fleet logs --on {first}; bikebox fleet doctor --on {first}"
        )
    if to_resume(report):
        lines.append(f"Go on later with the same command and --resume {path}")
    return "\n".join(lines) + "\n"
