"""A technician's code held to the camera: read where the picture is, told as its few words.

Only when somebody on this box has asked, only for a while, and only words that begin as those of a
Wi-Fi or a claim: a code on a rider's shirt, or anything else in a picture, is nobody's business.
"""

import cv2

from firmware_app.vision.region import Picture
from firmware_app.wire import CODE_BEGINS, LONGEST_CODE

EVERY_S = 0.4
"""Looking takes as long as a pose or two; a code is held there for seconds."""


class Codes:
    """Looks for a code while it is asked to."""

    def __init__(self) -> None:
        self._detector = cv2.QRCodeDetector()
        self._until_s = self._next_s = float("-inf")

    def ask(self, until_s: float) -> None:
        """Look until then, or until one is found."""
        self._until_s = until_s

    def look(self, picture: Picture, t_s: float) -> str:
        """Return the words of a technician's code in the picture; empty: there is none."""
        if t_s >= self._until_s or t_s < self._next_s:
            return ""
        self._next_s = t_s + EVERY_S
        try:
            words = self._detector.detectAndDecode(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))[0]
        except (cv2.error, UnicodeDecodeError):  # half a code in the picture
            return ""
        if not words.startswith(CODE_BEGINS) or len(words) > LONGEST_CODE:
            return ""
        self._until_s = float("-inf")
        return words
