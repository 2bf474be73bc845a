"""What is plugged into the box: camera, crank sensor, screen and speaker.

Looks without taking: a camera that vision holds, or a pin that the ride holds, stays theirs.
"""

import fcntl
import os
import re
import stat
from importlib.util import find_spec
from pathlib import Path

from firmware_app.doctor.finding import Finding, bad, explain, ok, unused
from firmware_app.settings import Crank, Vision

VIDIOC_QUERYCAP = 0x80685600
"""Asks a V4L2 device for its struct v4l2_capability (linux/videodev2.h), 104 bytes."""
CAPABILITY_BYTES = 104
CARD = slice(16, 48)


def look_at_camera(vision: Vision) -> Finding:
    """Tell whether the camera is there, is a camera, and may be used."""
    path = Path(vision.camera)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return bad(
            "camera",
            f"{path}: {explain(error)}",
            "plug the camera in; if it is in, is 70-bikebox.rules installed (udevadm trigger)?",
        )
    if stat.S_ISREG(mode):
        return ok("camera", f"{path}, a recording")
    try:
        with path.open("rb", buffering=0) as device:
            said = fcntl.ioctl(device, VIDIOC_QUERYCAP, bytes(CAPABILITY_BYTES))
    except PermissionError as error:
        return bad("camera", f"{path}: {explain(error)}", "ask as root: sudo bikebox doctor")
    except OSError as error:
        return bad(
            "camera",
            f"{path}: no camera ({explain(error)})",
            "name the camera in [vision] camera; v4l2-ctl --list-devices shows them",
        )
    name = said[CARD].split(b"\0", 1)[0].decode(errors="replace")
    return ok("camera", f"{path}, {name}, seen from the {vision.view}")


def look_at_crank(crank: Crank, root: Path, *, lgpio: bool | None = None) -> Finding:
    """Tell whether the pin can be read; whether pulses come, the ride knows."""
    if crank.sim_pulses or crank.sim_rpm:
        return unused("crank", "simulated, as [crank] says")
    chips = sorted((root / "dev").glob("gpiochip*"))
    if not chips:
        return bad("crank", "no GPIO here", "is this a Raspberry Pi? [crank] sim_rpm needs none")
    if not any(os.access(chip, os.R_OK | os.W_OK) for chip in chips):
        return bad(
            "crank",
            f"{chips[0]}: not for this user",
            "ask as root: sudo bikebox doctor; the service needs the group gpio",
        )
    if not (find_spec("lgpio") is not None if lgpio is None else lgpio):
        return bad(
            "crank",
            "no lgpio for this Python",
            "apt install python3-lgpio, and make .venv with --system-site-packages",
        )
    return ok("crank", f"GPIO{crank.gpio}, {crank.pulses_per_turn} pulse(s) a turn")


def look_at_screen(root: Path) -> Finding:
    """Tell whether a screen is connected."""
    connectors = sorted((root / "sys/class/drm").glob("card*-*/status"))
    names = [path.parent.name.partition("-")[2] for path in connectors if _says(path, "connected")]
    if names:
        return ok("screen", f"connected to {', '.join(names)}")
    for variable in ("WAYLAND_DISPLAY", "DISPLAY"):
        if os.environ.get(variable):
            return ok("screen", f"a desktop, {variable}={os.environ[variable]}")
    seen = f"none at {len(connectors)} connectors" if connectors else "no graphics here"
    return bad("screen", seen, "plug the screen in and switch it on before the box starts")


def look_at_speaker(root: Path) -> Finding:
    """Tell whether there is a sound card."""
    try:
        cards = (root / "proc/asound/cards").read_text(encoding="utf-8", errors="replace")
    except OSError:
        cards = ""
    names = re.findall(r"\]: \S+ - (.+)", cards)
    if names:
        return ok("speaker", ", ".join(names))
    return bad("speaker", "no sound card", "plug the speaker in; aplay -l shows what the box sees")


def _says(path: Path, word: str) -> bool:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip() == word
    except OSError:
        return False
