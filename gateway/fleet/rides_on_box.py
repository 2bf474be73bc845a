"""Run on a box by its own Python before anything is changed: ends with 3 while somebody rides.

The ride itself says so, five times a second; a box without a ride service has nobody on it. The
standard library only; it is piped in, not installed.
"""

import json
import socket
import sys

DOOR = "/run/bikebox/ride.sock"
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


try:
    ridden = rides()
except (OSError, ValueError):
    ridden = False
sys.exit(3 if ridden else 0)
