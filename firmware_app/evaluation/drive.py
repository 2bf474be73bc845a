"""One labelled rider through the shipped chain: frames and pulses in, states and cues out.

The same measuring, analyst, cadence and coach as in a ride, in the order of time; every cue is
taken to be spoken at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from firmware_app.coach.book import CueBook
from firmware_app.coach.coach import Coach, Cue
from firmware_app.form.analyst import Analyst
from firmware_app.form.metrics import FormMetrics, measure
from firmware_app.form.state import FormState
from firmware_app.sensors.cadence import Cadence
from firmware_app.settings import Coaching
from firmware_app.wire import PoseFrame, View

JUDGED_HZ = 5


class Moment(NamedTuple):
    """What was judged at one moment."""

    form: FormState
    cue: Cue | None
    cadence_rpm: float | None
    evidence: Mapping[str, float] = MappingProxyType({})
    """How strongly each rule shows; 0 is the rider's baseline, 1 begins a fault."""


def drive(
    view: View, frames: Iterable[PoseFrame], pulses_s: list[float], book: CueBook
) -> Iterator[Moment]:
    """Yield five moments a second, of a rider whose name is not known."""
    return judge(view, (measure(frame, view) for frame in frames), pulses_s, book)


def judge(
    view: View, measured: Iterable[FormMetrics], pulses_s: list[float], book: CueBook
) -> Iterator[Moment]:
    """Yield five moments a second from frames that are already measured."""
    coaching = Coaching()
    analyst, coach, cadence = Analyst(view, coaching), Coach(book, coaching, ""), Cadence()
    pulses = iter(pulses_s)
    pulse_s = next(pulses, None)
    due_s: float | None = None
    for metrics in measured:
        while pulse_s is not None and pulse_s <= metrics.t_s:
            if cadence.pulse(pulse_s):
                analyst.pulse(pulse_s)
            pulse_s = next(pulses, None)
        analyst.see(metrics)
        due_s = metrics.t_s if due_s is None else due_s
        if metrics.t_s < due_s:
            continue
        due_s += 1 / JUDGED_HZ
        rpm = round(cadence.rpm(metrics.t_s), 1) if pulses_s else None
        form = analyst.judge(metrics.t_s, rpm, None)
        cue = coach.consider(form)
        if cue:
            coach.outcome(cue.number, "spoken" if cue.voice else "shown", metrics.t_s)
        yield Moment(form, cue, rpm, analyst.evidence)
