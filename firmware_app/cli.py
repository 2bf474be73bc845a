"""The one command, bikebox: finds what was asked for and turns errors into sentences.

Exit codes: 0 it worked, 1 it did not, 2 the command line was wrong, 78 a technician must change
something first (EX_CONFIG; systemd does not restart on it).
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
from typing import Protocol

from firmware_app.errors import BikeError, SetupError
from firmware_app.logs import set_up_logs

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""Before anything loads numpy: its threads wait by spinning, which took a fifth of a core from the
ride service for fits of a few dozen numbers."""


class CommandModule(Protocol):
    """What a file under commands/ offers; its docstring is its help."""

    __doc__: str | None

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what may follow the command's name."""
        ...

    def run(self, args: argparse.Namespace) -> int:
        """Do it; return the exit code."""
        ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run `bikebox ...`; return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    found = {point.name: point for point in entry_points(group="bikebox.commands")}
    parser = argparse.ArgumentParser(
        prog="bikebox",
        description="A coach on every smart bike of a gym.",
        epilog="`bikebox COMMAND --help` tells the rest.",
    )
    parser.add_argument("--version", action="version", version=f"bikebox {version('bikebox')}")
    parser.add_argument("command", choices=sorted(found), metavar="COMMAND", help=", ".join(found))
    if not words or words[0] not in found:
        parser.parse_args(words or ["--help"])
        return 2
    return _run(found[words[0]], words[1:])


def _run(point: EntryPoint, words: Sequence[str]) -> int:
    module: CommandModule = point.load()
    told = (module.__doc__ or "").strip().partition("\n\n")
    parser = argparse.ArgumentParser(
        prog=f"bikebox {point.name}",
        description=told[0],
        epilog=told[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")
    module.arguments(parser)
    args = parser.parse_args(words)
    set_up_logs(point.name, verbose=args.verbose)
    try:
        return module.run(args)
    except SetupError as error:
        print(f"bikebox {point.name}: {error}", file=sys.stderr)  # noqa: T201 - for people
        return 78
    except BikeError as error:
        print(f"bikebox {point.name}: {error}", file=sys.stderr)  # noqa: T201 - for people
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
