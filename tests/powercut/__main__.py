"""Cuts the power of a box at many moments: `python -m tests.powercut --cuts 2000`."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.powercut.cuts import life, pull_the_plug


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.powercut", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--intervals", type=int, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cut") as scratch:
        folder = Path(scratch)
        calls = life(folder / "life", folder / "strace.log", args.intervals)
        harm = pull_the_plug(calls, folder / "life", folder / "after", args.cuts, args.seed)
    figures = ", ".join(f"{field} {n}" for field, n in harm._asdict().items())
    sys.stdout.write(f"{len(calls)} calls traced; {figures}\n")
    broken = harm.synced_lost, harm.confirmed_lost, harm.corrupt, harm.never_arrived, harm.doubled
    return int(any(broken))


if __name__ == "__main__":
    sys.exit(main())
