"""Ride a journal again: the same events in, and see that the same comes out.

Prints the ride's summary and whether the replay told what the bike told then. A journal that a
power cut tore is replayed as far as it goes. Exit code 1 when the replay differs.
"""

import argparse
import json
import sys
from pathlib import Path

import msgspec

from firmware_app.coach.book import cue_file, read_cues
from firmware_app.ride.recording import first_difference, missing, read_recording, replay
from firmware_app.summary import summarise


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the journal and where to leave the summary."""
    parser.add_argument("journal", type=Path, help="NAME.jsonl")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the summary; - prints it")


def run(args: argparse.Namespace) -> int:
    """Replay; 0 when it gives the same ride."""
    recording = read_recording(args.journal)
    book = read_cues(cue_file(recording.setup.coaching.language))
    _ride, told = replay(recording, book)
    summary = json.loads(msgspec.json.encode(summarise(told)))
    difference = first_difference(recording, told)
    unfinished = len(missing(recording, told)) == len(told) - len(recording.told)
    if args.json is not None:
        text = json.dumps(summary, indent=2)
        if str(args.json) == "-":
            print(text)  # noqa: T201 - asked for
        else:
            args.json.write_text(text + "\n", encoding="utf-8")
    say = sys.stderr.write
    if recording.torn:
        say("The last line is torn, as a power cut leaves it; it is left out.\n")
    if recording.unreadable:
        say(f"{recording.unreadable} lines could not be read and were left out.\n")
    say(f"{len(recording.heard)} events replayed, {len(told)} messages told.\n")
    if difference and not (unfinished and recording.torn):
        say(f"The replay differs: {difference}\n")
        return 1
    say("The replay gives the same ride.\n")
    return 0
