"""What a ride hears: everything that can change it comes in as one of these, and nothing else does.

They are written to the journal as they come, so that a recording replays exactly. What a ride is
shown by the camera comes as FormMetrics, already measured: no landmark is kept.
"""

from typing import Literal

from firmware_app.form.metrics import FormMetrics
from firmware_app.settings import Coaching
from firmware_app.settings import Ride as RideRules
from firmware_app.wire import Command, CueOutcome, Message, Profile, RideId, Touch, View


class RideSetup(Message, frozen=True, kw_only=True):
    """All that a ride is made of; the first line of its journal. t_s is the first turn's begin."""

    ride: RideId
    box: str
    boot_id: str
    wall_utc: str
    view: View
    coaching: Coaching
    rules: RideRules
    pulses_s: tuple[float, ...] = ()
    """The pulses that started it, the first at t_s."""
    pulses_per_turn: int = 1
    wall_synced: bool = False
    rider: str = ""
    name_on_board: bool = False
    """The rider agreed that the instructor's board shows the name."""
    rider_pseudonym: str = ""
    class_id: str = "free"
    software: str = ""
    profile: Profile = Profile()
    rides: int = 0
    """How many the rider has had before."""
    known: tuple[dict[str, float], ...] = ()
    """Baselines of earlier rides on this bike, oldest first."""
    remember: bool = False
    """The rider agreed that this ride's baseline is kept as well ..."""
    remembered_at: str = ""
    """... and what the file is called; it tells nothing of who it is."""
    pose_hz: float = 0.0
    """How often a remote coach is told how the rider sits; 0: never."""


class Pulse(Message, frozen=True, kw_only=True):
    """The crank sensor closed."""


class Tick(Message, frozen=True, kw_only=True):
    """Time passed; five times a second, so that silence is noticed too."""


class CameraGone(Message, frozen=True, kw_only=True):
    """Nothing is seen any more; the next FormMetrics says that it is back."""

    why: str


class Finish(Message, frozen=True, kw_only=True):
    """The class is over, or the box is being switched off."""

    why: Literal["class over", "power off", "taken over"]


Heard = FormMetrics | Pulse | Tick | CameraGone | Finish | Touch | CueOutcome | Command
