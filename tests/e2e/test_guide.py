"""The technician's guide is typed, command by command, and does what it says."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from boxes import REPOSITORY, until
from typed import Block, blocks, type_in
from whole_release import SETTINGS, whole_release, with_bench

GUIDE = REPOSITORY / "docs/technician.md"
ANSWERS = {
    "[y/N]": "y", "passphrase for the root's key:": "a drawer with a key",
    "Enter file in which to save": "", "Enter passphrase": "", "Enter same passphrase": "",
    "Password:": "", "Password (one more time):": "",
    "The gym's new PIN:": "271828", "The same again:": None,
}  # fmt: skip
BY_ANOTHER_TEST = {
    "make models": "tests/e2e/test_laptop.py",
    "make fleet": "tests/e2e/test_laptop.py",
    "bikebox release build --key release.key": "tests/e2e/test_laptop.py",
}
"""What takes minutes and needs the network, and which test does it."""
FOR_EVER = "bikebox studio --config gym.toml"


def test_every_command_that_the_guide_names_is_typed_here():
    typed = "\n".join(block.text for block in blocks(GUIDE))
    prose = re.sub(r"^```.*?^```$", "", GUIDE.read_text(), flags=re.MULTILINE | re.DOTALL)
    named = re.findall(r"`((?:sudo |bikebox |make |ssh |journalctl |systemctl )[^`]*)`", prose)
    assert named
    for command in named:
        assert command in typed or command == "ssh 10.20.0.11", command
    for command, test in BY_ANOTHER_TEST.items():
        assert command in typed
        assert command in (REPOSITORY / test).read_text()


class Scene:
    """A laptop, a studio and two bikes, and a person who types what the guide says."""

    def __init__(self, row, foundry, folder: Path) -> None:
        self.row, self.folder = row, folder
        self.laptop, self.studio = folder / "laptop", folder / "studio"
        (self.laptop / "dist").mkdir(parents=True)
        self.studio.mkdir()
        self.bootfs = folder / "bootfs"
        self.bootfs.mkdir()
        (self.bootfs / "cmdline.txt").write_text("root=PARTUUID=1-02 quiet\n")
        self.key = self.laptop / ".ssh/id_ed25519"
        self.key.parent.mkdir(mode=0o700)
        for serial, version in enumerate(("26.11.0", "26.11.1"), 1):
            shutil.copy(whole_release(foundry, version, serial), self.laptop / "dist")
        self.foundry = foundry
        self.code = ""
        self.running: list[subprocess.Popen[bytes]] = []
        self.shown: list[str] = []

    def here(self, text: str) -> str:
        """Put this scene's addresses and keys where the guide has its examples."""
        public = self.key.with_suffix(".pub").read_text().strip() if self.key.exists() else ""
        release = self.foundry.key.with_suffix(".pub").read_text().splitlines()[1]
        places = {
            "studio.north.example": self.row.ip, "broker.north.example": self.row.ip,
            "ssh-ed25519 AAAA... sagar@laptop": public, "RW...": release, "CODE": self.code,
            ". .venv/bin/activate": f". {REPOSITORY}/.venv/bin/activate",
            "ssh-keygen -t ed25519": f"ssh-keygen -t ed25519 -f {self.key}",
            "/media/sagar/bootfs": str(self.bootfs),
            **{f"10.20.0.{10 + n}": box.ip for n, box in enumerate(self.row.boxes, 1)},
        }  # fmt: skip
        for there, here in places.items():
            text = text.replace(there, here)
        return text

    def write(self, block: Block) -> None:
        """Put a file of the guide where it belongs; the bench stands for a bike's hardware."""
        text = self.here(block.text)
        if block.where == "fleet.toml":
            text = text.replace("gateway.lan = true\n", f"gateway.lan = true\n{SETTINGS}")
        place = self.studio if block.where == "gym.toml" else self.laptop
        (place / block.where).write_text(text)

    def type(self, where: str, line: str) -> None:
        """Type one line, and fail when it fails."""
        if line in BY_ANOTHER_TEST:
            return
        if line == FOR_EVER:
            self.serve()
            return
        words = [*self.row.enter, "bash", "-c", self.here(line)]
        if where == "bike":
            words = [*self.row.ssh_words(self.row.boxes[0], "sagar", self.key), line]
        place = self.studio if where == "studio" else self.laptop
        path = f"{REPOSITORY}/.venv/bin:{os.environ['PATH']}"
        told = type_in(
            ["env", f"--chdir={place}", *words], ANSWERS,
            HOME=str(self.laptop), LOGNAME="sagar", PATH=path,
        )  # fmt: skip
        self.shown.append(f"$ {line}\n{told.shown}")
        # the doctor of a box without screen, speaker and clock is right to end with 1
        well = told.code == 0 or ("Not well: clock, screen, speaker" in told.shown)
        well = well or (line == "bikebox fleet doctor" and "NOT well" in told.shown)
        assert well, "\n".join(self.shown[-2:])
        if found := re.search(r"^([0-9A-Z]{4}(?:-[0-9A-Z]{4}){4})$", told.shown, re.MULTILINE):
            self.code = found[1]
        if line.startswith("ssh-keygen"):  # and the card is written, with this key for technician
            for box in self.row.boxes:
                home = "/home/technician/.ssh/authorized_keys"
                box.run("tee", home, give=self.key.with_suffix(".pub").read_text())

    def serve(self) -> None:
        """Start what runs for ever on the studio's machine: the studio, the broker beside it."""
        ca = self.studio / "ca"
        self.start("studio", [REPOSITORY / ".venv/bin/bikebox", *FOR_EVER.split()[1:]])
        until((self.studio / "broker/changed").exists, 30, self.log("studio"))
        conf = (REPOSITORY / "config/broker/mosquitto.conf").read_text()
        for name in ("acl", "crl.pem"):
            conf = conf.replace(f"/etc/mosquitto/bikebox/{name}", f"{self.studio}/broker/{name}")
        conf = conf.replace("/etc/mosquitto/bikebox/", f"{ca}/")
        conf = conf.replace("/var/lib/mosquitto/", f"{self.studio}/")
        (self.studio / "mosquitto.conf").write_text(f"user root\n{conf}")
        self.start("mosquitto", ["mosquitto", "-c", self.studio / "mosquitto.conf"])

    def start(self, name: str, words: list) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [*self.row.enter, "setpriv", "--pdeathsig", "KILL", *map(str, words)]
            self.running.append(subprocess.Popen(command, cwd=self.studio, stdout=log, stderr=log))

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def said(self, command: str) -> str:
        """What was shown after the newest of such commands."""
        return next(text for text in reversed(self.shown) if text.startswith(f"$ {command}"))

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()


@pytest.fixture
def scene(row, foundry, tmp_path):
    for box in row.boxes:
        box.cut()
        with_bench(box)
        box.start()
    for box in row.boxes:
        box.wait_up()
    scene = Scene(row, foundry, tmp_path)
    yield scene
    scene.stop()


@pytest.mark.long
@pytest.mark.boxes(2)
def test_the_guide_is_typed_from_the_first_line_to_the_last(scene):
    for block in blocks(GUIDE):
        if block.kind == "toml":
            scene.write(block)
        for line in block.lines if block.kind == "sh" else ():
            scene.type(block.where, line)
    first, second = scene.row.boxes
    assert first.sh("hostname") == "row1-bike01\n"
    assert "host_key" in (scene.laptop / "fleet.toml").read_text()
    assert "This box is row1-bike01 of Gym North" in "".join(scene.shown)
    done = scene.said("bikebox fleet --as technician provision --on row1-bike01 --bundle")
    assert "ok  certificate              row1-bike01, until 20" in done
    assert "Not well: clock, screen, speaker" in done, "which this box has not"
    assert "26.11.1" in scene.said("bikebox fleet status --on north")
    assert "runs        26.11.0" in scene.said("sudo bikebox-update status"), "it was rolled back"
    assert second.sh("hostname") == "row1-bike02\n"
    (log,) = first.sh("ls /var/log/bikebox/*.log.gz").split()
    assert "systemd" in scene.said("bikebox fleet logs --on row1-bike01 --kept"), log
