"""A box whose root is read-only, with what is its own elsewhere: it serves, updates, forgets."""

import shutil

import pytest
from boxes import until
from test_fleet import Fleet
from updates import served
from whole_release import SETTINGS, WHEELS, whole_release, with_bench

pytestmark = [pytest.mark.long, pytest.mark.boxes(1)]

OWN = (
    "opt/bikebox", "etc/bikebox", "var/lib/bikebox", "var/lib/bikebox-update", "var/log/bikebox",
)  # fmt: skip
"""As gateway/README.md names them: what is on the partition that may be written."""


def test_a_box_with_a_read_only_root_serves_and_updates_and_forgets_the_rest(
    row, foundry, tmp_path
):
    (box,) = row.boxes
    fleet = Fleet(row, foundry, tmp_path)
    fleet.file.write_text(
        fleet.file.read_text().replace(
            "[gyms.north.bikes]", f"[gyms.north.settings]\n{SETTINGS}[gyms.north.bikes]"
        )
    )
    box.cut()
    with_bench(box)
    box.start()
    box.wait_up()
    fleet.provision(box, whole_release(foundry, "26.11.0", 1), check=False)
    box.run("systemctl", "start", "log-bikebox.service")
    box.sh("sync")
    box.cut()
    for place in OWN:
        there = box.folder / "data" / place
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(box.upper / place, there)
        (box.upper / place).mkdir()
        box.more += f" --bind={there}:/{place}"
    box.more += " --volatile=overlay"
    before = {path for path in box.upper.rglob("*") if path.is_file()}

    box.start()
    box.wait_up()
    until(lambda: served(box) == "26.11.0", 30, "the release that was there")
    box.sh("touch /root/forgotten; echo kept > /var/lib/bikebox/kept")
    fleet.type("update", whole_release(foundry, "26.11.1", 2), "--yes")
    assert served(box) == "26.11.1"
    said = box.run("bikebox", "doctor", check=False).stdout
    assert "NOT card" in said, "it looks at that partition: this machine's, without noatime"
    assert "Not well: clock, card, screen, speaker." in said, said

    box.cut()
    box.start()
    box.wait_up()
    until(lambda: served(box) == "26.11.1", 30, "the release that was brought")
    assert box.sh("cat /var/lib/bikebox/kept; ls /root/forgotten 2>&1 || true").startswith("kept\n")
    assert "No such file" in box.sh("ls /root/forgotten 2>&1 || true")
    box.cut()
    assert {path for path in box.upper.rglob("*") if path.is_file()} == before
    assert WHEELS in box.more
