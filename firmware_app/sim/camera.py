"""A video file that plays once in real time as if it were the camera."""

from pathlib import Path
from time import perf_counter

from firmware_app.clock import Clock
from firmware_app.hardware import Frame
from firmware_app.vision.video import Video


class SimCamera:
    """Gives the picture that is due, never an older one; those overtaken are not even drawn."""

    def __init__(self, path: Path, start_at_s: float, clock: Clock) -> None:
        """Play from start_at_s on, or from where the file is by now; raise BadInput as Video."""
        self._video = Video(path)
        self._start_at_s = start_at_s
        self._clock = clock
        late_s = clock.monotonic() - start_at_s
        if late_s > 1 / self._video.fps:
            self._video.leap(late_s)

    def newest(self) -> Frame | None:
        """Wait for the next picture that is due; None when the recording is over."""
        while self._video.advance():
            started_s = perf_counter()
            t_s = self._start_at_s + self._video.t_s
            early_s = t_s - self._clock.monotonic()
            if early_s > 0:
                self._clock.block(early_s)
                started_s = perf_counter()
            elif -early_s > 1 / self._video.fps:
                continue  # the next one is due already
            picture = self._video.picture()
            return Frame(picture, t_s, self._video.number, perf_counter() - started_s)
        return None

    def close(self) -> None:
        """Let go of the file."""
        self._video.close()
