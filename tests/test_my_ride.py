"""The page with which a rider's phone takes the ride along: one phone, one ride, one day."""

import asyncio

import httpx
import pytest
from gym_scene import told_ride
from msgspec import structs

from firmware_app.summary import summarise
from firmware_app.wire import RideStarted
from gateway.rides import RideRow
from gateway.web.frame import make_app
from gateway.web.my_ride import BEGINS_S, GOOD_S, MOST, RideKeys, add_my_ride, ride_of

CLAIMED_S = 98.0
"""Just before the ride of gym_scene, which begins at 100."""


class Bike:
    """What the gateway knows of its rides, newest first."""

    def __init__(self, *rides):
        self._rides = {summarise(told).ride: told for told in rides}

    def rides(self):
        return [RideRow(summarise(told), None) for told in self._rides.values()]

    def told(self, ride):
        return self._rides.get(ride, [])


class Hour:
    """A clock that stands."""

    def __init__(self, now_s):
        self.now_s = now_s

    def monotonic(self):
        return self.now_s


def at(told, t_s, name):
    """The same ride, begun at another time under another name."""
    started = next(message for message in told if isinstance(message, RideStarted))
    rest = [message for message in told if message is not started]
    return [
        structs.replace(message, ride=name)
        for message in (structs.replace(started, t_s=t_s), *rest)
    ]


def ask(keys, bike, path, now_s=200.0):
    async def get():
        app = make_app("Bikebox", ["b1.local"], tls=True)
        add_my_ride(app, keys, bike, Hour(now_s))
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://b1.local") as phone:
            return await phone.get(path)

    return asyncio.run(get())


def test_the_rider_finds_the_summary_and_the_files():
    keys, bike = RideKeys(), Bike(told_ride())
    word = keys.issue("Sagar", CLAIMED_S)
    page = ask(keys, bike, f"/mine/{word}")
    assert page.status_code == 200
    assert "Well ridden, Sagar" in page.text
    assert "A quiet upper body" in page.text
    fit = ask(keys, bike, f"/mine/{word}/ride.fit")
    assert fit.content[8:12] == b".FIT"
    assert 'filename="ride.fit"' in fit.headers["content-disposition"]
    assert ask(keys, bike, f"/mine/{word}/health.json").json()["activity"] == "cycling"


@pytest.mark.parametrize("bike", [Bike(), Bike(told_ride(ended=False))])
def test_before_the_end_the_page_asks_to_come_back(bike):
    keys = RideKeys()
    word = keys.issue("Sagar", CLAIMED_S)
    assert "will be here" in ask(keys, bike, f"/mine/{word}").text


def test_a_wrong_or_old_address_shows_nobody_s_ride():
    keys, bike = RideKeys(), Bike(told_ride())
    word = keys.issue("Sagar", CLAIMED_S)
    for path, now_s in (("/mine/x", 200.0), (f"/mine/{word}", CLAIMED_S + GOOD_S + 1)):
        for file in ("", "/ride.fit", "/health.json"):
            answer = ask(keys, bike, path + file, now_s)
            assert answer.status_code == 404
            assert "Sagar" not in answer.text


def test_it_is_the_first_ride_after_the_claim_and_none_of_another_of_that_name():
    earlier, mine = at(told_ride(), 40.0, "000001_a_b1"), at(told_ride(), 100.0, "000002_a_b1")
    later = at(told_ride(), 150.0, "000003_a_b1")
    keys = RideKeys()
    key = keys.find(keys.issue("Sagar", CLAIMED_S), CLAIMED_S)
    assert ride_of(key, Bike(later, mine, earlier)).summary.ride == "000002_a_b1"
    assert ride_of(key, Bike(earlier)) is None
    late = at(told_ride(), CLAIMED_S + BEGINS_S + 1, "000004_a_b1")
    assert ride_of(key, Bike(late)) is None
    other = keys.find(keys.issue("Zoë", CLAIMED_S), CLAIMED_S)
    assert ride_of(other, Bike(mine)) is None


def test_keys_are_bounded_and_the_newest_stay():
    keys = RideKeys()
    words = [keys.issue("Sagar", float(n)) for n in range(MOST + 5)]
    assert keys.find(words[0], 300.0) is None
    assert keys.find(words[-1], 300.0) is not None
    assert keys.find(words[10], 300.0) is not None
