"""A report as one HTML page that needs nothing else: figures, confusions, every ride."""

from collections.abc import Iterator
from html import escape

from firmware_app.evaluation.confusion import GOOD, NONE, UNSEEN
from firmware_app.evaluation.report import Report, table
from firmware_app.evaluation.timeline import STYLE

PAGE_STYLE = (
    "<style>body{font:16px/1.4 system-ui;margin:2rem auto;max-width:66rem;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.2rem .6rem;border-bottom:1px solid #ccc;"
    "text-align:left}pre,.wide{overflow-x:auto}pre{font-size:13px}.hit{background:#dfd}.miss{background:#fdd}"
    "</style>"
)
LEGEND = (
    "<p>Grey: the fault truly held; blue: a drink, a look, a wipe, somebody passing. The line is"
    " the evidence: its foot is the rider's own baseline, the dotted line where a fault begins."
    " Below it, red is what was told as a fault, hatched what could not be judged. Dots: what was"
    " said (red) and praised (green).</p>"
)


def page(told: Report, timelines: dict[str, str]) -> str:
    """Return the page; timelines: rider's name to the SVG of the ride."""
    return "".join(
        (
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            "<title>Bikebox, evaluated</title>",
            PAGE_STYLE,
            STYLE,
            f"<h1>{told['riders']} labelled riders, {told['from_video']} from video</h1>",
            f"<pre>{escape(chr(10).join(table(told)))}</pre>",
            "<h2>What was taken for what</h2>",
            *_confusion(told["confusion"]),
            "<h2>Every rider</h2>",
            LEGEND,
            *_riders(told, timelines),
            "</html>\n",
        )
    )


def _confusion(counts: dict[str, dict[str, int]]) -> Iterator[str]:
    columns = sorted({rule for row in counts.values() for rule in row} - {NONE, UNSEEN})
    columns += [NONE, UNSEEN]
    yield '<div class="wide"><table><tr><th>true'
    yield from (f"<th>{rule}" for rule in columns)
    for true in (*sorted(counts.keys() - {GOOD}), *(counts.keys() & {GOOD})):
        yield f"<tr><th>{true}"
        for rule in columns:
            count = counts[true].get(rule, 0)
            kind = "hit" if rule == true else "miss"
            yield f'<td class="{kind}">{count}' if count else "<td>"
    yield "</table></div>"


def _riders(told: Report, timelines: dict[str, str]) -> Iterator[str]:
    for clip in told["clips"]:
        yield f"<h3>{escape(clip['clip'])}, {clip['view']}, from {clip['source']}</h3>"
        yield timelines.get(clip["clip"], "")
        if clip["faults"]:
            yield "<table><tr><th>fault<th>from s<th>found<th>after s<th>unseen"
            yield from (_fault(one) for one in clip["faults"])
            yield "</table>"


def _fault(one: Report) -> str:
    found = "yes" if one["found"] else "no" if one["counts"] else "not counted"
    after = "" if one["delay_s"] is None else one["delay_s"]
    return (
        f"<tr><td>{one['fault']}<td>{one['t0']:.1f}<td>{found}<td>{after}<td>{one['unseen_share']}"
    )
