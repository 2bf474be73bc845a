"""What playing the class costs, beside GStreamer doing the same in the same seconds.

    python -m tests.whep.cpu [SECONDS]

One Janus, one teacher, two viewers: `bikebox player --headless` (receive, decode, draw, mix) and
webrtcbin with its own decoders, converter and sinks in memory. CPU is read from /proc after a
warm-up, memory at its ends.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.whep.island import BIKEBOX, TOKEN, Island
from tests.whep.janus_class import PATH, start_janus
from tests.whep.wifi import HERE, STUDIO, Wifi

WARM_S = 5.0


def cpu_s(process: subprocess.Popen[bytes]) -> float:
    """Return the CPU seconds a process has used."""
    words = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(process: subprocess.Popen[bytes]) -> float:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def compare(island: Island, url: str, seconds: float) -> dict[str, tuple[float, float, float]]:
    """Return each viewer's share of a core, and its memory in MB at the beginning and the end."""
    life = str(seconds + WARM_S + 2)
    ours = [*BIKEBOX, "player", "--whep", url, "--token", TOKEN, "--headless", "--seconds", life]
    theirs = ["/usr/bin/python3", str(HERE / "gst_watch.py"), url, TOKEN, life]
    nowhere = {"BIKEBOX_CONFIG": "/nonexistent/bikebox.toml"}
    viewers = {
        "bikebox": island.start("bikebox", ours, **nowhere),
        "gstreamer": island.start("gstreamer", theirs),
    }
    time.sleep(WARM_S)
    before = {name: (cpu_s(one), rss_mb(one)) for name, one in viewers.items()}
    time.sleep(seconds)
    return {
        name: ((cpu_s(one) - before[name][0]) / seconds, before[name][1], rss_mb(one))
        for name, one in viewers.items()
    }


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    with tempfile.TemporaryDirectory() as name, Wifi(Path(name), "--delay-ms", "1") as wifi:
        start_janus(wifi.studio, Path(name))
        wifi.teach()
        cost = compare(wifi.bike, f"http://{STUDIO}{PATH}", seconds)
        for viewer, (share, begin_mb, end_mb) in cost.items():
            line = f"{viewer}: {share:.1%} of a core, {begin_mb:.0f} -> {end_mb:.0f} MB\n"
            sys.stdout.write(line)
        assert cost["gstreamer"][0] > 0, wifi.bike.said("gstreamer")
        sys.stdout.write(f"ratio {cost['bikebox'][0] / cost['gstreamer'][0]:.2f}\n")
        time.sleep(4)
        sys.stdout.write(wifi.bike.said("gstreamer")[-500:] + wifi.bike.said("bikebox")[-500:])


if __name__ == "__main__":
    main()
