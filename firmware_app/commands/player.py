"""Play the class on the screen, with the coach's words over it.

On a bike it needs nothing but its settings. By hand:

  bikebox player --whep https://studio.example/whep/42 --token T
  bikebox player --whep URL --headless --seconds 30 --record ride.mkv

q ends it, space pauses the ride, a touch or a click shows the buttons.
"""

import argparse
from pathlib import Path

import msgspec

from firmware_app.clock import Clock, MachineClock
from firmware_app.errors import BadInput, BadSetting
from firmware_app.player.class_feed import ClassFeed
from firmware_app.player.whep import IceServer
from firmware_app.services.player import Player, Wish
from firmware_app.settings import Settings, load_settings, settings_path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may follow `bikebox player`."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings; default: installed")
    parser.add_argument("--whep", metavar="URL", help="play this class")
    parser.add_argument("--token", default="", help="Bearer token of that class")
    parser.add_argument("--headless", action="store_true", help="no display, no speaker")
    parser.add_argument("--seconds", type=float, metavar="N", help="end after N seconds")
    parser.add_argument("--record", type=Path, metavar="MKV", help="record screen and sound")
    parser.add_argument("--speech-wav", type=Path, metavar="WAV", help="keep what was played")
    parser.add_argument("--screens", type=Path, metavar="DIR", help="keep pictures of the screen")
    parser.add_argument("--width", type=int, metavar="PX", help="of the screen or window")
    parser.add_argument("--height", type=int, metavar="PX", help="of the screen or window")


def run(args: argparse.Namespace) -> int:
    """Play until asked to stop; return 0."""
    settings, alone = _settings(args)
    wish = Wish(
        settings=settings,
        alone=alone,
        headless=args.headless,
        seconds=float("inf") if args.seconds is None else args.seconds,
        record=args.record,
        speech_wav=args.speech_wav,
        screens=args.screens,
    )
    clock = MachineClock()
    Player(wish, clock, _class(settings, args.token, clock)).run()
    return 0


def _class(settings: Settings, token: str, clock: Clock) -> ClassFeed | None:
    player = settings.player
    if not player.whep_url:
        return None
    password = _secret("turn_password_file", player.turn_password_file)
    return ClassFeed(
        player.whep_url,
        token or _secret("whep_token_file", player.whep_token_file),
        clock,
        ca_file=player.whep_ca_file,
        ice_servers=tuple(
            IceServer(url, player.turn_username, password)
            if url.startswith("turn")
            else IceServer(url)
            for url in player.ice_servers
        ),
        hardware=player.decoder == "v4l2m2m",
    )


def _settings(args: argparse.Namespace) -> tuple[Settings, bool]:
    """Return the settings, and whether there is no bike around this player."""
    path = args.config or settings_path()
    alone = args.whep is not None and args.config is None and not path.exists()
    settings = Settings(box="player") if alone else load_settings(path)
    player = settings.player
    if args.whep is not None:
        if not args.whep.startswith(("http://", "https://")):
            raise BadInput(f"--whep {args.whep}: a class's address begins with http:// or https://")
        player = msgspec.structs.replace(player, whep_url=args.whep)
    if args.width or args.height:
        wide, high = args.width or player.width_px, args.height or player.height_px
        if not (320 <= wide <= 3840 and 240 <= high <= 2160):
            raise BadInput(f"a screen of {wide}x{high}: from 320x240 to 3840x2160 is drawn")
        player = msgspec.structs.replace(player, width_px=wide, height_px=high)
    if alone:
        player = msgspec.structs.replace(player, fullscreen=False)
    return msgspec.structs.replace(settings, player=player), alone


def _secret(setting: str, name: str) -> str:
    """Read a secret from its file; raise BadSetting when that cannot be read."""
    if not name:
        return ""
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(
            f"[player] {setting}: {name} cannot be read ({error});"
            " put the secret there, or leave the setting out"
        ) from error
