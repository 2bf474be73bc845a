"""The class's pictures between the decoder and the screen: the one to show now, and few behind it.

A picture is shown when its sound is heard: both carry the sender's time. Where the sender does
not tell it, or nobody listens, the newest picture is shown.
"""

import threading
from collections import deque

import av

MOST_HELD = 10
"""A third of a second, 14 MB of 720p: more than the sound is ever held back."""
EARLY_S = 1 / 60
"""Half a frame: a picture is shown at the screen refresh nearest to its sound."""


class ClassPictures:
    """A few decoded pictures, written by the decoder, read by the screen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: deque[tuple[av.VideoFrame, float | None]] = deque(maxlen=MOST_HELD)
        self._shown: av.VideoFrame | None = None

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
                waits = heard_s is not None and sent_s is not None and sent_s > heard_s + EARLY_S
                if waits and len(self._held) < MOST_HELD:
                    break
                self._held.popleft()
                self._shown = frame
                if last:
                    break
            return self._shown

    def clear(self) -> None:
        """Forget what waits, keep what is shown: another session begins."""
        with self._lock:
            self._held.clear()
