"""The buttons that come when the screen is touched, and go by themselves."""

from dataclasses import dataclass
from typing import Literal

from firmware_app.player.brush import Brush
from firmware_app.player.icons import Sign, draw_sign
from firmware_app.player.lettering import width_of
from firmware_app.player.theme import GLASS_FIRM, GOOD, INK, MARGIN, SMALL, WARN, fade
from firmware_app.player.words import Words

Action = Literal[
    "start",
    "pause",
    "resume",
    "end",
    "quieter",
    "more",
    "camera_off",
    "camera_on",
    "aim",
    "aimed",
    "softer",
    "louder",
]
SHOWN_S = 5.0
HIGH = 84.0
GAP = 12.0
BESIDE = 300.0
"""What the form's panel and its margins take of the screen's width."""


@dataclass(frozen=True)
class Button:
    """One thing to touch."""

    action: Action
    words: str
    strong: bool = False
    sign: Sign | None = None
    struck: bool = False
    """Stands in front of the words."""
    height: float = HIGH

    @property
    def width(self) -> float:
        """As wide as its words, and never too small for a finger."""
        if self.sign is not None:
            return 116.0 if self.words else 88.0
        return max(116.0, width_of(self.words, SMALL, "SemiBold") + 40)

    def paint(self, brush: Brush) -> None:
        """Draw it."""
        edge = fade(GOOD, 0.8) if self.strong else (255, 255, 255, 70)
        brush.panel(
            0, 0, self.width, self.height, fill=GLASS_FIRM, edge=edge, edge_width=2, radius=24
        )
        if self.sign is not None:
            left = 16 if self.words else (self.width - 40) / 2
            draw_sign(brush, self.sign, left, 22, 40, INK, "struck" if self.struck else "", WARN)
        middle = self.width / 2 + (0 if self.sign is None else 30)
        colour = GOOD if self.strong else INK
        brush.text(middle, 55, self.words, SMALL, weight="SemiBold", colour=colour, anchor="m")


@dataclass(frozen=True)
class PlacedButton:
    """A button where it is."""

    button: Button
    x: float
    y: float


def lay_buttons(  # noqa: PLR0913 - where, and what the rider and the camera are like
    phase: str,
    words: Words,
    width: float,
    y: float,
    *,
    camera_off: bool = False,
    left_handed: bool = False,
) -> tuple[PlacedButton, ...]:
    """Return the buttons of a phase of the ride, left of the form's panel, in units.

    In one row, or in two where one does not fit; y is of the lower one. They begin at the left edge
    for a left hand.
    """
    # the sign tells what is, the touch turns it round
    camera = Button(
        "camera_on" if camera_off else "camera_off", "", sign="camera", struck=camera_off
    )
    row = [
        Button("softer", "−", sign="speaker"),  # noqa: RUF001 - a minus as high as the plus
        Button("louder", "+", sign="speaker"),
    ]
    if phase == "waiting":
        row = [
            Button("start", words.start, strong=True),
            camera,
            Button("aim", "", sign="aim"),
            *row,
        ]
    elif phase in ("riding", "paused"):
        going = phase == "riding"
        first = Button("pause", words.pause) if going else Button("resume", words.resume)
        row = [
            Button(first.action, first.words, strong=True),
            Button("end", words.end),
            Button("quieter", words.quieter),
            Button("more", words.more),
            camera,
            *row,
        ]
    rows = [row] if _wide(row) <= width - BESIDE - MARGIN else [row[:-3], row[-3:]]
    placed: tuple[PlacedButton, ...] = ()
    for i, one in enumerate(rows):
        leftmost, rightmost = MARGIN, width - BESIDE - _wide(one)
        x = (leftmost + rightmost) / 2
        if left_handed:  # the script turns the screen round, a hand stays where it is
            x = rightmost if words.rtl else leftmost
        placed += _in_a_row(one, x, y - (len(rows) - 1 - i) * (HIGH + GAP))
    return _mirror(placed, width) if words.rtl else placed


def done_button(words: Words, width: float, y: float) -> tuple[PlacedButton, ...]:
    """Return the one button of the aiming screen, at its right end."""
    button = Button("aimed", words.aim_done, strong=True)
    placed = (PlacedButton(button, width - 60 - button.width, y),)
    return _mirror(placed, width) if words.rtl else placed


def _wide(row: list[Button]) -> float:
    return sum(button.width for button in row) + GAP * (len(row) - 1)


def _in_a_row(row: list[Button], x: float, y: float) -> tuple[PlacedButton, ...]:
    placed = []
    for button in row:
        placed.append(PlacedButton(button, x, y))
        x += button.width + GAP
    return tuple(placed)


def _mirror(placed: tuple[PlacedButton, ...], width: float) -> tuple[PlacedButton, ...]:
    return tuple(PlacedButton(p.button, width - p.x - p.button.width, p.y) for p in placed)


def touched(buttons: tuple[PlacedButton, ...], x: float, y: float) -> Action | None:
    """Return what was touched at x, y in units; half the gap around a button belongs to it."""
    for placed in buttons:
        inside_x = -GAP / 2 <= x - placed.x <= placed.button.width + GAP / 2
        if inside_x and -GAP / 2 <= y - placed.y <= placed.button.height + GAP / 2:
            return placed.button.action
    return None
