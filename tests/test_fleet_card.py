"""A fresh card's boot partition gets all that its first start needs, and no more than once."""

import subprocess

import pytest

from firmware_app.errors import BadInput, BadSetting
from gateway.fleet.box_plan import OTHER_SYSTEM
from gateway.fleet.card import BEGIN, RUNS, WORK, Errand, begin, card, first_boot, with_begin
from gateway.fleet.desk import Desk
from gateway.fleet.inventory import read_inventory
from gateway.fleet.ssh import Login
from gateway.identity.shown import Wifi
from tests.test_fleet_provision import FLEET, fleet, wants  # noqa: F401 - a fixture

CODE = "7X4T-0000-1111-2222-3333"
CMDLINE = "console=serial0,115200 root=PARTUUID=1-02 rootwait quiet\n"


@pytest.fixture
def boot(tmp_path):
    """The boot partition of a card that was just written."""
    folder = tmp_path / "bootfs"
    folder.mkdir()
    (folder / "cmdline.txt").write_text(CMDLINE)
    return folder


@pytest.fixture
def desk(fleet):  # noqa: F811 - the fixture
    title = 'title = "Gym North"'
    inventory = read_inventory(FLEET.replace(title, f'{title}\nstudio = "http://s"'))
    return Desk(fleet, inventory, [inventory.bikes["n1"]], Login("sagar"), "sagar@laptop")


def test_a_card_gets_its_work_and_a_line_that_begins_it(boot, desk):
    assert card(desk, desk.one_bike(), Errand(boot, claim=CODE)) == 0
    assert (boot / "cmdline.txt").read_text() == CMDLINE.strip() + RUNS + "\n"
    work = (boot / "bikebox" / WORK).read_text()
    for words in (
        "call it n1",
        "install the updater",
        "mount the card noatime",
        OTHER_SYSTEM,
        CODE,
    ):
        assert words in work
    before = {path: path.read_bytes() for path in boot.rglob("*") if path.is_file()}
    card(desk, desk.one_bike(), Errand(boot, claim=CODE))
    after = {path: path.read_bytes() for path in boot.rglob("*") if path.is_file()}
    assert after.keys() == before.keys()
    assert after[boot / "cmdline.txt"] == before[boot / "cmdline.txt"]


def test_what_stands_after_it_in_the_line_stays():
    imagers = CMDLINE.strip() + " systemd.run=/boot/firstrun.sh systemd.unit=x\n"
    assert with_begin(with_begin(imagers)) == imagers.strip() + RUNS + "\n"


def test_all_of_it_is_shell(fleet):  # noqa: F811 - the fixture
    for script in (first_boot(wants(fleet), "http://s", CODE, "sa'gar"), begin(Wifi("G'ym", "p'"))):
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_a_card_of_no_bike_yet_is_the_gyms(boot, desk):
    card(desk, desk.inventory.nameless_of("north"), Errand(boot))
    work = (boot / "bikebox" / WORK).read_text()
    assert "new: [" in work
    assert "certify" not in work
    assert (boot / "bikebox" / BEGIN).exists()
    with pytest.raises(BadInput, match="no gym is called south; the fleet has north"):
        desk.inventory.nameless_of("south")
    with pytest.raises(BadSetting, match="every box called that has no name yet"):
        read_inventory(FLEET.replace("n1 =", "new ="))


def test_a_folder_that_is_no_boot_partition_is_left_alone(tmp_path, desk):
    with pytest.raises(BadInput, match=r"no cmdline\.txt there"):
        card(desk, desk.one_bike(), Errand(tmp_path))
    assert not (tmp_path / "bikebox").exists()
