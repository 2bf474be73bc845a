"""Make the camera a light meter: with it, the console and /metrics tell lux.

Hold a lux meter where the rider's chest is, facing the camera, with steady light and nobody
before the camera; give what it shows. The camera's exposure and gain are moved by hand for half a
minute and then given back. Without this no lux is ever told. Stop the box's own eyes first:
systemctl stop bikebox-vision.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import msgspec

from firmware_app.errors import BadInput
from firmware_app.hardware import Exposure
from firmware_app.real.camera import Device, exposure_of, name_of, open_device
from firmware_app.settings import load_settings, settings_path
from firmware_app.vision.lux import Shot, fit, grey_shares
from firmware_app.vision.region import Picture

MANUAL, AUTOMATIC = 1, 3
"""V4L2_EXPOSURE_MANUAL and V4L2_EXPOSURE_APERTURE_PRIORITY, which a USB camera calls automatic."""
TIMES = (1.0, 0.5, 0.25, 0.125)
"""Of the exposure time that the camera had chosen itself."""
GAINS = (0, 8, 16, 32, 64, 128, 255)
"""Tried; a camera rounds to what it has."""
SETTLED = 12
"""Pictures after which a change is seen in them."""
ADAPTED = 60
"""Pictures after which automatic exposure has found its own."""
SAME_LIGHT = 2.0
"""The automatic's exposure times in one light differ by no more."""
STEP_S = 1e-4
"""V4L2's unit of exposure time."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the lux meter shows and where to write."""
    parser.add_argument("--lux", type=float, required=True, help="what the lux meter shows")
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FILE", help="for [vision] lux_file"
    )
    parser.add_argument("--config", type=Path, help="settings file")


def run(args: argparse.Namespace) -> int:
    """Calibrate and write."""
    if not 1 <= args.lux <= 100_000:
        raise BadInput(f"--lux {args.lux:g} is no light to ride in; give 1 to 100000")
    vision = load_settings(args.config or settings_path()).vision
    device = open_device(vision)
    try:
        meter = fit(list(shots(device, name_of(vision.camera))), args.lux)
    finally:
        device.set(cv2.CAP_PROP_AUTO_EXPOSURE, AUTOMATIC)
        device.release()
    args.to.write_bytes(msgspec.json.format(msgspec.json.encode(meter)) + b"\n")
    sys.stderr.write(
        f"{meter.camera} calibrated at {args.lux:g} lux with {len(meter.gains)} steps of gain;"
        f' set [vision] lux_file = "{args.to}"\n'
    )
    return 0


def shots(device: Device, camera: str) -> Iterator[Shot]:
    """Yield pictures of one light, exposed in many ways; raise BadInput where that is not told."""
    chosen = _automatic(device, camera)
    device.set(cv2.CAP_PROP_AUTO_EXPOSURE, MANUAL)
    for share in TIMES:
        yield _shot(device, camera, share * chosen.time_s)
    for gain in GAINS:
        device.set(cv2.CAP_PROP_GAIN, gain)
        yield from (_shot(device, camera, share * chosen.time_s) for share in TIMES[1:])
    # an eighth of the time and the most gain are set now: does it go on telling these?
    by_hand, again = exposure_of(device, camera), _automatic(device, camera)
    if by_hand == again or chosen.time_s > SAME_LIGHT * again.time_s:
        raise BadInput(
            f"{camera} says {again.time_s:g} s at gain {again.gain:g} after it was moved by hand,"
            f" and {chosen.time_s:g} s at gain {chosen.gain:g} before: it does not tell what its"
            " automatic does, so no lux can be told with it"
        )


def _automatic(device: Device, camera: str) -> Exposure:
    device.set(cv2.CAP_PROP_AUTO_EXPOSURE, AUTOMATIC)
    _pictures(device, ADAPTED)
    exposure = exposure_of(device, camera)
    if exposure is None:
        raise BadInput(f"{camera} does not tell exposure and gain; no lux can be told with it")
    return exposure


def _shot(device: Device, camera: str, time_s: float) -> Shot:
    device.set(cv2.CAP_PROP_EXPOSURE, max(round(time_s / STEP_S), 1))
    picture = _pictures(device, SETTLED)
    exposure = exposure_of(device, camera)
    if exposure is None:
        raise BadInput(f"{camera} stopped telling exposure and gain; plug it in anew and try again")
    return Shot(exposure, grey_shares(picture))


def _pictures(device: Device, count: int) -> Picture:
    """Take some pictures and return the last."""
    for _ in range(count):
        if not device.grab():
            raise BadInput("the camera gives no more pictures; check its cable and try again")
    drawn, picture = device.retrieve(None)
    if not drawn:
        raise BadInput("the camera's pictures are damaged; try another USB port or cable")
    return picture
