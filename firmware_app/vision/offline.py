"""What the box would have seen in a video file: every frame of it, as fast as it goes."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from firmware_app.hardware import Frame
from firmware_app.vision.eye import Eye
from firmware_app.vision.tracker import Tracker
from firmware_app.vision.video import Video
from firmware_app.wire import PoseFrame


def frames(video: Video, fps: float | None = None) -> Iterator[Frame]:
    """Yield every picture from where the video stands; each is valid until the next.

    With fps they are so far apart, whatever the file says of their times.
    """
    while video.advance():
        t_s = video.number / fps if fps else video.t_s
        yield Frame(video.picture(), t_s, video.number)


def poses(
    path: Path,
    tracker: Tracker,
    show: Callable[[Frame, PoseFrame], None] | None = None,
    fps: float | None = None,
) -> Iterator[PoseFrame]:
    """Yield a pose for every frame, t_s from the file's start; raise BadInput as Video does.

    With fps the file's own times do not count. The tracker forgets whom it followed before. show is
    given each picture and its pose.
    """
    tracker.reset()
    eye = Eye(tracker)
    with closing(Video(path)) as video:
        for frame in frames(video, fps):
            pose = eye.look(frame)
            if show:
                show(frame, pose)
            yield pose
