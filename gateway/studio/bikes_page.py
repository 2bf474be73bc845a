"""The gym's bikes as HTML: who needs a look comes first, and a line to write on all screens.

Pure.
"""

from collections.abc import Sequence
from html import escape

from gateway.studio.bikes import Bike
from gateway.topics import CmdAck

MOST_ROWS = 500
GONE_DAYS = 30
MOST_PARTS, LONGEST_WORDS = 8, 200
"""Of what a bike says that is wrong."""
LONGEST_MESSAGE = 200
"""Of letters on a bike's screen."""

WRITE = (
    '<form class="line" method="post" action="/bikes">'
    "<label>Write on the screens of all bikes that are online"
    f'<input name="text" maxlength="{LONGEST_MESSAGE}" required></label>'
    "<button>Show it</button></form>"
)


def bikes_body(every: Sequence[Bike], trouble: str, since_utc: str = "") -> str:
    """Return the page's body; trouble: why nothing new can come, or empty.

    A bike that is offline and whose records are older than since_utc is not shown: it was sold.
    """
    bikes = [bike for bike in every if bike.online or not "" < bike.stored_utc < since_utc]
    gone = len(every) - len(bikes)
    warning = f'<div class="card wrong"><b>{escape(trouble)}</b></div>' if trouble else ""
    if not bikes:
        return (
            f"{warning}<h1>No bike has been heard of yet</h1>"
            '<p class="sub">A bike is here as soon as [mqtt] url in its bikebox.toml names this'
            " broker.</p>"
        )
    rows = "".join(_row(bike) for bike in bikes[:MOST_ROWS])
    more = max(0, len(bikes) - MOST_ROWS)
    left_out = [f"{more} more"] if more else []
    left_out += [f"{gone} not heard of for {GONE_DAYS} days"] if gone else []
    return (
        f"{warning}<h1>{sentence(bikes)}</h1>"
        "<table><tr><th>Bike</th><th>State</th><th>Version</th><th>Last records (UTC)</th>"
        f'<th class="r">Rides</th></tr>{rows}</table>'
        + (f'<p class="sub">And {" and ".join(left_out)}: see /api/boxes</p>' if left_out else "")
    )


def sentence(bikes: Sequence[Bike]) -> str:
    """Say the gym's bikes in one sentence: "24 bikes: 22 well, 1 needs a look, 1 offline"."""
    wrong = sum(bool(bike.wrong) for bike in bikes)
    offline = sum(not bike.online for bike in bikes)
    well = len(bikes) - wrong - offline
    told = (
        (well, "well"),
        (wrong, "needs a look" if wrong == 1 else "need a look"),
        (offline, "offline"),
    )
    many = "1 bike" if len(bikes) == 1 else f"{len(bikes)} bikes"
    return f"{many}: " + ", ".join(f"{number} {words}" for number, words in told if number)


def answers_body(text: str, answers: Sequence[CmdAck]) -> str:
    """Return what became of a message."""
    shown = sum(answer.taken for answer in answers)
    why_not: dict[str, list[str]] = {}
    for answer in answers:
        if not answer.taken:
            why_not.setdefault(answer.why, []).append(answer.box)
    rows = "".join(
        f"<tr><td>{escape(why)}</td><td>{escape(', '.join(boxes))}</td></tr>"
        for why, boxes in why_not.items()
    )
    on = "screen" if len(answers) == 1 else "screens"
    head = f"Shown on {shown} of {len(answers)} {on}" if answers else "No bike is online"
    return (
        f'<h1>{head}</h1><p class="sub"><bdi>{escape(text)}</bdi></p>'
        + (f"<table><tr><th>Why not</th><th>Where</th></tr>{rows}</table>" if rows else "")
        + '<p class="sub"><a href="/bikes">All bikes</a></p>'
    )


def _row(bike: Bike) -> str:
    if bike.wrong:
        told = list(bike.wrong.items())[:MOST_PARTS]
        words = "; ".join(f"{part[:LONGEST_WORDS]}: {why[:LONGEST_WORDS]}" for part, why in told)
        state = f'<td class="fault"><span class="mark">!</span>{escape(words)}</td>'
    elif bike.online:
        state = '<td class="good"><span class="mark">✓</span>well</td>'
    else:
        state = '<td class="warn"><span class="mark">…</span>offline</td>'
    stored = bike.stored_utc[:16].replace("T", " ") or "never"
    return (
        f"<tr><td>{escape(bike.box)}</td>{state}<td>{escape(bike.version)}</td>"
        f'<td>{escape(stored)}</td><td class="r">{bike.rides}</td></tr>'
    )
