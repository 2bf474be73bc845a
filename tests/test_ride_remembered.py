"""A rider who agreed to be remembered finds the bike as they left it; another finds nothing."""

import pytest

from firmware_app.form.metrics import FormMetrics, Head, Hips, Knees, Trunk
from firmware_app.ride.events import Pulse, Tick
from firmware_app.services.memory import Memory
from firmware_app.services.ride import RideService
from firmware_app.settings import Paths, Settings
from firmware_app.wire import Claim, Command, Profile, Touch, encode

SPAN = 0.3


class Stool:
    """A crank that nobody turns and a clock that stands where it is put."""

    def __init__(self):
        self.now_s = 100.0

    def listen(self, closed):
        del closed

    def close(self):
        pass

    def monotonic(self):
        return self.now_s

    def wall(self):
        from datetime import UTC, datetime  # noqa: PLC0415 - a clock of the test's own

        return datetime(2026, 1, 1, tzinfo=UTC)


class Bike:
    def __init__(self, folder):
        self.clock = Stool()
        settings = Settings(box="b1", paths=Paths(run=str(folder), state=str(folder)))
        self.service = RideService(settings, self.clock, self.clock, "boot")

    def hear(self, message):
        self.service._hear(encode(message))
        return self

    def claim(self, **more):
        return self.hear(Claim(t_s=self.clock.now_s, rider="Anna", **more))

    def ride(self, seconds, shoulders_up=0.0):
        """Ride, from the front, with the shoulders raised by shoulder widths; return the setup."""
        start_s = self.clock.now_s
        self.service._begin((start_s, start_s + 0.7, start_s + 1.4))
        pulse_s, until_s = start_s + 2.1, start_s + seconds
        while self.clock.now_s < until_s:
            now_s = self.clock.now_s = round(self.clock.now_s + 0.1, 3)
            if now_s >= pulse_s:
                self.service._feed(Pulse(t_s=pulse_s))
                pulse_s += 0.7
            self.service._feed(_sits(now_s, shoulders_up))
            self.service._feed(Tick(t_s=now_s))
        return self.service._ride

    def end(self):
        return self.hear(Touch(t_s=self.clock.now_s, action="end"))


def _sits(t_s, shoulders_up):
    return FormMetrics(
        t_s=t_s,
        trunk=Trunk(0.66, 0.5 - SPAN * shoulders_up, SPAN, 0.0),
        head=Head(0.66, 0.25, 0.1, 0.66, 0.28),
        hips=Hips(0.66, 0.8),
        knees=Knees(0.76, 0.9, 0.56, 0.9),
        hand=SPAN * 2.4,
    )


@pytest.fixture
def bike(tmp_path):
    bike = Bike(tmp_path)
    yield bike
    bike.end()


def test_who_agreed_is_known_at_the_next_ride_and_a_fault_from_the_first_second_is_seen(bike):
    bike.claim(remember=True).ride(70)
    bike.end().claim(remember=True)
    ride = bike.ride(12, shoulders_up=0.08)
    assert ride.setup.rides == 1
    assert len(ride.setup.known) == 1
    assert ride._form.states["shrug"] == "fault"


def test_who_did_not_agree_and_who_claims_nothing_leave_nothing(bike, tmp_path):
    bike.claim().ride(70)
    bike.end().ride(70)
    bike.end()
    assert not list((tmp_path / "riders").glob("*.json"))


def test_a_profile_is_kept_and_a_wish_of_the_last_ride_too(bike):
    bike.claim(remember=True, profile=Profile(left_handed=True)).ride(70)
    bike.hear(Touch(t_s=bike.clock.now_s, action="quieter")).end().claim(remember=True)
    profile = bike.ride(5).setup.profile
    assert (profile.left_handed, profile.style) == (True, "quiet")


def test_a_short_try_is_no_ride_to_be_remembered_by(bike):
    bike.claim(remember=True).ride(30)
    bike.end().claim(remember=True)
    assert bike.ride(5).setup.rides == 0


def test_forget_holds_for_the_ride_that_is_on_too(bike, tmp_path):
    bike.claim(remember=True).ride(70)
    bike.end().claim(remember=True).ride(70)
    bike.hear(Command(t_s=bike.clock.now_s, command="c1", kind="forget", text="Anna")).end()
    assert not list((tmp_path / "riders").glob("*.json"))
    memory = Memory(tmp_path / "riders")
    assert memory.recall(memory.place("Anna")).rides == 0


def test_rides_elsewhere_count_as_well(bike):
    assert bike.claim(rides=9).ride(5).setup.rides == 9


def test_another_rider_of_the_same_name_is_somebody_else(bike):
    bike.claim(remember=True, phone="one").ride(70)
    bike.end().claim(remember=True, phone="another")
    setup = bike.ride(70).setup
    assert (setup.rides, setup.known) == (0, ())
    bike.end().claim(remember=True, phone="one")
    assert bike.ride(5).setup.rides == 1
    assert "one" not in bike.service._ride.setup.remembered_at
