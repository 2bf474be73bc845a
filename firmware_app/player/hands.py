"""What the rider means by a touch, a click or a key."""

from typing import Literal, NamedTuple

from firmware_app.player.buttons import Action, touched
from firmware_app.player.hud import buttons_of
from firmware_app.player.stage import View
from firmware_app.player.theme import Canvas
from firmware_app.player.words import Words

_SPACE: dict[str, Action] = {"waiting": "start", "riding": "pause", "paused": "resume"}


class Event(NamedTuple):
    """Something the rider did, or the display needs."""

    kind: Literal["touch", "key", "quit", "exposed"]
    x_px: float = 0.0
    y_px: float = 0.0
    key: str = ""


def meant(
    event: Event, view: View, words: Words, canvas: Canvas
) -> Action | Literal["quit"] | None:
    """Return what is to be done; None for nothing, a first touch only shows the buttons."""
    if event.kind == "quit" or (event.kind == "key" and event.key == "q"):
        return "quit"
    if event.kind == "key" and event.key == "space" and view.hud is not None:
        return _SPACE.get(view.hud.phase)
    if event.kind == "touch":
        buttons = buttons_of(view, words, canvas)
        return touched(buttons, event.x_px / canvas.scale, event.y_px / canvas.scale)
    return None
