"""fleet.toml: what a technician writes down, and how a mistake in it is told."""

from pathlib import Path

import pytest

from firmware_app.errors import BadInput, BadSetting
from gateway.fleet.inventory import fingerprint_of, read_inventory, same_host

ROOT = Path(__file__).parents[1]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFuoAg3H7pXb2Io1nY0tJZ7m2Tq0dP1o1mE8n0l0QhXk"
TWO_GYMS = """
[gyms.north]
title = "Gym North"
settings = { mqtt = { url = "mqtts://north:8883" }, vision = { view = "side" } }
[gyms.north.bikes]
n1 = { address = "10.0.0.1", groups = ["canary"] }
n2 = { address = "10.0.0.2", settings = { vision.view = "front" } }
[gyms.south.bikes]
s1 = { address = "10.1.0.1", groups = ["canary", "old"] }
"""


def names(*words):
    return [bike.name for bike in read_inventory(TWO_GYMS).choose(words)]


def test_the_sample_is_a_fleet_and_tells_the_defaults():
    text = (ROOT / "config/fleet.toml").read_text()
    sample = read_inventory(text)
    assert list(sample.bikes) == ["row1-bike01", "row1-bike02", "row1-bike03"]
    assert sample.rollout == read_inventory("").rollout
    assert all(word in text for word in (*sample.rollout.__struct_fields__, "host_key", "groups"))


def test_a_bike_a_gym_or_a_group_says_which_bikes():
    assert names() == ["n1", "n2", "s1"]
    assert names("north") == ["n1", "n2"]
    assert names("canary") == ["n1", "s1"]
    assert names("s1", "n2") == ["n2", "s1"]
    with pytest.raises(BadInput, match="called nrth; the fleet has canary, n1, n2, north"):
        names("nrth")


def test_a_bike_has_its_gyms_settings_and_its_own_over_them():
    fleet = read_inventory(TWO_GYMS)
    assert fleet.bikes["n2"].settings == {
        "box": "n2", "gym": "Gym North",
        "mqtt": {"url": "mqtts://north:8883"}, "vision": {"view": "front"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[rollut]", 'fleet.toml: no setting is called "rollut"; did you mean "rollout"?'),
        ("[rollout]\nsoak = 1", 'rollout] no setting is called "soak"; did you mean "soak_s"?'),
        ("[gyms.n.bikes]\na = { adress = '1' }",
         '[gyms.n.bikes] a: no setting is called "adress"; did you mean "address"?'),
        ("[gyms.n.bikes]\na = { port = 22 }", '[gyms.n.bikes] a: "address" is missing'),
        ("[gyms.n.bikes]\na = { address = 'x', host_key = 'abc' }", "[gyms.n.bikes] a: host_key"),
        ("[gyms.n.bikes]\n'a b' = { address = 'x' }", "[gyms.n.bikes] a b: a bike's name"),
        ("[gyms.n]\nbike = 1", 'did you mean "bikes"?'),
        ("[gyms.n.bikes]\na = { address='x' }\n[gyms.m.bikes]\na = { address='y' }",
         "[gyms.m.bikes] a: n has a bike of that name; rename one"),
        ("[gyms.n.bikes]\na = { address='x' }\nb = { address='x' }", "a and b have one address"),
        ("[gyms.n.bikes]\nn = { address='x' }", "n is a bike and a gym; rename one"),
        ("[rollout]\nwaves = ['ten']", "rollout.waves"),
        ("[technicians]\nsagar = 'rsa'", "technicians"),
        ("[gyms.n.bikes\n", "Is a quote or a bracket missing there?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_the_remedy(text, said):
    with pytest.raises(BadSetting) as wrong:
        read_inventory(text)
    assert said in str(wrong.value)


def test_a_host_is_known_by_its_key_or_its_fingerprint_and_never_by_none():
    shown = fingerprint_of(KEY + " root@bike")
    assert shown.startswith("SHA256:")
    assert same_host(KEY, shown)
    assert same_host(shown, shown)
    assert not same_host(shown[:-1] + "x", shown)
    assert not same_host("", shown)
