"""bikebox-update: install, status, rollback, confirm, boot, gate, verify, set-up.

Exit codes: 0 it worked, 1 it did not and the box is as it was, 2 the command line was wrong, 3 put
off because somebody rides, 78 a technician must change something first.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.updater.box import Box, box_of
from gateway.updater.detached import active, asked, follow, launch, reported
from gateway.updater.install import install, verify
from gateway.updater.library import renew
from gateway.updater.manifest import UPDATER
from gateway.updater.outcome import DID_NOT, WORKED, Ended, MustMend
from gateway.updater.places import Places
from gateway.updater.recover import at_boot, confirm, roll_back
from gateway.updater.state import alone
from gateway.updater.status import status, words

ROOT = Path("/")
WAIT_S = 120.0
"""For another update, or for a look at one on probation, to end."""
Say = Callable[[str], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    args = _parser().parse_args(argv)
    try:
        if os.geteuid() != 0:
            raise MustMend(
                f"only root may change what the box runs: sudo bikebox-update {args.does}"
            )
        return int(args.run(args))
    except Ended as end:
        _print(f"bikebox-update: {end}")
        return end.code
    except BrokenPipeError:
        return DID_NOT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bikebox-update", description=__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=f"bikebox-update {UPDATER}")
    does = parser.add_subparsers(dest="does", metavar="WHAT", required=True)

    def add(
        name: str, run: Callable[[argparse.Namespace], int], told: str
    ) -> argparse.ArgumentParser:
        adds = does.add_parser(name, help=told, description=told)
        adds.set_defaults(run=run)
        return adds

    _installs(add("install", _install, "check a bundle, switch to it, go back if it is worse"))
    tells = add("status", _status, "what runs, what is on trial, what was put back and why")
    tells.add_argument("--json", action="store_true", help="for programs")
    _goes_back(add("rollback", _rollback, "go back to the release before"))
    add("confirm", _confirm, "finish what was interrupted; look at a release on probation")
    add("boot", _boot, "before the services start: see that there is a whole release")
    add("gate", _gate, "does the box serve, and does all that works go on working")
    checks = add("verify", _verify, "may this bundle come onto this box")
    checks.add_argument("bundle", type=Path)
    add("set-up", _set_up, "install the updater that this file is part of")
    add("here", _here, "what the update's own unit runs: what was asked for")
    return parser


def _installs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path)
    parser.add_argument(
        "--force", action="store_true", help="a downgrade, or one that was put back"
    )
    _by(parser)


def _goes_back(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--on-trial", action="store_true", help="only a release on trial")
    parser.add_argument("--why", default="", help="the reason, for status and audit")
    _by(parser)


def _by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", default=os.environ.get("SUDO_USER", "root"), help="who asks")
    parser.add_argument("--detach", action="store_true", help="do not wait for the end")


# what a person types: a unit does it, and this process only follows ------------------------------


def _install(args: argparse.Namespace) -> int:
    more = ["--force"] if args.force else []
    return _by_unit(args, ["install", str(args.bundle.absolute()), "--by", _who(args.by), *more])


def _rollback(args: argparse.Namespace) -> int:
    more = ["--on-trial"] if args.on_trial else []
    return _by_unit(args, ["rollback", "--by", _who(args.by), "--why", args.why, *more])


def _who(by: str) -> str:
    """Return the name that was given, and the account that sudo saw when it is another."""
    account = os.environ.get("SUDO_USER", "")
    return by if not account or by.partition("@")[0] == account else f"{by}, as {account}"


def _by_unit(args: argparse.Namespace, inner: list[str]) -> int:
    places = Places(ROOT)
    launch(places, inner)
    return WORKED if args.detach else follow(places, _print)


# what the unit does ------------------------------------------------------------------------------


def _here(_args: argparse.Namespace) -> int:
    args = _parser().parse_args(asked(Places(ROOT)))
    return _install_here(args) if args.does == "install" else _rollback_here(args)


def _install_here(args: argparse.Namespace) -> int:
    return reported(
        Places(ROOT),
        lambda say: _told(say, lambda box: install(box, args.bundle, by=args.by, force=args.force)),
    )


def _rollback_here(args: argparse.Namespace) -> int:
    def work(box: Box) -> str:
        if args.on_trial and box.on_trial() is None:
            return "nothing is on trial"
        return roll_back(box, by=args.by, why=args.why)

    return reported(Places(ROOT), lambda say: _told(say, work))


def _told(say: Say, work: Callable[[Box], str]) -> int:
    """Do one thing with the box, alone; tell how it ended."""
    end_s = time.perf_counter() + WAIT_S
    while True:
        try:
            with alone(Places(ROOT)):
                say(work(box_of(ROOT, say)))
                return WORKED
        except Ended as end:
            busy = "another update" in str(end)
            if not busy or time.perf_counter() > end_s:
                say(str(end))
                return end.code
            time.sleep(0.2)


def _confirm(_args: argparse.Namespace) -> int:
    if active():
        return WORKED  # the unit that installs looks for itself
    code = _told(_print, confirm)
    return WORKED if code != DID_NOT else DID_NOT


def _boot(_args: argparse.Namespace) -> int:
    return _told(_print, lambda box: at_boot(box) or "nothing to mend")


# what only looks ---------------------------------------------------------------------------------


def _status(args: argparse.Namespace) -> int:
    Places(ROOT).make()
    told = status(box_of(ROOT, _print))
    _print(json.dumps(told) if args.json else words(told))
    return WORKED


def _gate(_args: argparse.Namespace) -> int:
    box = box_of(ROOT, _print)
    current = box.releases.current()
    if current is None:
        raise Ended("no release is installed")
    if why := box.gate(current.version, box.before()):
        raise Ended(why)
    _print(f"{current.version} serves, and all that worked goes on working")
    return WORKED


def _verify(args: argparse.Namespace) -> int:
    manifest = verify(box_of(ROOT, _print), args.bundle).manifest
    _print(
        f"{manifest.version}, serial {manifest.serial}, for {manifest.arch} and Python"
        f" {manifest.python}, {manifest.unpacked_bytes // 1_000_000} MB: this box may have it"
    )
    return WORKED


def _set_up(_args: argparse.Namespace) -> int:
    places = Places(ROOT)
    places.make()
    box = box_of(ROOT, _print)
    _print(renew(places, box.machine, Path(__file__).parents[2]) or "installed already")
    return WORKED


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
