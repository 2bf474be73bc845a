"""Tells from the player's own recording what a rider saw and heard of the numbered class."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from tests.whep.clip import BEEP_HZ, FPS, PICTURES, SOUND_HZ, flashes, number_of

FROZEN_S = 0.1
"""A picture that stands longer is one a rider notices."""
SILENT_S = 0.02
WINDOW = 240
"""5 ms of sound."""


@dataclass(frozen=True)
class Seen:
    """What a rider had; times are seconds from the beginning of the recording."""

    start_s: float
    """Monotonic second of the recording's beginning."""
    pictures: list[tuple[float, int]]
    """When each picture with a number was first shown, and which."""
    frozen: list[tuple[float, float]]
    """When a picture began to stand still, and how long it stood."""
    gaps: list[tuple[float, float]]
    """When the class fell silent, and for how long."""
    apart_s: list[tuple[float, float]]
    """At each beep, how much later the sound was than the flash."""
    length_s: float

    def frozen_s(self, after_s: float = 0.0) -> tuple[float, float]:
        """Return how long pictures stood in all, and the longest."""
        long = [wait_s for at_s, wait_s in self.frozen if at_s >= after_s]
        return sum(long), max(long, default=0.0)

    def in_sync(self, within_s: float, after_s: float) -> float:
        """Return the share of beeps that came within that time of their flash."""
        offs = [abs(off_s) for at_s, off_s in self.apart_s if at_s >= after_s]
        return sum(off_s <= within_s for off_s in offs) / max(len(offs), 1)

    def latency_s(self, log: Path, after_s: float = 2.0) -> np.ndarray:
        """Return how long each picture took from the teacher's log to the screen."""
        sent: dict[int, list[float]] = {}
        for line in log.read_text().splitlines():
            number, at_s = line.split()
            sent.setdefault(int(number), []).append(float(at_s))
        took = []
        for at_s, number in self.pictures:
            shown_s = self.start_s + at_s
            before = [one for one in sent.get(number, []) if one <= shown_s]
            if at_s >= after_s and before:
                took.append(shown_s - before[-1])
        return np.array(took)

    def missing(self) -> int:
        """Return how many pictures were never shown between the first and the last."""
        steps = [(b - a) % PICTURES for (_, a), (_, b) in pairwise(self.pictures)]
        return sum(step - 1 for step in steps if 0 < step < 4 * FPS)

    def told(self, log: Path | None = None) -> str:
        """Return it in a few lines; log is the teacher's."""
        total_s, longest_s = self.frozen_s()
        offs_ms = np.array([off_s for at_s, off_s in self.apart_s if at_s >= 5] or [np.nan]) * 1000
        silent = [wait_s for _, wait_s in self.gaps]
        first_s = self.pictures[0][0] if self.pictures else -1
        worst_ms = offs_ms[np.abs(offs_ms).argmax()]
        share = self.in_sync(0.045, 5)
        lines = [
            f"{len(self.pictures)} pictures in {self.length_s:.1f} s",
            f"  {self.missing()} never shown, the first at {first_s:.2f} s",
            f"  frozen {total_s:.2f} s in {len(self.frozen)}, longest {longest_s:.2f} s",
            f"  silent {sum(silent):.2f} s, longest {max(silent, default=0):.2f} s",
            f"  A-V median {np.median(offs_ms):+.0f}, worst {worst_ms:+.0f} ms",
            f"  {share:.0%} of {len(offs_ms)} within 45 ms",
        ]
        took_ms = self.latency_s(log) * 1000 if log is not None else np.array([])
        if len(took_ms):
            shares = np.percentile(took_ms, (50, 95, 100))
            lines.append("  latency median {:.0f}, 95 % {:.0f}, worst {:.0f} ms".format(*shares))
        return "\n".join(lines)


def watch(path: Path) -> Seen:
    """Read a recording of the player."""
    shown: list[tuple[float, int]] = []
    lit: list[float] = []
    was_lit = True
    with av.open(str(path)) as file:
        start_s = float(file.metadata.get("START_MONOTONIC_S", "nan"))
        for frame in file.decode(video=0):
            plane = frame.planes[0]
            luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:, : frame.width]
            number, light = number_of(luma), flashes(luma)
            if number >= 0 and (not shown or shown[-1][1] != number):
                shown.append((frame.time, number))
            if number >= 0 and light and not was_lit:
                lit.append(frame.time)
            was_lit = light
            length_s = frame.time
    with av.open(str(path)) as file:
        sound = np.concatenate(
            [f.to_ndarray().reshape(-1, 2)[:, 0] for f in file.decode(audio=0)]
        ).astype(np.float32)
    sound /= 32768
    return Seen(
        start_s,
        shown,
        _frozen(shown, length_s),
        _gaps(sound),
        _apart(lit, _beeps(sound)),
        length_s,
    )


def _frozen(shown: list[tuple[float, int]], end_s: float) -> list[tuple[float, float]]:
    times = [at_s for at_s, _ in shown] + [end_s]
    return [(a, b - a) for a, b in pairwise(times) if b - a > FROZEN_S]


def _loud(sound: np.ndarray) -> np.ndarray:
    whole = len(sound) // WINDOW * WINDOW
    return np.sqrt((sound[:whole].reshape(-1, WINDOW) ** 2).mean(1))


def _gaps(sound: np.ndarray) -> list[tuple[float, float]]:
    """Find silences between the first and the last sound of the class."""
    loud = _loud(sound) > 0.001
    heard = np.flatnonzero(loud)
    if not len(heard):
        return [(0.0, len(sound) / SOUND_HZ)]
    edges = heard[np.flatnonzero(np.diff(heard) > SILENT_S * SOUND_HZ / WINDOW)]
    step_s = WINDOW / SOUND_HZ
    return [
        ((a + 1) * step_s, float(heard[np.searchsorted(heard, a) + 1] - a - 1) * step_s)
        for a in edges
    ]


def _beeps(sound: np.ndarray) -> list[float]:
    """Return when each beep begins."""
    whole = len(sound) // WINDOW * WINDOW
    wave = np.exp(-2j * np.pi * BEEP_HZ * np.arange(WINDOW) / SOUND_HZ)
    tone = 2 * np.abs(sound[:whole].reshape(-1, WINDOW) @ wave) / WINDOW > 0.1
    fresh = [at for at in np.flatnonzero(tone) if not tone[max(at - 60, 0) : at].any()]
    return [float(at) * WINDOW / SOUND_HZ for at in fresh]


def _apart(lit: list[float], beeps: list[float]) -> list[tuple[float, float]]:
    out = []
    for flash_s in lit:
        near_s = min(beeps, key=lambda beep_s: abs(beep_s - flash_s), default=None)
        if near_s is not None and abs(near_s - flash_s) < 0.5:
            out.append((flash_s, near_s - flash_s))
    return out
