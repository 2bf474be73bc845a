"""What the player knows at a moment: the ride, the newest cue, the class, the speaker.

Fed with messages and times, asked for a view; knows nothing of pixels or sockets.
"""

from dataclasses import dataclass, replace
from math import ceil

from firmware_app.player.buttons import SHOWN_S
from firmware_app.wire import Aim, Debrief, Hud, Say

FADE_IN_S = 0.25
FADE_OUT_S = 0.6
STARTING_S = 20.0
"""A box that boots has its ride service by then; later it is away, not starting."""
MESSAGE_S = 15.0
"""What a gym writes stays so long: two hundred letters are read in that time while pedalling."""
STALE_S = 3.0
"""The ride tells its state five times a second; silence this long is its absence."""
VOLUME_SHOWN_S = 2.5
AIM_STALE_S = 1.5
"""The ride tells what it sees five times a second while the camera is aimed."""


@dataclass(frozen=True)
class View:
    """Everything the screen shows, as a value."""

    hud: Hud | None = None
    """None: the ride service is not there."""
    banner: Say | None = None
    banner_share: float = 0.0
    """Opacity of the banner, 0..1."""
    debrief: Debrief | None = None
    aim: Aim | None = None
    """What the camera sees, while it is aimed."""
    to_start_s: int | None = None
    """Whole seconds until the class begins, where somebody has said when."""
    left_s: int | None = None
    """Whole seconds until it ends."""
    class_state: str = "off"
    class_why: str = ""
    speaker_lost: bool = False
    alone: bool = False
    """No ride service is expected: only the class is played."""
    starting: bool = True
    """The ride service may still come up; False: it has been away too long for that."""
    buttons: bool = False
    touched: bool = False
    """By hand, a moment ago: the class's name is shown over its picture."""
    volume: int | None = None
    """Per cent, for a moment after it was changed."""

    @property
    def trouble(self) -> str:
        """The one thing a technician would name first, or ""."""
        if self.class_state in ("reconnecting", "refused"):
            return self.class_state
        if self.hud is None:
            return "" if self.starting or self.alone else "no-coach"
        if self.speaker_lost:
            return "no-speaker"
        if self.hud.phase == "waiting":
            return ""  # parts may still be starting; the room's own words tell
        if self.hud.camera in ("lost", "dark"):
            return f"camera-{self.hud.camera}"
        return "no-crank" if self.hud.crank == "lost" else ""


class Stage:
    """Collects what happens; view() tells what is to be seen."""

    def __init__(self, now_s: float, banner_s: float, *, alone: bool = False) -> None:
        """Begin with nothing known; banner_s is how long a cue stays on the screen."""
        self._banner_s = self._stays_s = banner_s
        self._ride_since_s = now_s
        self._heard_s = -STALE_S
        self._said_s = self._touched_s = self._volume_s = self._aimed_s = -1e9
        self._now = View(alone=alone)

    def show(self, hud: Hud, now_s: float) -> None:
        """Take the ride's state."""
        before = self._now.hud
        new_ride = before is not None and before.phase == "ended" and hud.phase != "ended"
        debrief = None if new_ride else self._now.debrief
        self._heard_s = now_s
        self._now = replace(self._now, hud=hud, debrief=debrief)

    def say(self, say: Say, now_s: float) -> None:
        """Take a cue, or what the gym writes; it is on the screen from now on."""
        self._said_s = now_s
        self._stays_s = MESSAGE_S if say.kind == "message" else self._banner_s
        self._now = replace(self._now, banner=say)

    def aim(self, aim: Aim, now_s: float) -> None:
        """Take what the camera sees while it is aimed."""
        self._aimed_s = now_s
        self._now = replace(self._now, aim=aim)

    def end(self, debrief: Debrief) -> None:
        """Take the ride's summary."""
        self._now = replace(self._now, debrief=debrief)

    def hear_class(self, state: str, why: str) -> None:
        """Take the class's state."""
        if (state, why) != (self._now.class_state, self._now.class_why):
            self._now = replace(self._now, class_state=state, class_why=why)

    def hear_speaker(self, *, lost: bool) -> None:
        """Take the speaker's state."""
        if lost != self._now.speaker_lost:
            self._now = replace(self._now, speaker_lost=lost)

    def touch(self, now_s: float) -> None:
        """Show the buttons for a while."""
        self._touched_s = now_s

    def volume(self, volume: float, now_s: float) -> None:
        """Show the volume, 0..1, for a moment."""
        self._volume_s = now_s
        self._now = replace(self._now, volume=round(volume * 100))

    def view(self, now_s: float) -> View:
        """Return what is to be seen now."""
        now = self._now
        if now.hud is not None:
            if now_s - self._heard_s > STALE_S:
                self._now = now = replace(now, hud=None)
                self._ride_since_s = self._heard_s
            else:
                self._ride_since_s = now_s
        if now.aim is not None and now_s - self._aimed_s > AIM_STALE_S:
            self._now = now = replace(now, aim=None)
        age_s = now_s - self._said_s
        share = min(age_s / FADE_IN_S, (self._stays_s - age_s) / FADE_OUT_S, 1.0)
        if now.banner is not None and share <= 0 < age_s:
            self._now = now = replace(now, banner=None)
        hud = now.hud
        return replace(
            now,
            to_start_s=_until(hud.starts_s, now_s) if hud is not None else None,
            left_s=_until(hud.ends_s, now_s) if hud is not None else None,
            banner_share=round(max(0.0, share), 2) if now.banner is not None else 0.0,
            starting=now_s - self._ride_since_s < STARTING_S,
            touched=now_s - self._touched_s < SHOWN_S,
            buttons=now_s - self._touched_s < SHOWN_S,
            volume=now.volume if now_s - self._volume_s < VOLUME_SHOWN_S else None,
        )


def _until(moment_s: float | None, now_s: float) -> int | None:
    """Return whole seconds until a moment; None when it is past, or nobody has said."""
    return None if moment_s is None or moment_s <= now_s else ceil(moment_s - now_s)
