"""A Debian 13 with its Python 3.13 becomes a bike too, by the release that is shipped for it."""

import pytest
from boxes import BOOKWORM, REPOSITORY, run
from real_release import build
from row import Row
from test_fleet import Fleet
from test_vision_unit import LISTEN
from updates import served
from whole_release import SETTINGS, with_bench

pytestmark = pytest.mark.long

TRIXIE = BOOKWORM.with_name("trixie")
DOCTOR = "/opt/bikebox/current/bin/bikebox doctor"


@pytest.fixture
def fleet(tmp_path, foundry):
    """A laptop and a box with a bench for hardware, a minute after its card was written."""
    run([str(REPOSITORY / "config/setup/box-root"), "trixie"], timeout=900)
    with Row(tmp_path / "row", 1, TRIXIE) as row:
        (box,) = row.boxes
        box.cut()
        with_bench(box)
        box.more = ""  # the release brings its own wheels
        box.start()
        box.wait_up()
        fleet = Fleet(row, foundry, tmp_path)
        fleet.file.write_text(
            fleet.file.read_text().replace(
                "[gyms.north.bikes]", f"[gyms.north.settings]\n{SETTINGS}[gyms.north.bikes]"
            )
        )
        yield fleet


def test_a_debian_13_becomes_a_bike_that_sees_its_rider(fleet, foundry, tmp_path):
    (box,) = fleet.row.boxes
    assert box.run("python3", "--version").stdout.startswith("Python 3.13")
    bundle = build(tmp_path / "shipped", foundry.key, "3.13")
    said = fleet.provision(box, bundle, check=False, timeout=900)  # its doctor misses a screen
    assert served(box) == bundle.name.split("-")[1], said.stdout + said.stderr
    again = fleet.type("provision", "--on", box.name, "--dry-run", user="technician").stdout
    assert "nothing: it is as it shall be" in again
    assert box.run("python3", "-c", LISTEN).stdout == "33\n"
    told = box.sh(f"{DOCTOR} || true")
    assert "Debian GNU/Linux 13" in told
    assert "Not well: clock, screen, speaker." in told, told
    assert box.sh("systemctl --failed --no-legend") == ""
