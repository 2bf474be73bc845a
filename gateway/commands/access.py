"""Say who may look at this box, or this studio, from the network.

`pin` asks for the gym's PIN, `token NAME` makes a technician's token and prints it once, `remove
NAME` takes it back, `list` tells who has one. Only hashes are kept. Nothing works by default; after
a change restart the service that reads the file.
"""

import argparse
import getpass
import sys
from pathlib import Path

from msgspec import structs

from firmware_app.errors import BadInput
from gateway.access import read_access, with_pin, with_token, without, write_access

ON_A_BIKE = Path("/etc/bikebox/credentials/access.toml")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the file and what to do."""
    parser.add_argument("--file", type=Path, default=ON_A_BIKE, help=f"default {ON_A_BIKE}")
    does = parser.add_subparsers(dest="does", metavar="WHAT", required=True)
    pin = does.add_parser("pin", help="set the gym's PIN; asks for it, or reads it from a pipe")
    pin.add_argument("--none", action="store_true", help="let no PIN open anything")
    does.add_parser("list", help="who has a token, and is there a PIN")
    for name, words in (("token", "make a technician's token"), ("remove", "take it back")):
        does.add_parser(name, help=words).add_argument("name", help="a person: anna")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    access = read_access(args.file)
    say = sys.stdout.write
    match args.does:
        case "list":
            say(f"PIN: {'set' if access.pin else 'none'}\n")
            say("".join(f"token: {name}\n" for name in sorted(access.tokens)))
        case "pin":
            access = structs.replace(access, pin="") if args.none else with_pin(access, _ask())
            write_access(access, args.file)
            say(f"{args.file}: {'no PIN opens anything' if args.none else 'the PIN is set'}\n")
        case "token":
            access, token = with_token(access, args.name)
            write_access(access, args.file)
            say(f"{token}\nThis is {args.name}'s token. It is kept nowhere: write it down now.\n")
        case _:
            write_access(without(access, args.name), args.file)
            say(f"{args.file}: {args.name} has no token any more\n")
    return 0


def _ask() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    pin = getpass.getpass("The gym's new PIN: ")
    if pin != getpass.getpass("The same again: "):
        raise BadInput("these were two different PINs; nothing was changed")
    return pin
