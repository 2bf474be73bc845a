"""Run on a box by its own Python before anything is changed: ends with 3 while that must wait.

Somebody rides, as the ride itself says five times a second, or a release has been switched to and
has not passed its gate. The standard library only; it is piped in, not installed.
"""

import json
import socket
import sys

DOOR, UPDATES = "/run/bikebox/ride.sock", "/var/lib/bikebox-update/state.json"
PATIENCE_S = 3.0


def rides() -> bool:
    """Tell whether somebody rides now, or rests during a ride."""
    with socket.socket(socket.AF_UNIX) as door:
        door.settimeout(PATIENCE_S)
        door.connect(DOOR)
        with door.makefile("rb") as lines:
            for line in lines:
                told = json.loads(line)
                if told.get("type") == "Hud":
                    return told.get("phase") in {"riding", "paused"}
    return False


def updates() -> bool:
    """Tell whether an update is at work."""
    with open(UPDATES, encoding="utf-8") as file:  # noqa: PTH123 - as short as it can be
        trial = json.load(file).get("trial")
    return bool(trial) and not trial.get("gated", False)


for asked, words in ((rides, "somebody rides"), (updates, "an update is at work")):
    try:
        waits = asked()
    except (OSError, ValueError, AttributeError):
        waits = False
    if waits:
        sys.stderr.write(words + "\n")
        sys.exit(3)
