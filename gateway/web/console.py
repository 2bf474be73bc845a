"""The technician's console: what is wrong first, what to do about it, then the rest.

Pure: from the box's health, its rides and the newest live word to HTML.
"""

from collections.abc import Sequence
from html import escape

from msgspec import Struct

from firmware_app.wire import CameraState, Live
from gateway.rides import RideRow
from gateway.web.frame import span_text

WHAT_TO_DO = {
    "ride": "The ride service starts again by itself; if not: systemctl status bikebox-ride.",
    "journals": "The ride keeps everything in its journals and tells it when it is back.",
    "camera": "Look at the camera's USB cable and at what is in front of it.",
    "crank": "Look at the magnet on the crank and at the sensor's plug; 2 to 5 mm apart.",
    "class": "Look at [player] whep_url and at the network; the ride goes on without the class.",
    "speaker": "Look at the speaker's plug; cues are shown until it is back.",
    "journal": "Free space on the card, or change it: what is not in the journal is lost.",
    "name": "Two boxes have one name: give each its own, box in bikebox.toml. Nothing is mixed up.",
    "network": "The console stays on this box. See [gateway] lan and [mqtt] cert_file.",
    "certificate": "Is the studio reachable from here? systemctl start renew-bikebox tries again.",
    "store": "Free space on the card, or change it. The ride keeps all in its journals meanwhile.",
    "broker": "Rides are kept here and sent when it is back. Look at [mqtt] and at the network.",
    "studio": "Rides are kept here. Is the studio running, and does it listen to this broker?",
}
"""Part to what a technician does first."""


class Health(Struct, frozen=True, kw_only=True):
    """How the box is doing, as far as the gateway knows."""

    ok: bool
    box: str
    version: str
    parts: dict[str, str]
    """Part to "ok" or what is wrong with it."""
    sync: str
    """ok, waiting or offline, as the rider's screen has it."""
    unsynced: int
    """Records that the studio has not confirmed."""
    oldest_age_s: float
    last_confirmed_utc: str | None
    unreadable: int
    """Lines of the ride that could not be read, ever."""
    given_up: int = 0
    """Records given up for want of room, ever; each is told to the studio as a gap."""
    messages_dropped: int = 0
    """Messages of the broker that could not be read, since the start."""
    vision: CameraState | None = None
    """How the camera and the pose model do; None while vision says nothing."""

    @property
    def wrong(self) -> dict[str, str]:
        """The parts that are not ok."""
        return {part: words for part, words in self.parts.items() if words != "ok"}


def console(health: Health, rides: Sequence[RideRow], live: Live | None) -> str:
    """Return the console's body."""
    return "".join(
        (
            f"<h1>{escape(health.box)}</h1>",
            f'<p class="sub">Bikebox {escape(health.version)}</p>',
            _trouble(health),
            _now(live),
            _sync(health),
            _vision(health.vision),
            _rides(rides),
            _parts(health),
        )
    )


def _trouble(health: Health) -> str:
    if not health.wrong:
        return '<div class="card fine"><b>Everything works.</b></div>'
    return "".join(
        f'<div class="card wrong"><b>{escape(part.capitalize())}: {escape(words)}</b>'
        f"<p>{escape(WHAT_TO_DO.get(part, 'It is tried again by itself.'))}</p></div>"
        for part, words in health.wrong.items()
    )


def _now(live: Live | None) -> str:
    if live is None:
        return '<h2>Now</h2><p class="sub">Nobody is riding.</p>'
    faults = [rule for rule, state in live.states.items() if state == "fault"]
    unseen = sum(state == "unseen" for state in live.states.values())
    cadence = _figure(live.cadence_rpm)
    return (
        '<h2>Now</h2><div class="cards">'
        + _card("Ride", escape(live.phase))
        + _card("Cadence", cadence, "rpm")
        + _card("Faults", escape(", ".join(map(_words, faults))) or "none")
        + _card("Not judged", f"{unseen}", f"of {len(live.states)} rules")
        + "</div>"
    )


def _sync(health: Health) -> str:
    last = (health.last_confirmed_utc or "never")[:19].replace("T", " ")
    return (
        '<h2>To the studio</h2><div class="cards">'
        + _card("State", escape(health.sync))
        + _card("Not confirmed", f"{health.unsynced}", "records")
        + _card("Oldest", span_text(health.oldest_age_s))
        + _card("Given up", f"{health.given_up}", "records")
        + f'<div class="card"><div class="lab">Last confirmed</div><p>{escape(last)}</p></div>'
        + "</div>"
    )


def _vision(vision: CameraState | None) -> str:
    if vision is None:
        return ""
    return (
        '<h2>What the camera gives</h2><div class="cards">'
        + _card("Model", escape(vision.model))
        + _card("A second", f"{vision.fps:.0f}", "poses")
        + _card("Delay, p95", f"{vision.p95_ms:.0f}", "ms")
        + _card("Too late", f"{vision.late}", "poses")
        + _card("Light", _figure(vision.snr_db), "dB")
        + (_card("At the seat", _figure(vision.lux), "lux") if vision.lux is not None else "")
        + "</div>"
    )


def _rides(rides: Sequence[RideRow]) -> str:
    if not rides:
        return '<h2>Rides</h2><p class="sub">None yet.</p>'
    rows = "".join(
        f"<tr><td>{escape(row.summary.started_utc[:16].replace('T', ' '))}</td>"
        f"<td>{escape(row.summary.class_id)}</td>"
        f'<td class="r">{span_text(row.summary.duration_s)}</td>'
        f'<td class="r">{_figure(row.summary.cadence_mean_rpm)}</td>'
        f'<td class="r">{_percent(row.summary.in_position_share)}</td>'
        f'<td class="r">{len(row.summary.cues)}</td><td>{_confirmed(row)}</td></tr>'
        for row in rides
    )
    return (
        '<h2>Rides</h2><table><tr><th>Started (UTC)</th><th>Class</th><th class="r">Time</th>'
        '<th class="r">rpm</th><th class="r">In form</th><th class="r">Cues</th>'
        "<th>Studio</th></tr>"
        f"{rows}</table>"
    )


def _parts(health: Health) -> str:
    rows = "".join(
        f'<tr><td>{escape(part)}</td><td class="{"good" if words == "ok" else "fault"}">'
        f'<span class="mark">{"✓" if words == "ok" else "!"}</span>{escape(words)}</td></tr>'
        for part, words in health.parts.items()
    )
    return f"<h2>Parts</h2><table>{rows}</table>"


def _card(label: str, figure: str, unit: str = "") -> str:
    return (
        f'<div class="card"><div class="lab">{label}</div>'
        f'<div class="num">{figure} <span class="unit">{unit}</span></div></div>'
    )


def _confirmed(row: RideRow) -> str:
    if row.confirmed_utc:
        return '<span class="good"><span class="mark">✓</span>has it</span>'
    word = "on its way" if row.summary.complete else "not over"
    return f'<span class="warn"><span class="mark">…</span>{word}</span>'


def _words(rule: str) -> str:
    return rule.replace("_", " ")


def _figure(value: float | None) -> str:
    return "&ndash;" if value is None else f"{value:.0f}"


def _percent(share: float | None) -> str:
    return "&ndash;" if share is None else f"{share:.0%}"
