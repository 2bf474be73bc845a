"""The one file that chooses between a device and its stand-in, by what the settings name."""

from pathlib import Path

from firmware_app.clock import Clock
from firmware_app.hardware import Camera, Crank
from firmware_app.settings import Crank as CrankSettings
from firmware_app.settings import Vision as VisionSettings


def make_crank(settings: CrankSettings, clock: Clock, start_at_s: float) -> Crank:
    """Return the crank sensor, or one that turns by itself from start_at_s on.

    Raise MissingPart without a pin, BadInput for a label without pulses.
    """
    if settings.sim_pulses or settings.sim_rpm:
        from firmware_app.sim.crank import SimCrank, read_pulses, steady  # noqa: PLC0415 - only here

        pulses_s = (
            iter(read_pulses(Path(settings.sim_pulses)))
            if settings.sim_pulses
            else steady(settings.sim_rpm)
        )
        return SimCrank(pulses_s, start_at_s, clock)
    from firmware_app.real.crank import GpioCrank  # noqa: PLC0415 - gpiozero only where it is used

    return GpioCrank(settings.gpio)


def make_camera(settings: VisionSettings, clock: Clock, start_at_s: float) -> Camera:
    """Return the camera, or a video file that plays as one from start_at_s on.

    Raise PartLost without the device, BadInput for a file that cannot be played.
    """
    if not settings.camera.startswith("/dev/"):
        from firmware_app.sim.camera import SimCamera  # noqa: PLC0415 - only here

        return SimCamera(Path(settings.camera), start_at_s, clock)
    from firmware_app.real.camera import open_camera  # noqa: PLC0415 - only where it is used

    return open_camera(settings, clock)
