"""Look after many bikes from a laptop: plan, update in waves, roll back, ask, provision.

Bikes, gyms, technicians and pinned host keys stand in fleet.toml (--fleet, $BIKEBOX_FLEET, or in
this folder; config/fleet.toml explains it). --on chooses bikes by the names of bikes, gyms or
groups. Exit codes: 0 all is as it should be, 1 something failed, 3 nothing failed but some bikes
were away or ridden and come later, 78 something must be mended first.
"""

import argparse
import getpass
from collections.abc import Callable
from pathlib import Path

from firmware_app.errors import BadInput
from gateway.identity.shown import Wifi


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the verb, the bikes, and as whom."""
    parser.add_argument("--fleet", type=Path, metavar="FILE", help="fleet.toml")
    parser.add_argument("--as", dest="user", metavar="NAME", help="your login on the bikes")
    parser.add_argument("--key", type=Path, metavar="FILE", help="your SSH key; else ssh-agent's")
    parser.add_argument("--by", metavar="WHO", help="who stands in the bikes' audit")
    does = parser.add_subparsers(dest="does", metavar="WHAT", required=True)

    def verb(name: str, words: str) -> argparse.ArgumentParser:
        added = does.add_parser(name, help=words)
        added.add_argument("--on", nargs="+", default=[], metavar="NAME", help="bikes (all)")
        return added

    plan = verb("plan", "what an update would do to each bike, and nothing more")
    plan.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    plan.add_argument("--force", action="store_true", help="as with update")
    update = verb("update", "bring bikes to a release: a canary, then waves")
    update.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help="one a machine")
    update.add_argument("--force", action="store_true", help="older ones, and ones that went back")
    rollback = verb("rollback", "bring the release before back")
    for rolls in (update, rollback):
        rolls.add_argument("--waves", metavar="LIST", help='for example "1,10%%,rest"')
        rolls.add_argument("--soak", type=float, metavar="SECONDS", help="watch after a wave")
        rolls.add_argument("--resume", type=Path, metavar="REPORT", help="those left over there")
        rolls.add_argument("--dry-run", action="store_true", help="the plan and no more")
        rolls.add_argument("--yes", action="store_true", help="do not ask")
        rolls.add_argument("--reports", type=Path, metavar="DIR", help="where reports go")
    provision = verb("provision", "make a stock Raspberry Pi OS Lite a bike, or look after one")
    provision.add_argument(
        "--bundle", dest="bundles", nargs="+", default=[], type=Path, help="the release to bring"
    )
    provision.add_argument("--claim", default="", metavar="CODE", help="one bike's, of the studio")
    provision.add_argument("--host-key", default="", metavar="SHA256:...", help="one new bike's")
    provision.add_argument("--password", action="store_true", help="ask for the account's password")
    provision.add_argument("--dry-run", action="store_true", help="the plan and no more")
    provision.add_argument("--yes", action="store_true", help="do not ask")
    card = does.add_parser("card", help="a fresh card's boot partition: it does all that alone")
    card.add_argument("--to", type=Path, required=True, metavar="DIR", help="the boot partition")
    whose = card.add_mutually_exclusive_group(required=True)
    whose.add_argument("--on", nargs=1, default=[], metavar="BIKE", help="whose it will be")
    whose.add_argument("--new", metavar="GYM", help="any bike's: its name is held to its camera")
    card.add_argument("--bundle", dest="bundles", nargs="+", default=[], type=Path)
    card.add_argument("--claim", default="", metavar="CODE", help="of the studio, for --on")
    card.add_argument("--wifi", metavar="NAME", help="it joins this one; asks for the password")
    for name, words in (
        ("status", "which release each bike has, and how it is"),
        ("doctor", "let each bike examine itself; what is wrong, and the remedy"),
    ):
        verb(name, words).add_argument("--json", action="store_true", help="for a program")
    logs = verb("logs", "what the bikes' services wrote")
    logs.add_argument("--unit", default="bikebox-*", help="which (all of bikebox)")
    logs.add_argument("--since", default="1h", help="2h, today, or as journalctl has it (1h)")
    logs.add_argument("--follow", action="store_true", help="one bike's, as it grows")
    logs.add_argument("--kept", action="store_true", help="the ends of the last starts', all units")
    command = verb("run", "a command of your own, as you, on each bike")
    command.add_argument("--sudo", action="store_true", help="as root, where you may")
    command.add_argument("words", nargs="+", metavar="-- COMMAND")


def run(args: argparse.Namespace) -> int:
    """Do it; return the exit code."""
    # asyncssh is on laptops only, and --help must work without it
    from gateway.fleet import asking, card, desk, provisioning, rolling  # noqa: PLC0415 - see above
    from gateway.fleet.bundle import read_bundle  # noqa: PLC0415 - see above
    from gateway.fleet.report import read_report, to_resume  # noqa: PLC0415 - see above

    on = list(args.on)
    if getattr(args, "resume", None):
        on += to_resume(read_report(args.resume)) or [""]
        if on[-1] == "":
            raise BadInput(f"{args.resume}: no bike was left over there; nothing to do")
    at = desk.sit_down(args.fleet, on, args.user, args.key, args.by)
    bundles = [*map(read_bundle, getattr(args, "bundles", ()))]
    force = getattr(args, "force", False)
    does: dict[str, Callable[[], int]] = {
        "plan": lambda: rolling.roll(at, rolling.Wish(bundles, force, dry_run=True)),
        "update": lambda: rolling.roll(
            at.with_rules(args.waves, args.soak),
            rolling.Wish(bundles, force, args.dry_run, args.yes, args.reports),
        ),
        "provision": lambda: provisioning.provision(
            at.with_password() if args.password else at,
            provisioning.Errands(bundles, args.claim, args.host_key, args.dry_run, args.yes),
        ),
        "card": lambda: card.card(
            at,
            at.inventory.nameless_of(args.new) if args.new else at.one_bike(),
            card.Errand(args.to, bundles, args.claim, _wifi(args.wifi)),
        ),
        "status": lambda: asking.status(at, as_json=args.json),
        "doctor": lambda: asking.doctor(at, as_json=args.json),
        "logs": lambda: (
            asking.kept_logs(at)
            if args.kept
            else asking.logs(at, unit=args.unit, since=args.since, follow=args.follow)
        ),
        "run": lambda: asking.command_on(at, " ".join(args.words), as_root=args.sudo),
    }
    does["rollback"] = does["update"]
    return does[args.does]()


def _wifi(name: str | None) -> Wifi | None:
    return Wifi(name, getpass.getpass(f"password of {name}: ")) if name else None
