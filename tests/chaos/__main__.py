"""Blows a storm and tells what it cost: `make chaos SEED=7 KILLS=200 BROKER=nats`.

Exit code 0: nothing lost, nothing twice, in order. 1: anything else.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.storm import Storm


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--broker", choices=("mosquitto", "nats", "cluster"), default="mosquitto")
    parser.add_argument("--boxes", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="leave databases and logs in this empty folder")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="storm") as scratch:
        storm = Storm(args.keep or Path(scratch), args.seed, args.broker, args.boxes)
        began_s = time.perf_counter()
        try:
            storm.run(args.kills)
            result = storm.tally()
        finally:
            storm.stop()
        took_s = time.perf_counter() - began_s
    deeds = ", ".join(f"{n} {deed}" for deed, n in sorted(storm.deeds.items()))
    peaks = ", ".join(f"{name} {mb} MB" for name, mb in sorted(storm.most_mb.items()))
    sys.stdout.write(
        f"{args.broker}, seed {args.seed}, {took_s:.0f} s: {deeds}; at most {peaks}\n"
        f"{result.disordered} out of order, {result.foreign} that nobody told\n"
        f"lost {result.lost} doubled {result.doubled} of {result.expected} records,"
        f" {storm.kills} kills\n"
    )
    return int(any((result.lost, result.doubled, result.disordered, result.foreign)))


if __name__ == "__main__":
    sys.exit(main())
