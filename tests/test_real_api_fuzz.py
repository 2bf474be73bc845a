"""Both APIs, asked all that their descriptions allow and more: no 5xx, and nothing undescribed."""

import asyncio
import contextlib

import pytest
import schemathesis
from gym_scene import Gym, told_ride, until
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import status_code_conformance

from firmware_app.clock import MachineClock
from firmware_app.journal import Journal
from firmware_app.link import Link

RIDE = "000001_ab_b1"
MANY = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def gym(tmp_path_factory):
    """A gateway and a studio that have a ride."""
    gym = Gym(tmp_path_factory.mktemp("gym"))
    gym.mosquitto()
    gym.studio()
    gym.gateway()
    with Journal(gym.journals / f"{RIDE}.jsonl") as journal:
        for message in told_ride(RIDE):
            journal.append(message)

    async def deliver():
        link = Link(gym.journals, gym.run / "gateway.sock", MachineClock())
        delivery = asyncio.create_task(link.run(lambda: None))
        await asyncio.to_thread(until, lambda: gym.ask_studio("/health")["rides"] == 1)
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)

    asyncio.run(deliver())
    yield gym
    gym.stop()


def ask_everything(port):
    """Ask each operation what its description allows, and beside it; return how often."""
    api = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/openapi.json")
    asked: dict[str, int] = {}
    for found in api.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @MANY
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case):
                asked[case.operation.path] = asked.get(case.operation.path, 0) + 1
                case.call_and_validate(checks=[not_a_server_error, status_code_conformance])

            with contextlib.suppress(Unsatisfiable):  # nothing can be asked wrongly of it
                ask()
    return asked


def test_no_question_topples_the_gateway(gym):
    assert ask_everything(gym.gateway_port).keys() == {
        "/health", "/api/rides", "/api/rides/{ride}", "/api/live", "/metrics",
        "/api/rides/{ride}/ride.fit", "/api/rides/{ride}/health.json",
    }  # fmt: skip
    assert gym.ask_gateway(f"/api/rides/{RIDE}")["duration_s"] == 90.0


def test_no_question_topples_the_studio(gym):
    assert ask_everything(gym.studio_port).keys() == {
        "/health", "/api/rides", "/api/rides/{box}/{ride}", "/api/class/{class_id}", "/metrics",
        "/api/boxes", "/api/commands",
    }  # fmt: skip
    assert gym.ask_studio(f"/api/rides/b1/{RIDE}")["duration_s"] == 90.0
