"""Who rides next: a claim is for one ride, and a bike forgets."""

import pytest
from msgspec import ValidationError, convert

from firmware_app.services.guest import CLAIMED_S, Guest
from firmware_app.wire import Claim, Offer


def anna(on_board=False):
    return Claim(t_s=0.0, rider="Anna", name_on_board=on_board)


def test_who_claims_the_bike_rides_under_that_name_and_the_next_does_not():
    guest = Guest("")
    guest.claim(anna(), 10.0)
    assert (guest.rider(20.0), guest.name_on_board(20.0)) == ("Anna", False)
    guest.leave()
    assert guest.rider(20.0) == ""


def test_only_who_agreed_is_named_on_the_board():
    guest = Guest("")
    guest.claim(anna(on_board=True), 10.0)
    assert guest.name_on_board(20.0)
    guest.leave()
    assert not guest.name_on_board(20.0)


def test_a_rider_who_walks_on_is_forgotten():
    guest = Guest("Sagar")
    guest.claim(anna(on_board=True), 10.0)
    late_s = 10.0 + CLAIMED_S
    assert (guest.rider(late_s), guest.name_on_board(late_s)) == ("Sagar", False)


def test_the_code_is_shown_until_it_expires_or_has_been_used():
    guest = Guest("")
    assert guest.claim_url(0.0) == ""
    guest.offer(Offer(t_s=0.0, url="https://b1.local:8443/ride/abc", until_s=90.0))
    assert guest.claim_url(89.0) == "https://b1.local:8443/ride/abc"
    assert guest.claim_url(90.0) == ""
    guest.claim(anna(), 5.0)
    assert guest.claim_url(6.0) == ""


@pytest.mark.parametrize("name", ["", "x" * 25])
def test_a_claim_has_a_name_that_fits_the_screen(name):
    with pytest.raises(ValidationError):
        convert({"type": "Claim", "t_s": 0.0, "rider": name}, Claim)
