"""Does the player's memory stay flat? Plays a class for minutes and fits a line through its memory.

    python -m tests.whep.soak [MINUTES]        12 if not said; ends with 1 when it grows

Over a Wi-Fi that loses 2 %, so that what repairs losses is at work all the time.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.whep.cpu import rss_mb
from tests.whep.island import BIKEBOX, TOKEN
from tests.whep.janus_class import PATH, start_janus
from tests.whep.wifi import STUDIO, Wifi

WARM_S = 60.0
EVERY_S = 5.0
FLAT_MB_H = 10.0
"""Of 130 MB: a box that plays from morning to night ends where it began."""


def slope_mb_h(at_s: list[float], mb: list[float]) -> float:
    """Return the slope of the line that fits best, in MB an hour."""
    return float(np.polyfit(np.array(at_s) / 3600, mb, 1)[0])


def main() -> int:
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 12.0
    radio = ("--delay-ms", "15", "--jitter-ms", "10", "--loss", "0.02")
    with tempfile.TemporaryDirectory() as name, Wifi(Path(name), *radio) as wifi:
        start_janus(wifi.studio, Path(name))
        wifi.teach()
        seconds = WARM_S + minutes * 60
        url = f"http://{STUDIO}{PATH}"
        words = [*BIKEBOX, "player", "--whep", url, "--token", TOKEN, "--headless"]
        words += ["--seconds", str(seconds + 30)]
        player = wifi.bike.start("player", words, BIKEBOX_CONFIG="/nonexistent/bikebox.toml")
        begin_s = time.monotonic()
        at_s, mb = [], []
        while time.monotonic() - begin_s < seconds:
            time.sleep(EVERY_S)
            since_s = time.monotonic() - begin_s
            assert player.poll() is None, wifi.bike.said("player")
            if since_s >= WARM_S:
                at_s.append(since_s)
                mb.append(rss_mb(player))
    slope = slope_mb_h(at_s, mb)
    print(  # noqa: T201 - a command
        f"{mb[0]:.1f} -> {mb[-1]:.1f} MB in {minutes:g} minutes,"
        f" least {min(mb):.1f}, most {max(mb):.1f}, slope {slope:+.1f} MB an hour"
    )
    return int(slope > FLAT_MB_H)


if __name__ == "__main__":
    sys.exit(main())
