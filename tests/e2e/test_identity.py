"""A box with systemd gets its name, its key and its certificate, and its gateway uses them."""

import json
import subprocess
from pathlib import Path

import pytest
from boxes import REPOSITORY, until

SITE = REPOSITORY / ".venv/lib/python3.11/site-packages"
BIKEBOX = "/opt/bikebox/current/bin/bikebox"
RUNS = (
    '#!/bin/sh\nPYTHONPATH=/opt/source:/opt/site exec /usr/bin/python3 -m firmware_app.cli "$@"\n'
)


class Studio:
    """A gym's authority, studio and broker on the laptop."""

    def __init__(self, row, folder=None):
        self.row, self.folder = row, folder or row.folder / "gym"
        self.folder.mkdir()
        self.running = []
        ca = self.folder / "ca"
        (self.folder / "passphrase").write_text("a drawer with a key")
        self.bikebox("studio", "ca", "init", "--to", ca, "--broker", row.ip,
                     "--passphrase-file", self.folder / "passphrase")  # fmt: skip
        self.config = self.folder / "gym.toml"
        self.config.write_text(
            f'host = "{row.ip}"\ndatabase = "{self.folder}/studio.db"\n'
            f'access_file = "{self.folder}/access.toml"\n'
            f'[mqtt]\nurl = "mqtts://{row.ip}"\nca_file = "{ca}/ca.pem"\n'
            f'cert_file = "{ca}/studio.pem"\nkey_file = "{ca}/studio.key"\n'
            f'[identity]\nca_file = "{ca}/ca.pem"\nkey_file = "{ca}/issuer.key"\n'
            f'folder = "{self.folder}"\nbroker_url = "mqtts://{row.ip}"\n'
            "days = 1.0\n"  # so that half of it, with the day before, is over at once
        )
        access = self.folder / "access.toml"
        self.token = self.bikebox("access", "--file", access, "token", "anna").split()[0]
        self.start("bikebox", "studio", "--config", self.config)
        until((self.folder / "broker/changed").exists, 30, "the broker's files")
        conf = (REPOSITORY / "config/broker/mosquitto.conf").read_text()
        for name in ("acl", "crl.pem"):
            conf = conf.replace(f"/etc/mosquitto/bikebox/{name}", f"{self.folder}/broker/{name}")
        conf = conf.replace("/etc/mosquitto/bikebox/", f"{ca}/").replace(
            "/var/lib/mosquitto/", f"{self.folder}/"
        )
        (self.folder / "mosquitto.conf").write_text(f"user root\n{conf}")
        self.start("mosquitto", "-c", self.folder / "mosquitto.conf")

    def bikebox(self, *words):
        return self.row.laptop("bikebox", *map(str, words)).stdout

    def start(self, program, *words):
        program = REPOSITORY / ".venv/bin/bikebox" if program == "bikebox" else program
        with (self.folder / f"{Path(program).name}.log").open("wb") as log:
            command = [*self.row.enter, "setpriv", "--pdeathsig", "KILL", program, *words]
            self.running.append(subprocess.Popen(list(map(str, command)), stdout=log, stderr=log))

    def stop(self):
        for process in self.running:
            process.kill()
            process.wait()

    def ask(self, url, *more):
        """Ask over the gym's network as the technician's browser would, by the gym's authority."""
        curl = ("curl", "-sS", "--max-time", "5", "--cacert", str(self.folder / "ca/ca.pem"))
        return self.row.laptop(*curl, *more, url, check=False).stdout


@pytest.fixture
def studio(row):
    """The gym's studio and broker, and a row of boxes that have the program and the units."""
    for box in row.boxes:
        box.cut()
        for place in ("opt/source", "opt/site"):
            (box.upper / place).mkdir(parents=True, exist_ok=True)
        box.put("opt/bikebox/current/bin/bikebox", RUNS, 0o755)
        for name in ("bikebox-gateway.service", "renew-bikebox.service", "renew-bikebox.timer",
                     "bikebox-.service.d/closed.conf"):  # fmt: skip
            text = (REPOSITORY / "systemd" / name).read_text()
            box.put(f"etc/systemd/system/{name}", text)
        for name in ("sysusers", "tmpfiles"):
            text = (REPOSITORY / f"systemd/{name}.conf").read_text()
            box.put(f"etc/{name}.d/bikebox.conf", text)
        box.put("etc/bikebox/bikebox.toml", 'box = "new"\n[gateway]\nlan = true\n')
        box.more = f"--bind-ro={REPOSITORY}:/opt/source --bind-ro={SITE}:/opt/site"
        box.start()
        box.wait_up()
    studio = Studio(row)
    yield studio
    studio.stop()


@pytest.mark.boxes(1)
def test_a_box_with_systemd_earns_its_identity_and_its_gateway_is_the_only_one_to_use_it(
    row, studio
):
    (box,) = row.boxes
    box.sh("systemctl start bikebox-gateway")  # before it has a name, it keeps rides at home
    code = studio.bikebox("studio", "--config", studio.config, "claim", "--box", "b1").split()[0]
    told = box.run(BIKEBOX, "provision", "--studio", f"http://{row.ip}:8790", "--claim", code)
    assert "This box is b1" in told.stdout
    # the key is root's, and systemd hands it to the gateway alone
    assert box.sh("stat -Lc '%U %a' /etc/bikebox/identity/key.pem") == "root 600\n"
    asked = "setpriv --reuid=bikebox-gateway --clear-groups cat /etc/bikebox/identity/key.pem"
    assert box.run("sh", "-c", asked, check=False).returncode != 0
    # it was restarted, is at the broker by its certificate and serves the network by https
    place = f"https://{box.ip}:8443"

    def health():
        told = studio.ask(f"{place}/health", "-k")
        return json.loads(told)["parts"] if told else {}

    until(lambda: health().get("broker") == "ok", 40, f"at the broker: {box.journal()[-900:]}")
    assert (health()["network"], health()["certificate"]) == ("ok", "ok")
    by_name = ("--resolve", f"b1.local:8443:{box.ip}")
    assert json.loads(studio.ask("https://b1.local:8443/health", *by_name))["box"] == "b1"
    # from the network nothing more without a token, and with the fleet's access file all of it
    assert "sign in" in studio.ask(f"{place}/api/rides", "-k")
    access = (studio.folder / "access.toml").read_text()
    box.sh(f"cat > /etc/bikebox/credentials/access.toml <<'END'\n{access}END\n")
    box.sh("chmod 600 /etc/bikebox/credentials/access.toml")
    box.sh("systemctl restart bikebox-gateway")
    bearer = ("-k", "-H", f"Authorization: Bearer {studio.token}")
    until(lambda: studio.ask(f"{place}/api/rides", *bearer) == "[]", 20, "the rides")
    # the timer's service looks and finds nothing to do yet
    box.sh("systemctl start renew-bikebox.service")
    assert "not due yet" in box.journal("renew-bikebox.service")
    assert box.sh("systemctl show -P Result renew-bikebox.service") == "success\n"
    # and when it is, in the same closed unit, there is a new key, and the gateway uses that
    now = "ExecStart=\nExecStart=/opt/bikebox/current/bin/bikebox provision --renew --now\n"
    drop_in = "/etc/systemd/system/renew-bikebox.service.d"
    box.sh(f"mkdir {drop_in}; cat > {drop_in}/now.conf <<'END'\n[Service]\n{now}END\n")
    before = box.sh(
        "readlink /etc/bikebox/identity/current; sha256sum /etc/bikebox/identity/key.pem"
    )
    box.sh("systemctl daemon-reload; systemctl start renew-bikebox.service")
    assert "b1: renewed" in box.journal("renew-bikebox.service")
    after = box.sh(
        "readlink /etc/bikebox/identity/current; sha256sum /etc/bikebox/identity/key.pem"
    )
    assert not set(before.split()[:2]) & set(after.split()[:2])
    until(lambda: health().get("broker") == "ok", 40, "at the broker with the new one")
