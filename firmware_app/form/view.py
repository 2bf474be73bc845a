"""Where the camera stands, found from the rider: from the front, obliquely or from the side.

Somebody who leans to the bar has the shoulders ahead of the hips. From the front that does not show
in the picture's width, from the side it is half a trunk and more; obliquely it is between, with
both shoulders still apart. On 39 rendered riders the shares lie far from each other: shoulders
ahead of the hips by at most .10 of the trunk from the front, .29 to .37 obliquely, .49 and more
from the side, where the shoulders are at most .21 apart. Four riders filmed from the side lie there
too (.57 to .77), but who sits upright leans less: shoulders that hide each other are seen from the
side however little they are ahead, and that they are ahead at all tells a rider from a passer.
"""

import math
from collections import Counter, deque

from firmware_app.wire import PoseFrame, View

LEFT_SHOULDER, LEFT_HIP = 11, 23
AHEAD_FRONT, AHEAD = 0.15, 0.22
"""Of the trunk: at most from the front, at least else. Between them a moment tells nothing."""
APART_SIDE, APART = 0.35, 0.5
"""Distance of the shoulders across the picture, in trunks: at most from the side, at least else.
The left one is on the right, or the camera sees the rider's back, and that is none of the views."""
LOOKS_BACK_S = 10.0
SURE_S = 4.0
SURE = 0.8
"""Share of the moments that must agree."""


class ViewFinder:
    """Remembers some seconds of the rider."""

    def __init__(self) -> None:
        self._votes: deque[tuple[float, View]] = deque()

    def see(self, pose: PoseFrame) -> None:
        """Take in one pose; one that tells nothing is left out."""
        view = _view(pose)
        if view is not None:
            self._votes.append((pose.t_s, view))
        while self._votes and self._votes[0][0] < pose.t_s - LOOKS_BACK_S:
            self._votes.popleft()

    @property
    def found(self) -> View | None:
        """Return where the camera stands; None while that is not sure."""
        if not self._votes or self._votes[-1][0] - self._votes[0][0] < SURE_S:
            return None
        view, most = Counter(view for _, view in self._votes).most_common(1)[0]
        return view if most >= SURE * len(self._votes) else None


def _view(pose: PoseFrame) -> View | None:
    if not pose.landmarks or pose.too_dark or pose.jumped:
        return None
    left, right = pose.landmarks[LEFT_SHOULDER : LEFT_SHOULDER + 2]
    hips = pose.landmarks[LEFT_HIP : LEFT_HIP + 2]
    ahead_px = (left.x_px + right.x_px) / 2 - (hips[0].x_px + hips[1].x_px) / 2
    down_px = (hips[0].y_px + hips[1].y_px) / 2 - (left.y_px + right.y_px) / 2
    trunk_px = math.hypot(ahead_px, down_px)
    if trunk_px <= 0:
        return None
    ahead, apart = abs(ahead_px) / trunk_px, (left.x_px - right.x_px) / trunk_px
    if abs(apart) <= APART_SIDE:
        return "side" if ahead >= AHEAD else None
    if apart < APART:
        return None
    if ahead <= AHEAD_FRONT:
        return "front"
    return "oblique" if ahead >= AHEAD else None
