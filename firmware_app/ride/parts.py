"""What the bike's parts are doing, in a few words for the screen and the console."""

from typing import Literal

from msgspec import structs

from firmware_app.wire import Hud, PlayerState, PoseFrame, SyncState

OFF = "camera is off"
"""What vision says when the rider has turned the camera off."""
SILENT_S = 3.0
"""A service that has said nothing for this long is not there."""


class Parts:
    """Remembers the newest word of each part."""

    def __init__(self) -> None:
        self._pose: PoseFrame | None = None
        self._camera_why = "starting"
        """Empty while the camera gives pictures."""
        self._player: PlayerState | None = None
        self._sync: SyncState | None = None
        self.journal = ""
        """What is wrong with the journal; empty when nothing is."""
        self.gateway = False
        self.view = ""
        """How the camera stands otherwise than it was set up; empty: as it was."""

    def pose(self, pose: PoseFrame) -> None:
        """Take in a pose: the camera is there."""
        self._pose = pose
        self._camera_why = ""

    def camera_gone(self, why: str) -> bool:
        """Take in that nothing is seen any more; tell whether that is news."""
        news = not self._camera_why
        self._camera_why = why
        return news

    def hear(self, message: PlayerState | SyncState) -> None:
        """Take in how the player or the sync is doing."""
        if isinstance(message, PlayerState):
            self._player = message
        else:
            self._sync = message

    def show(self, hud: Hud, now_s: float) -> Hud:
        """Return the ride's HUD with the state of its parts."""
        camera: Literal["ok", "lost", "dark", "nobody", "off"] = "ok"
        why = hud.unseen_why
        if self._camera_why:
            camera = "off" if self._camera_why == OFF else "lost"
            why = self._camera_why
        elif self._pose is not None:
            camera = "dark" if self._pose.too_dark else "ok" if self._pose.landmarks else "nobody"
        sync = self._sync
        gone = sync is None or now_s - sync.t_s > SILENT_S
        return structs.replace(
            hud, camera=camera, unseen_why=why, sync="lost" if gone or sync is None else sync.sync
        )

    def idle(self, hud: Hud, now_s: float) -> Hud:
        """Return the waiting room's HUD: it tells of the parts, for no ride does."""
        parts = self.words(hud, now_s)
        shown = self.show(hud, now_s)
        if shown.camera in ("nobody", "dark"):  # an empty bike in an empty gym
            parts["camera"] = self.view or "ok"
        update = self._sync.update if self._sync is not None else ""
        return structs.replace(shown, parts=parts, update=update)

    def words(self, hud: Hud, now_s: float) -> dict[str, str]:
        """Return each part with "ok" or what is wrong with it."""
        shown = self.show(hud, now_s)
        player = self._player
        if player is None or now_s - player.t_s > SILENT_S:
            played, speaker = "player is not there", "player is not there"
        else:
            fine = player.class_state in ("playing", "off")
            played = "ok" if fine else f"{player.class_state}: {player.why}"
            speaker = player.speaker
        return {
            "camera": self.view or "ok"
            if shown.camera in ("ok", "off")
            else f"{shown.camera}: {shown.unseen_why}",
            "crank": shown.crank,
            "class": played,
            "speaker": speaker,
            "journal": self.journal or "ok",
            "gateway": "ok" if self.gateway else "not there",
        }
