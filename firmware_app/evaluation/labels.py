"""Labelled riders as they lie in a folder: NAME.json.gz, with NAME.mp4 or NAME.npz beside it."""

import gzip
import json
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from firmware_app.errors import BadInput
from firmware_app.wire import Landmark, PoseFrame, View

DARK_LUMA = 40.0
"""A recording has no picture to take the noise from; below this mean grey it counts as dark."""
NUISANCE = "nuisance_"
WHOLE = frozenset({"saddle_low", "saddle_high", "asym_pedal"})
"""Faults of the bike or the rider that last the whole clip."""


class Event(Struct, frozen=True):
    """Something that happens in a clip: a fault, or a nuisance that is none."""

    fault: str
    t0: float
    t1: float
    ramp_s: float = 0.0
    side: str | None = None
    peak: float | None = None
    """How far it goes, in the units of evaluation/fit.py."""
    unoccluded: float | None = None
    weak: bool | None = None

    @property
    def counts(self) -> bool:
        """A fault that the camera could see; others are neither hits nor misses."""
        seen = self.unoccluded is None or self.unoccluded >= 0.5
        return seen and not self.weak and not self.fault.startswith(NUISANCE)


class Frames(Struct, frozen=True):
    """The truth of each frame, as far as it is scored."""

    t: list[float]
    crank_deg: list[float | None]
    cadence_rpm: list[float | None]
    present: list[int]
    on_bike: list[int]
    kp2d_px: list[list[tuple[float | None, float | None]]] = []
    in_frame: list[list[bool | int]] = []
    occluded: list[list[bool | int]] = []
    param: dict[str, list[float | None]] = {}
    """What the rider was made to do, in degrees: shrug, head, round."""
    angles: dict[str, list[float | None]] = {}
    """What came of it: trunk_lean."""


class Label(Struct, frozen=True):
    """The truth of one clip."""

    name: str
    view: View
    fps: float
    duration_s: float
    size: tuple[int, int]
    events: list[Event]
    per_frame: Frames
    crank_pulses_s: list[float] = []
    good_form: bool = False
    camera_side: str | None = None


class Clip(NamedTuple):
    """One labelled rider."""

    label: Label
    video: Path
    recording: Path


def read_label(path: Path) -> Label:
    """Read NAME.json.gz; raise BadInput when it is not a label."""
    try:
        with gzip.open(path) as file:
            label = msgspec.convert(json.load(file), Label)
    except (OSError, EOFError, ValueError, msgspec.ValidationError) as wrong:
        raise BadInput(f"{path}: not a label ({wrong}); see tests/recordings for one") from wrong
    if label.crank_pulses_s:
        return label
    return msgspec.structs.replace(label, crank_pulses_s=_pulses(label.per_frame))


def clips(folder: Path) -> list[Clip]:
    """Return the labelled riders of a folder by name; raise BadInput when there are none."""
    found = []
    for path in sorted(folder.glob("*.json.gz")):
        stem = path.name.removesuffix(".json.gz")
        clip = Clip(read_label(path), folder / f"{stem}.mp4", folder / f"{stem}.npz")
        if clip.video.is_file() or clip.recording.is_file():
            found.append(clip)
    if not found:
        raise BadInput(
            f"{folder}: no labelled rider there; expected NAME.json.gz with NAME.mp4 or NAME.npz"
        )
    return found


def recorded(path: Path, label: Label) -> Iterator[PoseFrame]:
    """Yield a recording's frames; raise BadInput when it is not a recording.

    The file holds t [T] s, det [T], p2 [T, 33, 2] px, vis [T, 33] and luma [T].
    """
    try:
        with np.load(path) as file:
            kept = {name: np.asarray(file[name]) for name in ("t", "det", "p2", "vis", "luma")}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as wrong:
        raise BadInput(f"{path}: not a recording ({wrong})") from wrong
    width, height = label.size
    for number, t_s in enumerate(kept["t"].tolist()):
        seen = bool(kept["det"][number])
        yield PoseFrame(
            t_s=round(t_s, 4),
            frame=number,
            width_px=width,
            height_px=height,
            landmarks=_landmarks(kept["p2"][number], kept["vis"][number]) if seen else (),
            too_dark=bool(kept["luma"][number] < DARK_LUMA),
        )


def _landmarks(points: NDArray[Any], visible: NDArray[Any]) -> tuple[Landmark, ...]:
    rows = zip(points.tolist(), visible.tolist(), strict=True)
    return tuple(Landmark(x, y, 0.0, seen, 1.0) for (x, y), seen in rows)


def _pulses(frames: Frames) -> list[float]:
    """Return when a one-magnet sensor would have closed, for clips that do not tell."""
    pulses = []
    steps = pairwise(zip(frames.t, frames.crank_deg, strict=True))
    for (before_s, before), (after_s, after) in steps:
        if before is not None and after is not None and after < before:
            share = (360 - before) / (360 - before + after)
            pulses.append(round(before_s + share * (after_s - before_s), 4))
    return pulses
