"""The class's pictures between the decoder and the screen: the one to show now, and few behind it.

A picture is shown when its sound is heard: both carry the sender's time. Where the sender does
not tell it, or nobody listens, the newest picture is shown.
"""

import threading
from collections import deque

import av

from firmware_app.player.stream_clock import OTHER_CLOCK_S

MOST_HELD = 40
"""Two thirds of a second of 60 pictures: more than the sound is ever held back."""
EARLY_S = 0.03
"""Half a picture's time, and what it takes to draw one."""


class ClassPictures:
    """A few decoded pictures, written by the decoder, read by the screen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: deque[tuple[av.VideoFrame, float | None]] = deque(maxlen=MOST_HELD)
        self._shown: av.VideoFrame | None = None
        self.shown_s: float | None = None
        """The sender's time of the picture shown last."""

    def push(self, frame: av.VideoFrame, sent_s: float | None) -> None:
        """Add a decoded picture; sent_s is the sender's time of it."""
        if frame.format.name not in ("yuv420p", "yuvj420p"):
            frame = frame.reformat(format="yuv420p")
        with self._lock:
            self._held.append((frame, sent_s))

    def due(self, heard_s: float | None) -> av.VideoFrame | None:
        """Return the picture to show while the sound of heard_s is heard; None: the newest.

        The same object as before when there is no other; None before the first.
        """
        with self._lock:
            while self._held:
                frame, sent_s = self._held[0]
                last = len(self._held) == 1
                if _waits(sent_s, heard_s) and len(self._held) < MOST_HELD:
                    break
                self._held.popleft()
                self._shown, self.shown_s = frame, sent_s
                if last:
                    break
            return self._shown

    def clear(self) -> None:
        """Forget what waits, keep what is shown: another session begins."""
        with self._lock:
            self._held.clear()
            self.shown_s = None


def _waits(sent_s: float | None, heard_s: float | None) -> bool:
    """Tell whether a picture is early for the sound."""
    if sent_s is None or heard_s is None:
        return False
    return EARLY_S < sent_s - heard_s < OTHER_CLOCK_S
