"""Lets a unit of its own do the update and follows it: a dropped SSH session ends the following.

(systemd-run --wait --pipe would end the update with the session; that was tried.)
"""

import contextlib
import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.updater.outcome import DID_NOT, Ended
from gateway.updater.places import Places, write_json

UNIT = "update-bikebox-run.service"
REPAIR = "update-bikebox-confirm.service"
POLL_S = 0.1
ENDING_S = 5.0
"""For one that has said how it ended, or was killed, to be gone."""
ASKED = "asked"


def launch(places: Places, words: Sequence[str]) -> None:
    """Let the updater's unit, which nobody's session holds, do what a command line says.

    Raise Ended when it works already. Its words lie in a file: a unit made anew for each update
    would be refused for as long as systemd has not put the last one away.
    """
    places.make()
    with (places.run / "asking").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        end_s = time.perf_counter() + ENDING_S
        while active():
            if time.perf_counter() > end_s:
                raise Ended("another update is running; `bikebox-update status` tells which")
            time.sleep(POLL_S)
        for name in ("progress", "exit"):
            (places.run / name).unlink(missing_ok=True)
        write_json(places.run / ASKED, list(words))
        command = ["systemctl", "start", UNIT]  # returns when the updater has been started
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise Ended(f"systemd does not start the update: {done.stderr.strip()}")


def asked(places: Places) -> list[str]:
    """Return the command line that launch() left, once; raise Ended when there is none."""
    path = places.run / ASKED
    try:
        words = [str(word) for word in json.loads(path.read_text(encoding="utf-8"))]
        path.unlink()
    except (OSError, ValueError) as error:
        raise Ended(f"nothing was asked for ({error}); type bikebox-update install") from error
    return words


def active() -> bool:
    """Tell whether the unit runs."""
    command = ["systemctl", "show", UNIT, "--property=ActiveState", "--value"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    return done.stdout.strip() in {"active", "activating", "deactivating"}


def follow(places: Places, tell: Callable[[str], None]) -> int:
    """Tell the running update's words as they come; return its exit code."""
    told = 0
    while True:
        runs = active()
        lines = _lines(places.run / "progress")
        for line in lines[told:]:
            tell(line)
        told = len(lines)
        if not runs:
            break
        time.sleep(POLL_S)
    try:
        return int(json.loads((places.run / "exit").read_text(encoding="ascii")))
    except (OSError, ValueError):
        tell(f"the updater died; {REPAIR} puts it right: `bikebox-update status` tells")
        return DID_NOT


def reported(places: Places, work: Callable[[Callable[[str], None]], int]) -> int:
    """Do the work of the unit, leaving its words and its exit code for whoever follows."""
    places.make()
    with (places.run / "progress").open("a", encoding="utf-8", buffering=1) as progress:

        def say(words: str) -> None:
            progress.write(words + "\n")
            with contextlib.suppress(OSError):  # the journal may be gone; the work goes on
                sys.stdout.write(words + "\n")
                sys.stdout.flush()

        code = work(say)
    write_json(places.run / "exit", code)
    return code


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return []
    return text[: text.rfind("\n") + 1].splitlines()
