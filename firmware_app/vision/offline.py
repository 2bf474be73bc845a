"""What the box would have seen in a video file: every frame of it, as fast as it goes."""

from collections.abc import Callable, Iterator
from contextlib import closing
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


def poses(
    path: Path, tracker: Tracker, show: Callable[[Frame, PoseFrame], None] | None = None
) -> Iterator[PoseFrame]:
    """Yield a pose for every frame, t_s from the file's start; raise BadInput as Video does.

    The tracker forgets whom it followed before. show is given each picture and its pose.
    """
    tracker.reset()
    eye = Eye(tracker)
    with closing(Video(path)) as video:
        for frame in frames(video):
            pose = eye.look(frame)
            if show:
                show(frame, pose)
            yield pose
