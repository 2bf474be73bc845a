"""One rider as a picture: what was true, what each rule showed and said, and every cue; SVG.

A lane for each rule that has something to tell. The grey box is the truth, the line the evidence
(its foot is the rider's own baseline, the dotted line where a fault begins), solid red the fault
as told, hatching what could not be judged. Cues stand below, at the second they were given.
"""

from collections.abc import Iterator
from html import escape
from itertools import groupby

from firmware_app.evaluation.drive import JUDGED_HZ, Moment
from firmware_app.evaluation.labels import NUISANCE, Label
from firmware_app.form.catalogue import POSTURE

WIDTH, LEFT, LANE, TOP = 1000, 130, 34, 18
HIGHEST = 2.0
"""Evidence beyond this is drawn as this."""
STYLE = (
    "<style>svg text{font:11px system-ui;fill:#222}.true{fill:#ddd}.nuisance{fill:#eef}"
    ".fault{fill:#c22}.unseen{fill:url(#hatch)}.line{fill:none;stroke:#146;stroke-width:1.2}"
    ".on{stroke:#999;stroke-dasharray:2 3}.cue{fill:#c22}.praise{fill:#282}</style>"
)
HATCH = (
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<path d="M0 5L5 0" stroke="#bbb"/></pattern></defs>'
)


def timeline(label: Label, moments: list[Moment]) -> str:
    """Return the SVG of one rider."""
    lanes = [rule for rule in POSTURE if _telling(rule, label, moments)]
    cues = [moment for moment in moments if moment.cue]
    height = TOP + LANE * len(lanes) + 26 + 14 * len(cues)
    whole_s = max(label.duration_s, moments[-1].form.t_s, 1.0)
    scale = (WIDTH - LEFT - 10) / whole_s
    parts = [*_axis(whole_s, scale, height)]
    for place, rule in enumerate(lanes):
        parts += _lane(rule, TOP + LANE * place, scale, label, moments)
    for place, moment in enumerate(cues):
        parts += _cue(moment, TOP + LANE * len(lanes) + 14 * (place + 1), scale)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label.name)}">'
        f"{HATCH}{''.join(parts)}</svg>"
    )


def _telling(rule: str, label: Label, moments: list[Moment]) -> bool:
    return any(event.fault == rule for event in label.events) or any(
        moment.form.states[rule] == "fault" for moment in moments
    )


def _axis(whole_s: float, scale: float, height: int) -> Iterator[str]:
    for second in range(0, int(whole_s) + 1, 10):
        x = LEFT + second * scale
        yield f'<text x="{x:.0f}" y="11">{second} s</text>'
        yield f'<path d="M{x:.1f} {TOP}V{height}" stroke="#eee"/>'


def _lane(rule: str, top: int, scale: float, label: Label, moments: list[Moment]) -> Iterator[str]:
    foot, full = top + LANE - 8, LANE - 12
    yield f'<text x="4" y="{top + LANE / 2:.0f}">{rule}</text>'
    for event in label.events:
        kind = "true" if event.fault == rule else "nuisance"
        if kind == "true" or event.fault.startswith(NUISANCE):
            yield _box(kind, (event.t0, event.t1), top + 2, LANE - 4, scale)
    for state, run in groupby(moments, key=lambda moment: moment.form.states[rule]):
        at = [moment.form.t_s for moment in run]
        if state != "ok":
            yield _box(state, (at[0], at[-1] + 1 / JUDGED_HZ), foot + 2, 4, scale)
    yield f'<path class="on" d="M{LEFT} {foot - full / HIGHEST:.1f}H{WIDTH - 10}"/>'
    for seen, run in groupby(moments, key=lambda moment: rule in moment.evidence):
        points = " ".join(
            f"{LEFT + one.form.t_s * scale:.1f},"
            f"{foot - full * min(max(one.evidence[rule], 0.0), HIGHEST) / HIGHEST:.1f}"
            for one in run
            if seen
        )
        if points:
            yield f'<polyline class="line" points="{points}"/>'


def _cue(moment: Moment, y: int, scale: float) -> Iterator[str]:
    cue, x = moment.cue, LEFT + moment.form.t_s * scale
    if cue is not None:
        kind = "praise" if cue.kind == "praise" else "cue"
        anchor = "end" if x > WIDTH * 0.7 else "start"
        aside = -6 if anchor == "end" else 6
        how = "" if cue.voice else " (shown)"
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y}" r="4"/>'
        yield (
            f'<text x="{x + aside:.1f}" y="{y + 4}" text-anchor="{anchor}">'
            f"{moment.form.t_s:.0f} s {escape(cue.text)}{how}</text>"
        )


def _box(kind: str, span_s: tuple[float, float], y: float, height: float, scale: float) -> str:
    from_s, to_s = span_s
    x, width = LEFT + from_s * scale, max((to_s - from_s) * scale, 0.5)
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )
