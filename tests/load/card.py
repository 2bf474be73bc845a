"""What a bike writes to its card, in megabytes an hour: while somebody rides, and at rest.

    unshare --mount python -m tests.load.card SECONDS        (root: it mounts a card of its own)

The card is an ext4 of its own, mounted noatime, as provisioning does it; what the file system
itself writes (its journal, its tables) is counted with the rest. Ride, gateway, broker and studio
are the real ones; vision is a recorded rider's poses, thirty a second. Broker and studio are not
on a bike and write elsewhere.
"""

import asyncio
import itertools
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from firmware_app.sockets import Hub
from firmware_app.wire import CameraState, Landmark, PoseFrame
from tests.gym_scene import BIKEBOX, Gym

RIDER = Path(__file__).parents[1] / "recordings" / "front_clean.npz"
CARD_MB = 512
SETTLE_S = 20.0
"""Begun and written out before it is measured."""


def main(seconds: float) -> int:
    with TemporaryDirectory(prefix="bikebox-card-") as place:
        folder = Path(place)
        told = {}
        for name, rpm in (("idle", 0.0), ("riding", 85.0)):
            (folder / name).mkdir()
            told[name] = asyncio.run(_measure(folder / name, rpm, seconds))
    for name, mb_an_hour in told.items():
        sys.stdout.write(f"{name:<8} {mb_an_hour:6.1f} MB an hour\n")
    return 0


async def _measure(folder: Path, rpm: float, seconds: float) -> float:
    """Return megabytes an hour that one bike writes."""
    gym = Gym(folder)
    card = Card(folder / "card.img", folder / "state")
    eye = asyncio.create_task(_eye(gym.run / "vision.sock"))
    try:
        gym.mosquitto()
        gym.studio()
        gym.gateway()
        config = folder / "bikebox.toml"
        config.write_text(config.read_text() + f"[crank]\nsim_rpm = {rpm}\n")
        gym.start("ride", *BIKEBOX, "ride", "--config", config)
        await asyncio.sleep(SETTLE_S)
        before, began_s = card.written_kb(), time.monotonic()
        await asyncio.sleep(seconds)
        written_kb, took_s = card.written_kb() - before, time.monotonic() - began_s
    finally:
        eye.cancel()
        gym.stop()
        card.close()
    return written_kb / 1000 / took_s * 3600


class Card:
    """A disk in a file, with a file system that counts what is written to it."""

    def __init__(self, image: Path, where: Path) -> None:
        where.mkdir()
        self._where = where
        with image.open("wb") as file:
            file.truncate(CARD_MB << 20)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        _run("mount", "-o", "loop,noatime", str(image), str(where))
        device = _run("findmnt", "-no", "SOURCE", str(where)).strip().removeprefix("/dev/")
        self._counter = Path("/sys/fs/ext4") / device / "session_write_kbytes"

    def written_kb(self) -> int:
        """Kilobytes that reached the disk, what is on its way to it included."""
        _run("sync", "-f", str(self._where))
        return int(self._counter.read_text())

    def close(self) -> None:
        _run("umount", str(self._where))


async def _eye(door: Path) -> None:
    """Tell a recorded rider's poses for ever, as vision would."""
    found = np.load(RIDER)
    hub = Hub(door)
    await hub.open()
    frames = itertools.cycle(zip(found["p2"], found["vis"], strict=True))
    for n, (points, visible) in enumerate(frames):
        landmarks = () if np.isnan(points).any() else tuple(
            Landmark(float(x), float(y), 0.0, float(v), 1.0)
            for (x, y), v in zip(points, visible, strict=True)
        )  # fmt: skip
        now_s = time.monotonic()
        hub.tell(PoseFrame(t_s=now_s, frame=n, width_px=640, height_px=480, landmarks=landmarks,
                           snr_db=35.0))  # fmt: skip
        if n % 30 == 0:
            hub.tell(CameraState(t_s=now_s, ok=True, fps=30.0))
        await asyncio.sleep(1 / 30)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
