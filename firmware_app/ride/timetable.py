"""When the class on this bike begins and ends: as the studio said, else as the settings say.

Pure: who asks brings both clocks. The studio tells seconds from now, which needs no clock of ours
to be right; times in the settings need one that the network has set.
"""

from datetime import datetime, time, timedelta

from msgspec import structs

from firmware_app.settings import Player
from firmware_app.wire import Command, Hud

COUNT_FROM_S = 3600.0
"""A class further away than this is not counted down."""
OPEN_END_S = 3 * 3600.0
"""A class whose end nobody told is over by then."""


class Timetable:
    """The next class, or the one that runs."""

    def __init__(self, settings: Player) -> None:
        self._settings = settings
        self._told: Command | None = None

    def hear(self, command: Command) -> None:
        """Take in that the studio starts a class."""
        begins_s = max(command.starts_s, command.t_s)
        self._told = structs.replace(command, starts_s=begins_s)

    def running(self, now_s: float) -> Command | None:
        """Return the studio's word on the class that is on, or comes; None when it has said none.

        A class counts until its end.
        """
        told = self._told
        if told is not None and now_s > told.starts_s + (told.lasts_s or OPEN_END_S):
            self._told = told = None
        return told

    def show(self, hud: Hud, now_s: float, local: datetime | None) -> Hud:
        """Return the HUD with the class's name and times; local is None while no clock is right."""
        told = self.running(now_s)
        if told is not None:
            ends_s = told.starts_s + told.lasts_s if told.lasts_s else None
            band = hud.target_rpm if hud.phase != "waiting" else told.target_rpm or hud.target_rpm
            return structs.replace(
                hud,
                class_title=told.text,
                starts_s=told.starts_s if told.starts_s > now_s else None,
                ends_s=ends_s,
                target_rpm=band,
            )
        begins_s = None if local is None else self._next_s(local)
        if begins_s is None:
            return hud
        lasts_s = self._settings.class_minutes * 60
        return structs.replace(
            hud,
            starts_s=now_s + begins_s if begins_s > 0 else None,
            ends_s=now_s + begins_s + lasts_s,
        )

    def _next_s(self, local: datetime) -> float | None:
        """Return seconds to the class that runs (below 0) or comes within the hour."""
        lasts_s = self._settings.class_minutes * 60
        found = []
        for text in self._settings.class_times:
            today = datetime.combine(local.date(), time.fromisoformat(text), local.tzinfo)
            for begins in (today, today + timedelta(days=1)):
                to_s = (begins - local).total_seconds()
                if -lasts_s < to_s <= COUNT_FROM_S:
                    found.append(to_s)
        return min(found, key=lambda to_s: (to_s > 0, to_s), default=None)
