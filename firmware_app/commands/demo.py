"""Ride a whole bike on this machine: camera, coach, class, screen, gateway and studio.

Everything is the shipped code with simulated hardware: a recorded rider is the camera, a crank
turns by itself, a class is served by WHEP, a broker is embedded. With a display it opens the
bike's screen; without one, or with --headless, it leaves pictures, sound and summary in --out.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from firmware_app.clock import MachineClock
from firmware_app.demo.plan import Wish
from firmware_app.demo.show import Ended, perform
from firmware_app.errors import BadInput
from firmware_app.settings import checkout_cache
from firmware_app.sim.class_media import make_class

RIDES = Path(__file__).parents[1] / "sim" / "rides"
SECONDS = 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take what a demo may differ in."""
    add = parser.add_argument
    add("--headless", action="store_true", help="no window; leave pictures and sound in --out")
    add("--seconds", type=float, default=SECONDS, help="length of the ride (default: %(default)g)")
    add(
        "--out",
        type=Path,
        default=Path("out"),
        help="folder for what this demo leaves, and no earlier one (default: out)",
    )
    add("--video", type=Path, help="a video file as the camera (default: a recorded rider)")
    add("--crank", type=Path, help="a label file whose crank_pulses_s turn the crank")
    add("--rpm", type=float, default=80.0, help="steady crank when --crank is not given")
    add("--view", choices=("front", "oblique", "side"), default="front", help="camera's place")
    add("--whep", default="", metavar="URL", help="a real class instead of the embedded one")
    add("--token", default="", help="Bearer token of the class")
    add("--broker", default="", metavar="URL", help="a real broker, mqtt://host:port")
    add("--rider", default="Sagar", help="the rider's name (default: %(default)s)")
    add("--record", type=Path, metavar="OUT.mkv", help="record screen and speaker")
    add("--models", type=Path, default=checkout_cache("models"), help=argparse.SUPPRESS)
    add("--cache", type=Path, default=checkout_cache("class"), help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when the studio confirmed the ride."""
    wish = _wish(args)
    wish.out.mkdir(parents=True, exist_ok=True)
    say = sys.stdout.write
    where = "headless" if wish.headless else "on this screen"
    say(f"Bikebox demo, {wish.seconds:g} s, {where}; what it leaves goes to {wish.out}/\n")
    sys.stdout.flush()
    ended = asyncio.run(perform(wish, MachineClock()))
    return _report(ended, wish)


def _wish(args: argparse.Namespace) -> Wish:
    if not 5 <= args.seconds <= 7200:
        raise BadInput(f"--seconds {args.seconds:g}: a demo takes 5 to 7200 seconds")
    video = args.video or RIDES / "front.mp4"
    crank = args.crank or (None if args.video else RIDES / "front.json.gz")
    for file, option in ((video, "--video"), (crank, "--crank")):
        if file is not None and not file.is_file():
            raise BadInput(f"{option} {file}: there is no such file")
    headless = args.headless or not _display()
    if headless and not args.headless:
        sys.stdout.write("No display here: going on headless.\n")
    media = None if args.whep else make_class(args.cache).resolve()
    return Wish(
        out=args.out.resolve(),
        seconds=args.seconds,
        headless=headless,
        video=video.resolve(),
        crank=crank.resolve() if crank else None,
        rpm=args.rpm,
        view=args.view,
        rider=args.rider,
        models=args.models.resolve(),
        media=media,
        whep=args.whep,
        token=args.token,
        broker=args.broker,
        record=args.record.resolve() if args.record else None,
    )


def _display() -> bool:
    """Tell whether a window can be opened here, or the screen itself be drawn on."""
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) or any(
        Path("/dev/dri").glob("card*")
    )


def _report(ended: Ended, wish: Wish) -> int:
    say = sys.stdout.write
    if ended.summary is None:
        say(f"Not confirmed: {ended.why}. Each part's log is in {wish.out}/logs\n")
        return 1
    rpm = ended.summary.get("cadence_mean_rpm")
    say(f"Confirmed by the studio: mean cadence {rpm} rpm. In {wish.out}:\n")
    for file in sorted(wish.out.iterdir()):
        say(f"  {file.name}\n")
    return 0
