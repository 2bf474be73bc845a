"""A class over bad networks in no time: what a rider sees, whatever the server repeats.

tests/whep/virtual.py moves the clock; the same over real servers is test_real_class_wifi.py.
"""

import pytest

from tests.whep.virtual import SERVERS, Radio, VirtualClass

SMALL, LARGE = (0.6, 0.3), (2.5, 0.4)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("radio", "allowed_s"),
    [
        (Radio(0.01), SMALL),
        (Radio(0.02), SMALL),
        (Radio(0.05), LARGE),
        (Radio(0.0, jitter_s=0.03), SMALL),
        (Radio(0.02, jitter_s=0.03), SMALL),
    ],
)
@pytest.mark.parametrize("server", SERVERS)
def test_the_class_moves_on_whatever_the_network_loses(server, radio, allowed_s, seed):
    seen = VirtualClass(server, radio, seed).run(30)
    waits_s = [wait_s for _, wait_s in seen.frozen]
    assert seen.first_s <= 1.0
    assert sum(waits_s) <= allowed_s[0]
    assert max(waits_s, default=0.0) <= allowed_s[1]


def test_a_quiet_network_costs_a_rider_a_tenth_of_a_second():
    seen = VirtualClass("at-once", Radio(0.0), 1).run(30)
    assert not seen.frozen
    assert seen.latency_s <= 0.12
