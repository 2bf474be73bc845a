"""What the box would have seen in a video file: every frame of it, as fast as it goes."""

from collections.abc import Iterator
from pathlib import Path

from firmware_app.hardware import Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.tracker import Tracker
from firmware_app.vision.video import Video
from firmware_app.wire import PoseFrame


def frames(video: Video) -> Iterator[Frame]:
    """Yield every picture from where the video stands; each is valid until the next."""
    while video.advance():
        yield Frame(video.picture(), video.t_s, video.number)


def poses(path: Path, tracker: Tracker) -> Iterator[PoseFrame]:
    """Yield a pose for every frame, t_s from the file's start; raise BadInput as Video does.

    The tracker forgets whom it followed before.
    """
    tracker.reset()
    eye = Eye(tracker)
    video = Video(path)
    try:
        for frame in frames(video):
            yield eye.look(frame)
    finally:
        video.close()
