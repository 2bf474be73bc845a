"""A box is provisioned while somebody rides, and with its plug pulled in the middle of it."""

import threading

import pytest
from boxes import until
from test_fleet import Fleet

pytestmark = pytest.mark.long

PIDS = "systemctl show -P MainPID bikebox-ride bikebox-gateway"


@pytest.fixture
def fleet(row, foundry, tmp_path):
    return Fleet(row, foundry, tmp_path)


@pytest.mark.boxes(1)
def test_nothing_is_changed_or_restarted_while_somebody_rides(fleet):
    box = fleet.row.boxes[0]
    fleet.provision(box, fleet.foundry.make("1.0.0", 1))
    before = box.sh(f"cat /etc/bikebox/bikebox.toml; {PIDS}")
    fleet.file.write_text(fleet.file.read_text().replace("title = 'North'", "title = 'South'"))
    box.run("touch", "/run/riding")
    done = fleet.provision(box, check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "somebody rides; nothing is changed until that is over" in done.stdout
    assert f"later, with the same command: {box.name}" in done.stdout
    assert box.sh(f"cat /etc/bikebox/bikebox.toml; {PIDS}") == before
    box.run("rm", "/run/riding")
    fleet.provision(box)
    assert 'gym = "South"' in box.sh("cat /etc/bikebox/bikebox.toml")
    until(lambda: box.sh(PIDS) not in (before, ""), 20, "it was restarted")


@pytest.mark.boxes(1)
def test_what_a_pulled_plug_left_is_gone_on_with_and_done_once(fleet):
    box = fleet.row.boxes[0]
    bundle = fleet.foundry.make("1.0.0", 1)

    def pull():
        until((box.upper / "etc/bikebox/release-keys").exists, 60, "half of it")
        box.cut()

    puller = threading.Thread(target=pull)
    puller.start()
    done = fleet.provision(box, bundle, check=False)
    puller.join()
    assert done.returncode == 3, done.stdout + done.stderr
    assert "not reached" in done.stdout
    box.start()
    box.wait_up()
    again = fleet.provision(box, bundle).stdout
    assert "let ada in" not in again, "that was done"
    assert "install the updater" in again
    assert fleet.versions() == ["1.0.0"]
    assert "nothing: it is as it shall be" in fleet.type(
        "provision", "--on", box.name, "--dry-run", user="technician"
    ).stdout  # fmt: skip


@pytest.mark.boxes(4)
def test_bikes_that_were_met_are_provisioned_at_once_and_one_that_is_away_comes_later(fleet):
    *here, away = fleet.row.boxes
    text = fleet.file.read_text()
    for box in fleet.row.boxes:
        key = fleet.fingerprint(box)
        text = text.replace(f'"{box.ip}"', f'"{box.ip}", host_key = "{key}"')
    fleet.file.write_text(text)
    away.cut()
    bundle = fleet.foundry.make("1.0.0", 1)
    done = fleet.type("provision", "--yes", "--bundle", bundle, user="technician", check=False)
    assert done.returncode == 3, done.stdout + done.stderr
    assert f"later, with the same command: {away.name}" in done.stdout
    begun = [done.stdout.index(f"{box.name}: [1/") for box in here]
    ended = [done.stdout.index(f"{box.name}: [7/") for box in here]
    assert max(begun) < min(ended), "one after the other"
    away.start()
    away.wait_up()
    fleet.type("provision", "--yes", "--bundle", bundle, user="technician")
    assert fleet.versions() == ["1.0.0"] * 4
