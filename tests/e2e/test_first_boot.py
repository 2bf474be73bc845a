"""A card makes itself a bike's, without a laptop near it; a box without a name sees its name."""

import av
import pytest
from boxes import REPOSITORY, until
from test_fleet import Fleet
from test_identity import Studio
from typed import type_in
from whole_release import BENCH, SETTINGS, WHEELS, repeat, whole_release, with_bench

from gateway.identity.shown import claim_words
from tests.test_shown_codes import held

pytestmark = [pytest.mark.long, pytest.mark.boxes(1)]

CMDLINE = "console=tty1 root=PARTUUID=1-02 rootwait quiet\n"
BIKEBOX = "/opt/bikebox/current/bin/bikebox"
WIFI = "/etc/NetworkManager/system-connections/bikebox.nmconnection"


class Card(Fleet):
    """A box whose card was just written, a laptop that wrote on it, and the gym's studio."""

    def __init__(self, row, foundry, folder):
        super().__init__(row, foundry, folder)
        (self.box,) = row.boxes
        self.box.cut()
        with_bench(self.box)
        self.box.put("boot/firmware/cmdline.txt", CMDLINE)
        (self.box.upper / WIFI[1:]).parent.mkdir(parents=True)
        self.boot = self.box.upper / "boot/firmware"
        self.bundle = whole_release(foundry, "26.11.0", 1)
        self.studio = Studio(row)
        text = self.file.read_text().replace(
            "[gyms.north.bikes]", f"[gyms.north.settings]\n{SETTINGS}[gyms.north.bikes]"
        )
        title = "title = 'North'"
        self.file.write_text(text.replace(title, f'{title}\nstudio = "http://{row.ip}:8790"'))

    def claim(self, name):
        words = ("studio", "--config", self.studio.config, "claim", "--box", name)
        return self.studio.bikebox(*words).split()[0]

    def write(self, *words):
        """Type bikebox fleet card ..., and the Wi-Fi's password."""
        line = [
            *self.row.enter, str(REPOSITORY / ".venv/bin/bikebox"), "fleet", "--fleet",
            str(self.file), "card", "--to", str(self.boot), "--bundle", str(self.bundle), *words,
        ]  # fmt: skip
        told = type_in(line, {"password of": "a secret"})
        assert told.code == 0, told.shown

    def start_twice(self):
        """Give it power: what is on cmdline.txt runs, and then what that has installed."""
        ours = (self.boot / "cmdline.txt").read_text().removeprefix(CMDLINE.strip()).strip()
        # a Pi reads cmdline.txt anew when it starts again; here the plug is pulled between
        self.box.more = f"{WHEELS} {ours.replace('=reboot', '=poweroff')}"
        self.box.start()
        until(lambda: self.box.ended, 60, "the first start")
        self.box.cut()
        assert (self.boot / "cmdline.txt").read_text() == CMDLINE
        self.box.more = WHEELS
        self.box.start()
        until(lambda: "done" in self.log, 240, f"the second: {self.box.console()[-3000:]}")

    @property
    def log(self):
        file = self.boot / "bikebox.log"
        return file.read_text() if file.exists() else ""


@pytest.fixture
def card(row, foundry, tmp_path):
    card = Card(row, foundry, tmp_path)
    yield card
    card.studio.stop()


def test_a_card_becomes_the_bike_that_it_was_written_for_and_keeps_no_secret(card):
    box = card.box
    code = card.claim(box.name)
    card.write("--on", box.name, "--claim", code, "--wifi", "Gym North")
    card.start_twice()
    box.wait_up()
    assert "install the updater" in card.log
    assert f"This box is {box.name}" in card.log
    assert f"{box.name}: done" in card.log
    assert "SHA256:" in card.log, "for the first time that it is met by SSH"
    assert "psk=a secret" in box.sh(f"cat {WIFI}")
    assert box.sh(f"stat -c '%a %U' {WIFI}") == "600 root\n"
    left = b"".join(path.read_bytes() for path in card.boot.rglob("*") if path.is_file())
    for secret in (code.encode(), b"a secret"):
        assert secret not in left
    told = card.studio.bikebox("studio", "--config", card.studio.config, "boxes")
    assert f"{box.name} " in told
    assert "ok  release                  26.11.0" in box.run(BIKEBOX, "doctor", check=False).stdout
    shown = card.log.split("SHA256:")[1].split()[0]
    again = card.type("provision", "--on", box.name, "--host-key", f"SHA256:{shown}", "--dry-run",
                      user="technician").stdout  # fmt: skip
    assert "nothing: it is as it shall be" in again


def test_a_box_without_a_name_gets_wifi_and_name_from_codes_that_its_camera_sees(card, tmp_path):
    box = card.box
    card.write("--new", "north")
    code = card.claim("row1-bike07")
    shown = tmp_path / "shown.mp4"
    with av.open(str(shown), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.bit_rate = 640, 480, 2_000_000
        for words in (
            "WIFI:T:WPA;S:Gym North;P:secret;;",
            claim_words(f"http://{card.row.ip}:8790", code),
        ):
            for _ in range(40):
                picture = av.VideoFrame.from_ndarray(held(words), format="bgr24")
                out.mux(stream.encode(picture))
        out.mux(stream.encode())
    repeat(shown, box.upper / f"{BENCH}/rider.mp4"[1:])
    card.start_twice()
    box.wait_up()
    until(lambda: "This box is row1-bike07" in box.journal("welcome-bikebox"), 120, "its name")
    assert "psk=secret" in box.sh(f"cat {WIFI}")
    assert box.sh("hostname") == "row1-bike07\n"
    until(lambda: 'box = "row1-bike07"' in box.sh("cat /etc/bikebox/bikebox.toml"), 5, "its name")
    assert "row1-bike07, until 20" in box.run(BIKEBOX, "doctor", check=False).stdout
    until(lambda: "ok  broker" in box.run(BIKEBOX, "doctor", check=False).stdout, 30, "its broker")
    until(lambda: "ok  gateway" in box.run(BIKEBOX, "doctor", check=False).stdout, 60, "its studio")
    # and from now on no code makes it another's
    box.sh("systemctl start welcome-bikebox.service")
    assert box.sh("systemctl is-active welcome-bikebox.service || true") == "inactive\n"
    assert "already; it looks for no code" in box.run(BIKEBOX, "provision", "--camera").stdout
