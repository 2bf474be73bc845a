"""Reads a video file picture by picture, each with its own time."""

import os
from pathlib import Path
from typing import cast

import cv2

from firmware_app.errors import BadInput
from firmware_app.vision.region import Picture

# a file that cannot be played gets one sentence, ours
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
getattr(cv2.utils, "logging", cv2).setLogLevel(2)  # OpenCV 4.14 moved it


class Video:
    """An open video file; advance() goes to its first picture."""

    def __init__(self, path: Path) -> None:
        """Open the file; raise BadInput when it is missing, broken or empty."""
        if not path.is_file():
            raise BadInput(f"no video at {path}; give the path of a video file")
        size = path.stat().st_size
        if not size:
            raise BadInput(f"{path} is empty (0 bytes); record or copy it again")
        self._file = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        self._first = self._file.isOpened() and self._file.grab()
        if not self._first:
            raise BadInput(
                f"{path} cannot be played: none of its {size} bytes gives a picture;"
                " is it a video (MP4, MKV, WebM), and was it copied whole?"
            )
        told = self._file.get(cv2.CAP_PROP_FPS)
        self.fps = told if 0 < told < 1000 else 30.0  # a file need not say
        self.frames = max(int(self._file.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        """As the file's head says; 0 when it does not."""
        self._drawn: Picture | None = None
        self.number = -1
        """Of the picture we are at, from 0."""
        self.t_s = 0.0
        """Of the picture we are at, from the file's start."""

    def advance(self) -> bool:
        """Go to the next picture; False at the end."""
        if not (self._first or self._file.grab()):
            return False
        self._first = False
        self.number += 1
        self.t_s = self._file.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return True

    def picture(self) -> Picture:
        """Return the picture we are at, height by width by 3; valid until the next call."""
        # OpenCV knows its array's type only when it runs
        self._drawn = cast(Picture, self._file.retrieve(self._drawn)[1])
        return self._drawn

    def leap(self, t_s: float) -> None:
        """Let the next picture be the one at t_s, or the last one before the end."""
        self._first = False
        self._file.set(cv2.CAP_PROP_POS_MSEC, t_s * 1000)
        self.number = int(self._file.get(cv2.CAP_PROP_POS_FRAMES)) - 1

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._file.release()
