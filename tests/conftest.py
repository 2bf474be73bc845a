"""What the scenes share: a bike without hardware, ridden by hand."""

from typing import NamedTuple

import pytest
import structlog
from hypothesis import HealthCheck, settings

from firmware_app.coach.book import cue_file, read_cues
from firmware_app.ride.events import Heard, Pulse, RideSetup, Tick
from firmware_app.ride.ride import Ride, Send, Tell
from firmware_app.settings import Coaching
from firmware_app.settings import Ride as RideRules
from firmware_app.wire import Message, RideId
from tests.postgres_scene import Postgres

TICK_S = 0.2
# a busy machine is no fault of what is tested
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _logs_of_its_own():
    """What a command sets up ends with its test, for so does the standard error it writes to."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def postgres():
    """One server for all tests that ask; each makes a database of its own."""
    server = Postgres()
    yield server
    server.stop()


class Ridden(NamedTuple):
    """What came of feeding a ride."""

    told: list[Message]
    sent: list[Message]

    def of(self, kind):
        return [message for message in self.told + self.sent if isinstance(message, kind)]


class Saddle:
    """A ride and a hand on its clock."""

    def __init__(self, rpm=90.0, rider="Sagar", start_s=1000.0, pulses=None, **rules):
        turn_s = 60 / rpm
        self.setup = RideSetup(
            t_s=start_s,
            ride=RideId("000001_abcd_bike-1"),
            box="bike-1",
            boot_id="boot",
            wall_utc="2026-04-17T18:00:00.000+00:00",
            view="front",
            coaching=Coaching(),
            rules=RideRules(**rules),
            pulses_s=tuple(start_s + n * turn_s for n in range(4)) if pulses is None else pulses,
            rider=rider,
        )
        self.book = read_cues(cue_file("en"))
        self.ride = Ride(self.setup, self.book)
        self.heard: list[Heard] = []
        self.out = Ridden([], [])
        self.now_s = max(self.setup.pulses_s, default=start_s)
        self._take(self.ride.opening())

    def feed(self, event):
        self.heard.append(event)
        self._take(self.ride.feed(event))
        return self

    def pedal(self, rpm, seconds):
        """Turn the crank and let time pass."""
        until_s, turn_s = self.now_s + seconds, 60 / rpm
        pulse_s, tick_s = self.now_s + turn_s, self.now_s + TICK_S
        while min(pulse_s, tick_s) <= until_s:
            if pulse_s <= tick_s:
                self.feed(Pulse(t_s=pulse_s))
                pulse_s += turn_s
            else:
                self.feed(Tick(t_s=tick_s))
                tick_s += TICK_S
        self.now_s = until_s
        return self

    def rest(self, seconds):
        """Let time pass and nothing else."""
        for n in range(1, round(seconds / TICK_S) + 1):
            self.feed(Tick(t_s=self.now_s + n * TICK_S))
        self.now_s += seconds
        return self

    def _take(self, deeds):
        for deed in deeds:
            match deed:
                case Tell(message):
                    self.out.told.append(message)
                case Send(message):
                    self.out.sent.append(message)


@pytest.fixture
def saddle():
    return Saddle
