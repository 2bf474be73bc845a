"""Look at a recorded rider with all three models; or compare two machines' looks.

    look.py OUT.json            looks, and writes the points
    look.py A.json B.json       tells how far they are apart; 1 when too far

config/setup/arm-check runs it here and on an emulated Pi.
"""

import json
import platform
import sys
from itertools import islice
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]
FRAMES = 3
FAR_PX = 0.5
"""Of 640; the floating point units differ, the crops may differ by a rounding."""


def look(out: Path) -> int:
    """Write every model's points of the first frames."""
    from firmware_app.vision.models import LANDMARKS  # noqa: PLC0415 - comparing needs none of it
    from firmware_app.vision.offline import frames  # noqa: PLC0415 - as above
    from firmware_app.vision.tracker import load_tracker  # noqa: PLC0415 - as above
    from firmware_app.vision.video import Video  # noqa: PLC0415 - as above

    found = {}
    for model in LANDMARKS:
        tracker = load_tracker(ROOT / ".cache" / "models", model)
        film = frames(Video(ROOT / "tests" / "recordings" / "rider_front.mp4"))
        poses = [tracker.see(frame.bgr, frame.t_s) for frame in islice(film, FRAMES)]
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
    worst_px = 0.0
    for model, poses in first.items():
        off = np.abs(np.array(poses) - np.array(second[model]))
        off_px = float(off[..., :2].max())
        worst_px = max(worst_px, off_px)
        sys.stdout.write(
            f"{model}: at most {off_px:.4f} px, visibility {off[..., 3].max():.5f},"
            f" {off[..., 5:].max() * 1000:.3f} mm apart\n"
        )
    return int(worst_px > FAR_PX)


if __name__ == "__main__":
    paths = [Path(argument) for argument in sys.argv[1:]]
    sys.exit(look(*paths) if len(paths) == 1 else compare(*paths))
