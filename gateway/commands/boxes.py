"""What an operator does with the gym's boxes: claim, revoke, list, and the authority behind it.

Parts of `bikebox studio`. Claims and revocations go into the register beside the studio's database;
the studio, running, writes what the broker reads.
"""

import argparse
import getpass
import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import segno

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput, MissingPart
from firmware_app.settings import Name
from gateway.identity.authority import (
    ISSUER_DAYS,
    Issuer,
    Wanted,
    issue,
    make_issuer,
    make_root,
    new_key,
    pem,
)
from gateway.identity.keys import read_issuer, write_key
from gateway.identity.shown import claim_words
from gateway.studio.broker_files import STUDIO
from gateway.studio.register import Register
from gateway.studio.settings import GymSettings


def arguments(does: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Take what may be done."""
    claim = does.add_parser("claim", help="make a one-time code that turns a box into NAME")
    claim.add_argument("--box", required=True, metavar="NAME", help="as painted on the frame")
    claim.add_argument("--hours", type=float, default=72.0, help="how long it waits (72)")
    claim.add_argument("--url", metavar="URL", help="of this studio, as the box reaches it")
    claim.add_argument("--replace", action="store_true", help="NAME gets a new card")
    revoke = does.add_parser("revoke", help="trust a box no longer")
    revoke.add_argument("box", metavar="BOX")
    revoke.add_argument("--why", default="", help="for the audit")
    does.add_parser("boxes", help="every box, its certificate and its claim")
    does.add_parser("audit", help="who claimed, renewed, revoked and was refused; is it whole")
    ca = does.add_parser("ca", help="the gym's certificate authority")
    verb = ca.add_subparsers(dest="ca", metavar="WHAT", required=True)
    init = verb.add_parser("init", help="make root, issuer, broker's and studio's certificate")
    init.add_argument("--broker", required=True, metavar="HOST", nargs="+", help="names, addresses")
    init.add_argument("--gym", default="", help="its name, in the authorities'")
    more = verb.add_parser("issue", help="sign a certificate for a server or a program")
    more.add_argument("name", help="its common name")
    more.add_argument("--host", nargs="+", default=[], help="it serves under these names")
    more.add_argument("--days", type=float, default=820.0, help="at most 825 please browsers (820)")
    for one in (init, more):
        one.add_argument("--to", required=True, type=Path, metavar="DIR", help="of the authority")
    init.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="of the root's key; else it is asked"
    )


def run(args: argparse.Namespace, settings: GymSettings) -> int:
    """Do it."""
    if args.does == "ca":
        return _init(args) if args.ca == "init" else _issue(args)
    if not settings.keeps_register:
        raise BadInput(
            "this studio lets no boxes in; [identity] ca_file is empty, or --config is missing."
            " `bikebox studio ca init` makes an authority"
        )
    _be_its_owner(Path(settings.identity.folder))
    register = Register(settings.register, MachineClock())
    try:
        return _with(register, args, settings)
    finally:
        register.close()


def _with(register: Register, args: argparse.Namespace, settings: GymSettings) -> int:
    by, say = _operator(), sys.stdout.write
    match args.does:
        case "claim":
            try:
                msgspec.convert(args.box, Name)
            except msgspec.ValidationError as error:
                raise BadInput(f"--box {args.box}: 1 to 32 of A-Z a-z 0-9 _ -") from error
            _check_name(args.box, settings.identity.broker_url)
            code = register.make_claim(args.box, by, args.hours, replace=args.replace)
            url = args.url or _address(settings)
            say(
                f"{code}\nGood once, for {args.box}, for {args.hours:g} hours. On the box:\n"
                f"  bikebox provision --studio {url} --claim {code}\n"
                "Or hold this to the camera of a box that has no name yet:\n"
            )
            segno.make(claim_words(url, code), error="m", micro=False).terminal(compact=True)
        case "revoke":
            if args.box not in {entry.box for entry in register.boxes()}:
                raise BadInput(f"{args.box}: no box of this name; `bikebox studio boxes` tells")
            number = register.revoke(args.box, by, args.why)
            say(f"{args.box}: {number} certificates revoked; the studio tells the broker.\n")
        case "boxes":
            for entry in register.boxes():
                say(f"{entry.box:<32} {entry.words}\n")
        case _:
            for noted in reversed(register.audit()):
                say(f"{noted.wall_utc[:19]}  {noted.what:<16} {noted.who:<20} {noted.detail}\n")
            checked = register.check_audit()
            if checked.broken_at is not None:
                say(f"Entry {checked.broken_at} does not follow from the one before: changed.\n")
                return 1
            say(f"{checked.entries} entries, each follows from the one before.\n")
    return 0


def _address(settings: GymSettings) -> str:
    """Return where boxes find this studio, as well as it knows."""
    alone = settings.host in ("0.0.0.0", "::", "127.0.0.1", "::1", "localhost")  # noqa: S104 - asked
    host = next(iter(settings.names), socket.gethostname()) if alone else settings.host
    return f"{'https' if settings.tls else 'http'}://{host}:{settings.port or 8790}"


def _check_name(box: str, broker_url: str) -> None:
    """Refuse a box the broker's own name, for its certificate would pass for the broker's."""
    host = (urlsplit(broker_url).hostname or "").lower()
    if box.lower() == "localhost" or host in (box.lower(), f"{box.lower()}.local"):
        raise BadInput(f"--box {box}: the broker is reached under this name; choose another")


def _init(args: argparse.Namespace) -> int:
    passphrase = _passphrase(args.passphrase_file)
    now = MachineClock().wall()
    root = make_root(args.gym, now)
    issuer = make_issuer(args.gym, root, now)
    try:
        args.to.mkdir(parents=True, exist_ok=True)
        write_key(root.key, args.to / "root.key", passphrase)
        write_key(issuer.key, args.to / "issuer.key")
        (args.to / "root.pem").write_text(pem(root.certificate))
        (args.to / "issuer.pem").write_text(pem(issuer.certificate))
        (args.to / "ca.pem").write_text(pem(issuer.certificate, root.certificate))
    except FileExistsError as error:
        raise BadInput(f"{error.filename} is there already; name a new folder") from error
    except OSError as error:
        raise MissingPart(f"{args.to}: {error.strerror or error}") from error
    _sign(
        args.to, issuer, "broker", Wanted("broker", ISSUER_DAYS, tuple(args.broker), client=False)
    )
    _sign(args.to, issuer, "studio", Wanted(STUDIO, ISSUER_DAYS))
    sys.stdout.write(
        f"{args.to}: the gym's authority.\n"
        "  root.key                take it to a drawer, off this machine; its passphrase too\n"
        "  issuer.key, ca.pem      for the studio ([identity] in gym.toml)\n"
        "  broker.key, broker.pem  for the broker; with ca.pem\n"
        "  studio.key, studio.pem  for the studio at the broker ([mqtt] in gym.toml)\n"
    )
    return 0


def _issue(args: argparse.Namespace) -> int:
    name = args.name.replace("/", "_")
    issuer = read_issuer(args.to / "ca.pem", args.to / "issuer.key")
    _sign(args.to, issuer, name, Wanted(args.name, args.days, tuple(args.host)))
    sys.stdout.write(f"{args.to}: {name}.key and {name}.pem\n")
    return 0


def _sign(folder: Path, issuer: Issuer, name: str, wanted: Wanted) -> None:
    key = new_key()
    made = issue(wanted, key.public_key(), issuer, MachineClock().wall())
    try:
        write_key(key, folder / f"{name}.key")
        (folder / f"{name}.pem").write_text(pem(made, issuer.certificate))
    except OSError as error:
        raise BadInput(
            f"{error.filename}: {error.strerror}; take the old one away first"
        ) from error


def _passphrase(file: Path | None) -> bytes:
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadInput(f"{file}: {error.strerror}") from error
    else:
        text = getpass.getpass("A passphrase for the root's key: ")
        if text != getpass.getpass("The same again: "):
            raise BadInput("these were two different passphrases; nothing was made")
    if len(text) < 12:
        raise BadInput("a passphrase of 12 letters or more: whoever has the root has the gym")
    return text.encode()


def _operator() -> str:
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _be_its_owner(folder: Path) -> None:
    """Let root write as the studio does: a file of root's would lock the studio out."""
    if os.geteuid() == 0 and folder.exists() and (owner := folder.stat()).st_uid != 0:
        os.setgroups([owner.st_gid])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
