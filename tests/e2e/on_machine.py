"""In the machine: does what its kernel's command line says, and tells it on the second serial line.

scene=WORD:WHAT:...,WORD:...   set-up | install:VERSION | die:STEP:TIMES:VERSION | look | forget
"""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

UPDATE = "/usr/local/bin/bikebox-update"
LIBRARY = Path("/usr/local/lib/bikebox-updater/gateway/updater")
RELEASES = Path("/opt/bikebox/releases")
CURRENT = Path("/opt/bikebox/current")


def set_up():
    subprocess.run(["/root/updater/bikebox-update", "set-up"], check=True)
    with (LIBRARY / "state.py").open("a") as state:
        state.write(Path("/root/trap.py").read_text())
    os.sync()
    return {}


def forget():
    """From now on a release is not put on the card before it gets its name: what would that cost?"""
    with (LIBRARY / "machine.py").open("a") as machine:
        machine.write("\nMachine.put_on_card = lambda self, folder: None\n")
    os.sync()
    return {}


def install(version):
    done = subprocess.run(
        [UPDATE, "install", f"/root/{version}.bundle"], capture_output=True, text=True
    )
    return {"code": done.returncode, "words": done.stdout + done.stderr}


def die(step, times, version):
    Path("/run/trap").write_text(f"{step} box {times}")
    subprocess.run([UPDATE, "install", f"/root/{version}.bundle", "--detach"], check=True)
    while not Path("/run/trapped").exists():
        time.sleep(0.01)
    return {"step": step}


def look():
    """Wait until no update works and the release serves; tell what is there."""
    end_s = time.monotonic() + 240
    while True:
        told = json.loads(subprocess.run([UPDATE, "status", "--json"], capture_output=True).stdout)
        serves = served()
        if told["state"] != "installing" and serves == told["version"] is not None:
            break
        if time.monotonic() > end_s:
            break
        time.sleep(1)
    modules = (RELEASES / str(told["version"])).glob("lib/module_*.py")
    return {
        "version": told["version"],
        "served": serves,
        "why": told["why"],
        "modules": sum(module.stat().st_size > 0 for module in modules),
        "empty": sum(p.is_file() and p.stat().st_size == 0 for p in RELEASES.rglob("*")),
        "half": [path.name for path in RELEASES.glob(".*")],
    }


def served():
    try:
        port = Path("/run/bikebox/gateway.port").read_text()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as answer:
            return json.load(answer)["version"]
    except (OSError, ValueError):
        return None


def main():
    # the kernel writes nothing by itself, as in the first half minute: only what is synced is there
    Path("/proc/sys/vm/dirty_writeback_centisecs").write_text("0")
    Path("/proc/sys/vm/dirty_expire_centisecs").write_text("360000")
    words = Path("/proc/cmdline").read_text().split("scene=")[1].split()[0]
    with open("/dev/ttyS1", "w") as line:
        for scene in words.split(","):
            name, *given = scene.split(":")
            does = {
                "set-up": set_up,
                "install": install,
                "die": die,
                "look": look,
                "forget": forget,
            }
            line.write(json.dumps({"did": name, **does[name](*given)}) + "\n")
            line.flush()


main()
