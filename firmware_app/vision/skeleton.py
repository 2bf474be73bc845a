"""Draws a pose over a picture, and why it is not judged by, for people."""

import cv2

from firmware_app.vision.region import Picture
from firmware_app.wire import PoseFrame

BONES = (
    *((11, 12), (11, 23), (12, 24), (23, 24)),
    *((11, 13), (13, 15), (12, 14), (14, 16)),
    *((23, 25), (25, 27), (27, 31), (24, 26), (26, 28), (28, 32)),
    *((7, 8), (0, 7), (0, 8)),
)
"""Pairs of BlazePose's points: trunk, arms, legs, head."""
SEEN, GUESSED = (90, 220, 60), (90, 90, 200)
"""Blue green red."""
LEAST_FOR_WORDS_PX = 160
"""A smaller picture has no room for them."""


def draw(pose: PoseFrame, picture: Picture) -> None:
    """Draw the pose's bones into the picture it was found in, guessed ones red."""
    width_px = picture.shape[1]
    for start, end in BONES if pose.landmarks else ():
        a, b = pose.landmarks[start], pose.landmarks[end]
        colour = SEEN if min(a.visibility, b.visibility) > 0.5 else GUESSED
        ends = (round(a.x_px), round(a.y_px)), (round(b.x_px), round(b.y_px))
        cv2.line(picture, *ends, colour, max(2, width_px // 320), cv2.LINE_AA)
    if (words := _blind(pose)) and width_px >= LEAST_FOR_WORDS_PX:
        size = width_px / 900
        place = round(20 * size), round(40 * size)
        for grey, thick in ((0, 5), (255, 2)):
            cv2.putText(
                picture,
                words,
                place,
                cv2.FONT_HERSHEY_SIMPLEX,
                size,
                (grey, grey, grey),
                max(1, round(thick * size)),
                cv2.LINE_AA,
            )


def _blind(pose: PoseFrame) -> str:
    """Return why the coach would not judge by this pose; empty when it would."""
    if pose.too_dark:
        return "too dark"
    if not pose.landmarks:
        return "nobody"
    return "not the rider" if pose.jumped else pose.framing
