"""Look at a recorded rider with all three models; or compare two machines' looks.

    look.py film PICTURES.npy               keeps the first pictures of a recorded rider
    look.py look PICTURES.npy POINTS.json   looks at them, and writes the points
    look.py compare A.json B.json           tells how far two looks are apart; 1 when too far

config/setup/arm-check runs it here and on an emulated Pi. Both see the same pictures: decoders of
video differ by two levels of colour between processors, and unseen points follow by pixels.
"""

import json
import platform
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from firmware_app.vision.models import LANDMARKS
from firmware_app.vision.offline import frames
from firmware_app.vision.tracker import load_tracker
from firmware_app.vision.video import Video

ROOT = Path(__file__).parents[2]
FRAMES = 3
SEEN = 0.5
"""Least visibility of a point that is compared: one that the picture does not show is made up."""
FAR_PX = 0.5
"""Of 640, for 95 of 100 points that are seen. Sums are rounded in another order, and a point on the
border of two cells of the heatmap may fall into the other one."""


def film(pictures: Path) -> int:
    """Keep the first pictures of a recorded rider."""
    rider = Video(ROOT / "tests" / "recordings" / "rider_front.mp4")
    np.save(pictures, np.array([frame.bgr.copy() for frame in islice(frames(rider), FRAMES)]))
    return 0


def look(pictures: Path, out: Path) -> int:
    """Write every model's points in the pictures."""
    found = {}
    for model in LANDMARKS:
        tracker = load_tracker(ROOT / ".cache" / "models", model)
        poses = [tracker.see(picture, n / 15) for n, picture in enumerate(np.load(pictures))]
        found[model] = [pose.points.tolist() if pose else None for pose in poses]
        sys.stdout.write(
            f"{platform.machine()}: {tracker.landmarker.network.runtime} {model},"
            f" {sum(pose is not None for pose in poses)} poses in {FRAMES} frames\n"
        )
        sys.stdout.flush()
    out.write_text(json.dumps(found))
    return 0


def compare(a: Path, b: Path) -> int:
    """Tell how far two machines' points are apart."""
    first, second = json.loads(a.read_text()), json.loads(b.read_text())
    far = False
    for model, poses in first.items():
        points = np.array(poses)
        off = np.abs(points - np.array(second[model]))
        seen = points[..., 3] > SEEN
        usual_px, most_px, all_px = np.percentile(off[seen, :2].max(axis=-1), (50, 95, 100))
        far |= bool(most_px > FAR_PX)
        sys.stdout.write(
            f"{model}: {usual_px:.3f} px apart, 95 of 100 within {most_px:.2f}, all {all_px:.2f};"
            f" visibility {off[..., 3].max():.5f}, {np.median(off[..., 5:]) * 1000:.3f} mm\n"
        )
    return int(far)


if __name__ == "__main__":
    todo = {"film": film, "look": look, "compare": compare}[sys.argv[1]]
    sys.exit(todo(*map(Path, sys.argv[2:])))
