"""Give this box its name, its key and a certificate of the gym's studio, and set it to use them.

The operator makes a claim code with `bikebox studio claim --box NAME`; this box turns it into a
certificate, once. The key is made here and stays here. --from reads studio and claim from the
[identity] of a TOML file, as it lies on a boot partition. --camera waits for codes that are held to
the camera of a box without a name: the gym's Wi-Fi as a phone shows it, then the claim as the
studio prints it. --renew asks for the next certificate when two thirds of this one's life are over,
and does nothing before; a timer calls it every day. Safe to run again: an answer that was lost on
the way is given once more. Changes nothing while somebody rides.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput, BikeError, PartSlow
from firmware_app.settings import Settings, load_settings, settings_path
from gateway.busy import busy
from gateway.identity.asking import claim, clock_is_off, renew
from gateway.identity.claim import read_code
from gateway.identity.device import NAMELESS, Device, is_due
from gateway.identity.in_settings import change_settings
from gateway.identity.shown import Wifi
from gateway.shown_codes import codes_shown
from gateway.wifi import join

CREDENTIALS = "/run/credentials/bikebox-gateway.service"
"""Where systemd hands key and access file to the gateway: LoadCredential in its unit."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the studio and the code, or a file that has both."""
    parser.add_argument("--studio", metavar="URL", help="http:// or https:// of the gym's studio")
    parser.add_argument("--claim", metavar="CODE", help="as the studio made it; -: read a line")
    parser.add_argument(
        "--from", dest="file", type=Path, metavar="FILE", help="TOML with [identity] studio, claim"
    )
    parser.add_argument("--camera", action="store_true", help="from codes held to the camera")
    parser.add_argument("--renew", action="store_true", help="the next certificate, when it is due")
    parser.add_argument("--now", action="store_true", help="with --renew: due or not")
    parser.add_argument("--config", type=Path, help="settings file")
    parser.add_argument("--folder", type=Path, help="of the identity, instead of [identity] folder")
    parser.add_argument(
        "--key-file", metavar="FILE", help=f"as the settings name it; {CREDENTIALS}/mqtt-key"
    )
    parser.add_argument("--json", action="store_true", help="print for a program")


def run(args: argparse.Namespace) -> int:
    """Do it, and restart the gateway where systemd keeps one."""
    config = args.config or settings_path()
    if args.renew:
        return _renew(load_settings(config), args)
    if args.camera:
        return _by_camera(config, args)
    return _claim(config, args, *_asked(args))


def _by_camera(config: Path, args: argparse.Namespace) -> int:
    """Do what codes say until one has been a claim; return its exit code."""
    settings = load_settings(config)
    if settings.box != NAMELESS:
        sys.stdout.write(f"this box is {settings.box} already; it looks for no code\n")
        return 0
    joined: Wifi | None = None
    for shown in codes_shown(settings.vision_socket, MachineClock()):
        try:
            if isinstance(shown, Wifi):
                if shown == joined:
                    continue  # it is held there for longer than it is looked at
                join(shown)
                joined = shown
                _say(f"joined {shown.name}; now the claim")
                continue
            code = _claim(config, args, shown.studio, shown.code)
        except BikeError as error:  # the next code, or the same again, may do
            _say(f"that did not work: {error}")
            continue
        _call_it(load_settings(config).box)
        return code
    return 1


def _claim(config: Path, args: argparse.Namespace, studio: str, code: str) -> int:
    folder = args.folder or (
        Path(load_settings(config).identity.folder) if config.exists() else None
    )
    device = Device(folder or Path(Settings(box=NAMELESS).identity.folder))
    clock = MachineClock()
    read = read_code(code)
    if config.exists() and device.was_claimed_by(read.number):
        return _again(load_settings(config), device, as_json=args.json)
    if config.exists() and (why := busy(load_settings(config).ride_socket)):
        raise PartSlow(f"{why}; the code stays good, try this again when that is over")
    granted, made = claim(studio, read, device)
    changes: dict[tuple[str, str], str] = {
        ("", "box"): granted.box,
        ("mqtt", "url"): granted.broker_url,
        ("mqtt", "ca_file"): str(device.ca_file),
        ("mqtt", "cert_file"): str(device.cert_file),
        ("mqtt", "key_file"): args.key_file or f"{CREDENTIALS}/mqtt-key",
        ("identity", "studio"): studio,
        ("identity", "folder"): str(device.folder),
    }
    if not (args.key_file or (config.exists() and load_settings(config).gateway.access_file)):
        changes["gateway", "access_file"] = f"{CREDENTIALS}/access"
    change_settings(config, changes)
    _restart()
    ends = f"{made.not_valid_after_utc:%Y-%m-%d}"
    told = {
        "box": granted.box,
        "gym": granted.gym,
        "broker_url": granted.broker_url,
        "serial": f"{made.serial_number:x}",
        "ends": ends,
        "warning": clock_is_off(granted, clock.wall()),
    }
    if args.json:
        sys.stdout.write(json.dumps(told) + "\n")
        return 0
    sys.stdout.write(
        f"This box is {granted.box}{f' of {granted.gym}' if granted.gym else ''}.\n"
        f"certificate  until {ends}, renewed by itself ({device.cert_file})\n"
        f"broker       {granted.broker_url}\n"
        f"settings     {config}\n"
    )
    if told["warning"]:
        sys.stdout.write(f"look at      {told['warning']}\n")
    return 0


def _again(settings: Settings, device: Device, *, as_json: bool) -> int:
    """Say that this claim has done its work here."""
    made = device.certificate()
    ends = f"{made.not_valid_after_utc:%Y-%m-%d}" if made else ""
    told = {"box": settings.box, "broker_url": settings.mqtt.url, "ends": ends, "again": True}
    words = f"This box is {settings.box} by this claim already, its certificate good until {ends}."
    sys.stdout.write((json.dumps(told) if as_json else words) + "\n")
    return 0


def _renew(settings: Settings, args: argparse.Namespace) -> int:
    device = Device(args.folder or Path(settings.identity.folder))
    old = device.certificate()
    told: dict[str, Any] = {"box": settings.box, "renewed": False, "ends": None}
    did = "not due yet"
    if old is not None:
        told["ends"] = f"{old.not_valid_after_utc:%Y-%m-%d}"
        if not (args.now or is_due(old, MachineClock().wall())):
            pass
        elif why := busy(settings.ride_socket):
            did = f"due, and put off: {why}"  # the timer comes again; a third is left
        else:
            if not settings.identity.studio:
                raise BadInput("[identity] studio is empty: who should renew the certificate?")
            made = renew(settings.identity.studio, device)
            told |= {"renewed": True, "ends": f"{made.not_valid_after_utc:%Y-%m-%d}"}
            did = "renewed"
            _restart()
    if args.json:
        sys.stdout.write(json.dumps(told) + "\n")
    elif old is None:
        sys.stdout.write(f"{device.folder}: no certificate; nothing to renew\n")
    else:
        sys.stdout.write(f"{settings.box}: {did}, good until {told['ends']}\n")
    return 0


def _asked(args: argparse.Namespace) -> tuple[str, str]:
    studio, code = args.studio, args.claim
    if args.file is not None:
        try:
            told = tomllib.loads(args.file.read_text(encoding="utf-8")).get("identity", {})
            studio, code = studio or told.get("studio"), code or told.get("claim")
        except (OSError, ValueError, AttributeError) as error:
            raise BadInput(f"{args.file}: {error}; it needs [identity] studio and claim") from error
    if code == "-":
        code = sys.stdin.readline()
    if not studio or not code:
        raise BadInput(
            "name the studio and the claim code: --studio http://STUDIO:8790 --claim CODE,"
            " or --from FILE with [identity] studio and claim"
        )
    return str(studio), str(code)


def _say(words: str) -> None:
    """Tell at once: who holds a code to a camera waits for it."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _restart() -> None:
    """Let the gateway use it: systemd hands out a key when a service starts."""
    _tell_system("systemctl", "try-restart", "--no-block", "bikebox-gateway.service")


def _call_it(box: str) -> None:
    """Give a box that had no name its own, for the network and for all of its services."""
    _tell_system("hostnamectl", "set-hostname", box)
    _tell_system("systemctl", "try-restart", "--no-block", "bikebox.target")


def _tell_system(*words: str) -> None:
    if Path("/run/systemd/system").exists():
        subprocess.run(words, check=False)  # noqa: S603 - fixed words and a checked name
