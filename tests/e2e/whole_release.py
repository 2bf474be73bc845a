"""A release of the whole product for the tests' boxes, and what stands for their hardware.

Our code, units and models are in it as on a bike; the wheels are this machine's, bound in, for a
hundred megabytes need not be packed and unpacked to see what the rest does. The camera is a video
of a rider, the crank one that nobody turns until somebody does, screen and speaker are SDL's own
that show and play to nobody.
"""

import gzip
import json
import shutil
from pathlib import Path

import av
from boxes import REPOSITORY
from fake_release import FAR, Foundry

from gateway.release.pack import minisign, pack
from gateway.release.tree import FILES, OURS, START
from gateway.release.updater import DOOR, UNITS, lay_out

SITE = REPOSITORY / ".venv/lib/python3.11/site-packages"
MODELS = REPOSITORY / ".cache/models"
WHEELS = f"--bind-ro={SITE}:/opt/site"
"""For systemd-nspawn."""
BENCH = "/opt/bench"
TIMES = 20
"""Twenty minutes of the rider: longer than any scene."""
PLAYER = "etc/systemd/system/bikebox-player.service.d/bench.conf"
SETTINGS = f"""vision.camera = "{BENCH}/rider.mp4"
crank.sim_pulses = "{BENCH}/crank.json.gz"
"""
"""For [gyms.NAME.settings] of such boxes."""


def whole_release(
    foundry: Foundry, version: str, serial: int, spoil: tuple[str, str] | None = None
) -> Path:
    """Return a bundle of this repository; spoil is a file of it, and what is written at its end."""
    bundle = foundry.folder / f"bikebox-{version}-x86_64-python3.11.bundle"
    if bundle.exists():
        return bundle
    tree = foundry.folder / f"whole-{version}"
    for name in OURS:
        shutil.copytree(
            REPOSITORY / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    for name in FILES:
        shutil.copy(REPOSITORY / name, tree / name)
    if spoil:
        with (tree / spoil[0]).open("a") as file:
            file.write(spoil[1])
    shutil.copytree(
        MODELS, tree / "models", ignore=shutil.ignore_patterns("*heavy*", "*_lite_*", ".*")
    )
    shutil.copytree(
        REPOSITORY / "systemd", tree / "systemd", ignore=shutil.ignore_patterns(DOOR, f"{UNITS}*")
    )
    (tree / "updater").mkdir()
    lay_out(REPOSITORY, tree / "updater")
    (tree / "bin").mkdir()
    start = START.replace('"lib")]', '"lib"), "/opt/site"]')
    (tree / "bin/bikebox").write_text(start)
    (tree / "bin/bikebox").chmod(0o755)
    about = tree / f"lib/bikebox-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bikebox\nVersion: {version}\n")
    (installed,) = SITE.glob("bikebox-*.dist-info")
    shutil.copy(installed / "entry_points.txt", about)
    pack(
        tree, bundle, minisign(foundry.key), version=version, serial=serial, arch="x86_64",
        python="3.11", expires=FAR, self_test=("bin/bikebox", "self-test"),
    )  # fmt: skip
    return bundle


def with_bench(box, turns_s: tuple[float, ...] = ()) -> None:
    """Give a box that is off a camera, a crank and a screen; turns_s is when the crank turns."""
    box.put(f"{BENCH}/rider.mp4".lstrip("/"), b"")
    repeat(REPOSITORY / "firmware_app/sim/rides/front.mp4", box.upper / f"{BENCH}/rider.mp4"[1:])
    pulses = json.dumps({"crank_pulses_s": turns_s}).encode()
    box.put(f"{BENCH}/crank.json.gz".lstrip("/"), gzip.compress(pulses))
    drivers = "SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy"
    box.put(PLAYER, f"[Service]\nEnvironment={drivers}\n")
    box.more = WHEELS


def repeat(clip: Path, to: Path) -> None:
    """Write a clip over and over, as it is encoded: a camera has no end."""
    with av.open(str(to), "w") as out:
        stream, begins = None, 0
        for _ in range(TIMES):
            with av.open(str(clip)) as once:
                source = once.streams.video[0]
                stream = stream or out.add_stream_from_template(source)
                ends = begins
                for packet in once.demux(source):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + begins, packet.dts + begins
                    ends = max(ends, packet.pts + packet.duration)
                    packet.stream = stream
                    out.mux(packet)
                begins = ends
