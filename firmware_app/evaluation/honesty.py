"""Is unseen said where nothing can be seen, and only there: states against the truth's joints.

A rule's joints are visible when, over the last two seconds, at least half of them were in the
picture and not hidden; a whole saddle height needs the leg, a posture from the side the near half.
"""

import numpy as np
from msgspec import Struct

from firmware_app.evaluation.drive import Moment
from firmware_app.evaluation.labels import Label

JOINTS: dict[str, tuple[int, ...]] = {
    "shrug": (7, 8, 11, 12),
    "head_drop": (0, 7, 8, 11, 12),
    "head_tilt": (7, 8),
    "shoulder_tilt": (11, 12),
    "elbows_flared": (11, 12, 13, 14),
    "elbows_locked": (11, 12, 13, 14, 15, 16),
    "rounded_back": (11, 12, 23, 24),
    "lean_low": (0, 11, 12),
    "knees_in": (25, 26),
    "knees_out": (25, 26),
    "sway": (11, 12),
    "bounce": (11, 12),
    "hip_rock": (23, 24),
    "standing": (11, 12, 23, 24),
    "saddle_low": (23, 24, 25, 26, 27, 28),
    "saddle_high": (23, 24, 25, 26, 27, 28),
}
WINDOW_S = 2.0
VISIBLE = 0.5


class Honesty(Struct):
    """Moments of one rule, by what was visible and what was said."""

    hidden: int = 0
    hidden_unseen: int = 0
    hidden_ok: int = 0
    visible: int = 0
    visible_unseen: int = 0

    def add(self, other: "Honesty") -> None:
        """Take in another rider."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def figures(self) -> dict[str, float | int | None]:
        """Return shares; None where there was nothing of the kind."""
        return {
            "hidden_moments": self.hidden,
            "hidden_called_unseen": self.hidden_unseen / self.hidden if self.hidden else None,
            "hidden_called_ok": self.hidden_ok,
            "visible_called_unseen": self.visible_unseen / self.visible if self.visible else None,
        }


def honesty(label: Label, moments: list[Moment]) -> dict[str, Honesty]:
    """Return each rule's count; empty when the label does not tell what is visible."""
    if not label.per_frame.in_frame:
        return {}
    shown = np.array(label.per_frame.in_frame, bool) & ~np.array(label.per_frame.occluded, bool)
    t_s = np.array(label.per_frame.t)
    found = {}
    for rule, joints in JOINTS.items():
        share = shown[:, _near(label, joints)].mean(axis=1)
        count = found[rule] = Honesty()
        for moment in moments:
            now_s, state = moment.form.t_s, moment.form.states[rule]
            lately = share[(t_s > now_s - WINDOW_S) & (t_s <= now_s + 0.01)]
            if len(lately) and lately.mean() >= VISIBLE:
                count.visible += 1
                count.visible_unseen += state == "unseen"
            else:
                count.hidden += 1
                count.hidden_unseen += state == "unseen"
                count.hidden_ok += state == "ok"
    return found


def _near(label: Label, joints: tuple[int, ...]) -> list[int]:
    """Return the joints of the near half from the side: BlazePose's left are odd."""
    if label.view != "side":
        return list(joints)
    near = 1 if label.camera_side == "left" else 0
    return [joint for joint in joints if joint == 0 or joint % 2 == near]
