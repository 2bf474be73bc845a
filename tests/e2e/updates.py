"""What a scene does with a box's updater, and how it sees whether the box serves."""

import json
from dataclasses import dataclass
from pathlib import Path

from boxes import Box, until
from fake_release import Foundry

UPDATE = "/usr/local/bin/bikebox-update"
INBOX = "/var/lib/bikebox-update/inbox"
TRAP = Path(__file__).with_name("trap.py")
"""Is added to the updater's memory, so that something dies at a step of a test's choice."""
ASK = """
import json, urllib.request
port = open("/run/bikebox/gateway.port").read().strip()
print(urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).read().decode())
"""


@dataclass(frozen=True)
class Said:
    """How a command of the updater ended."""

    code: int
    words: str


def set_up(box: Box, foundry: Foundry, updater: Path) -> None:
    """Bring the updater and the key that it trusts onto a running box."""
    box.send(foundry.key.with_suffix(".pub"), "/etc/bikebox/release-keys/present.pub")
    box.send(updater, "/root/updater")
    box.run("/root/updater/bikebox-update", "set-up")


def shorten_probation(box: Box) -> None:
    """Let what is installed from now on be kept after five seconds."""
    box.sh(
        "sed -i 's/timedelta(minutes=10)/timedelta(seconds=5)/'"
        " /usr/local/lib/bikebox-updater/gateway/updater/box.py"
    )


def bring(box: Box, bundle: Path) -> str:
    """Upload a bundle and return where it is on the box."""
    there = f"{INBOX}/{bundle.name}"
    box.send(bundle, there)
    return there


def update(box: Box, *words: str, timeout: float = 400) -> Said:
    """Run bikebox-update on a box."""
    done = box.run(UPDATE, *words, check=False, timeout=timeout)
    return Said(done.returncode, done.stdout + done.stderr)


def install(box: Box, bundle: Path, *more: str) -> Said:
    """Bring a bundle and install it, as Ada."""
    return update(box, "install", bring(box, bundle), "--by", "Ada", *more)


def status(box: Box) -> dict:
    """Return what `bikebox-update status --json` tells."""
    told: dict = json.loads(box.run(UPDATE, "status", "--json").stdout)
    return told


def served(box: Box) -> str | None:
    """Return the version that the box's gateway serves; None while it serves none."""
    done = box.run("python3", "-c", ASK, check=False)
    return None if done.returncode else json.loads(done.stdout)["version"]


def settled(box: Box, seconds: float = 240) -> dict:
    """Wait until no update works and the box serves what it should; return its status."""

    def quiet() -> bool:
        told = status(box)
        return told["state"] != "installing" and served(box) == told["version"] is not None

    until(quiet, seconds, f"{box.name} serves: {status(box)}\n{box.journal()[-3000:]}")
    return status(box)


def whole(box: Box) -> None:
    """Fail unless `current` is a complete release: every file of it, and none empty."""
    files = box.sh("find -L /opt/bikebox/current -name 'module_*.py' -size +0").split()
    assert len(files) == 40, files
    box.run("/opt/bikebox/current/bin/bikebox", "self-test")
    assert box.sh("ls -A /opt/bikebox/releases | grep '^\\.' || true") == ""
