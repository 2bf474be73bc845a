"""What a bike writes to its card, in megabytes an hour: while somebody rides, and at rest.

    unshare --mount python -m tests.load.card SECONDS        (root, after make e2e: it boots a box)

A whole box of tests/e2e, with all its services as their units run them, systemd and its log, on an
ext4 of its own, mounted noatime as provisioning does it; what the file system itself writes (its
journal, its tables) is counted with the rest. Studio and broker are on the laptop, as in a gym; the
camera is a video of a rider. 900 seconds have one copy of the log in them.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from boxes import until
from fake_release import Foundry
from row import Row
from test_identity import Studio
from whole_release import SETTINGS, whole_release, with_bench

CARD_MB = 2000
SETTLE_S = 60.0
"""Begun and written out before it is measured."""
PROBATION = (
    "sed -i 's/timedelta(minutes=10)/timedelta(seconds=5)/'"
    " /usr/local/lib/bikebox-updater/gateway/updater/box.py"
)
CRANK = "/etc/bikebox/bikebox.toml"


def main(seconds: float) -> int:
    with TemporaryDirectory(prefix="bikebox-card-") as place:
        folder = Path(place)
        card = Card(folder / "card.img", folder / "card")
        try:
            told = _measure(folder, card, seconds)
        finally:
            card.close()
    for name, mb_an_hour in told.items():
        sys.stdout.write(f"{name:<8} {mb_an_hour:6.1f} MB an hour\n")
    return 0


def _measure(folder: Path, card: "Card", seconds: float) -> dict[str, float]:
    """Return megabytes an hour that one bike writes, by what happens on it."""
    foundry = Foundry(folder / "foundry")
    bundle = whole_release(foundry, "26.11.0", 1)
    with Row(card.where / "row", 1) as row:
        (box,) = row.boxes
        box.cut()
        with_bench(box)
        box.start()
        box.wait_up()
        studio = Studio(row, folder / "gym")
        try:
            _provision(row, foundry, bundle, studio, folder)
            box.sh(PROBATION)
            until(lambda: '"idle"' in box.sh("bikebox-update status --json"), 60, "it is kept")
            told = {"idle": card.mb_an_hour(seconds)}
            box.sh(f"sed -i 's/^sim_pulses.*/sim_rpm = 85.0/' {CRANK}")
            box.sh("systemctl restart bikebox.target")
            told["riding"] = card.mb_an_hour(seconds)
            sys.stdout.write(box.sh("ls -l /var/lib/bikebox/journals /var/log/bikebox"))
            return told
        finally:
            studio.stop()


def _provision(row: Row, foundry: Foundry, bundle: Path, studio: Studio, folder: Path) -> None:
    (box,) = row.boxes
    public = row.key.with_suffix(".pub").read_text().strip()
    release = foundry.key.with_suffix(".pub").read_text().splitlines()[1]
    fleet = folder / "fleet.toml"
    fleet.write_text(
        f'[technicians]\nada = "{public}"\n[release_keys]\npresent = "{release}"\n'
        f'[gyms.north]\nstudio = "http://{row.ip}:8790"\n[gyms.north.settings]\n{SETTINGS}'
        f"[gyms.north.bikes]\n{box.name} ="
        f' {{ address = "{box.ip}", host_key = "{box.host_key}" }}\n'
    )
    code = studio.bikebox("studio", "--config", studio.config, "claim", "--box", box.name).split()[
        0
    ]
    row.laptop(
        "bikebox", "fleet", "--fleet", str(fleet), "--as", "technician", "--key", str(row.key),
        "provision", "--yes", "--bundle", str(bundle), "--claim", code, check=False, timeout=300,
    )  # fmt: skip


class Card:
    """A disk in a file, with a file system that counts what is written to it."""

    def __init__(self, image: Path, where: Path) -> None:
        where.mkdir()
        self.where = where
        with image.open("wb") as file:
            file.truncate(CARD_MB << 20)
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", str(image))
        _run("mount", "-o", "loop,noatime", str(image), str(where))
        device = _run("findmnt", "-no", "SOURCE", str(where)).strip().removeprefix("/dev/")
        self._counter = Path("/sys/fs/ext4") / device / "session_write_kbytes"

    def mb_an_hour(self, seconds: float) -> float:
        """Return what is written in the next seconds, after it has settled."""
        time.sleep(SETTLE_S)
        before, began_s = self._written_kb(), time.monotonic()
        time.sleep(seconds)
        written_kb, took_s = self._written_kb() - before, time.monotonic() - began_s
        return written_kb / 1000 / took_s * 3600

    def _written_kb(self) -> int:
        """Kilobytes that reached the disk, what is on its way to it included."""
        _run("sync", "-f", str(self.where))
        return int(self._counter.read_text())

    def close(self) -> None:
        _run("umount", str(self.where))


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
