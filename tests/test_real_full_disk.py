"""A card that is full, or read-only: the box says so, goes on, and loses nothing."""

import asyncio
import contextlib
import os
import resource
import subprocess

import msgspec
import pytest
from gym_scene import Gym, told_ride, until
from structlog.testing import capture_logs

from firmware_app.clock import MachineClock
from firmware_app.journal import Journal, whole_lines
from firmware_app.link import Link
from firmware_app.services.notebook import Notebook
from firmware_app.supervise import keep_going
from firmware_app.wire import Audit

RIDES = 12


@pytest.fixture
def gym(tmp_path):
    gym = Gym(tmp_path)
    gym.mosquitto()
    gym.studio()
    yield gym
    gym.stop()


def on_a_card(gym, options):
    """Return the command under which the store lies on a small disk of its own."""
    store = gym.folder / "state" / "gateway"
    store.mkdir(parents=True)
    mount = f'mount -t tmpfs -o {options} tmpfs "{store}" && exec "$@"'
    return "unshare", "--mount", *(["-r"] if os.geteuid() else []), "sh", "-c", mount, "sh"


def remount(gym, options):
    store, pid = gym.folder / "state" / "gateway", gym.running["gateway"].pid
    into = ("nsenter", "-t", str(pid), "-m", *(["-U"] if os.geteuid() else []))
    subprocess.run((*into, "mount", "-o", f"remount,{options}", store), check=True)


def ride(gym, number):
    name = f"{number:06d}_ab_b1"
    with Journal(gym.journals / f"{name}.jsonl") as journal:
        for message in told_ride(name, intervals=60):
            journal.append(message)


@contextlib.asynccontextmanager
async def delivering(gym):
    clock = MachineClock()
    link = Link(gym.journals, gym.run / "gateway.sock", clock)
    delivery = asyncio.create_task(keep_going("gateway", link.run, clock, longest_wait_s=0.5))
    try:
        yield
    finally:
        delivery.cancel()
        await asyncio.gather(delivery, return_exceptions=True)


def test_a_full_card_is_told_and_survived_and_all_arrives_once_there_is_room(gym):
    gym.gateway(*on_a_card(gym, "size=400k"))

    def part(name):
        return gym.ask_gateway("/health")["parts"][name]

    async def scene():
        async with delivering(gym):
            for number in range(1, RIDES + 1):
                ride(gym, number)
            await asyncio.to_thread(until, lambda: "full" in part("store"))
            await asyncio.sleep(1)
            assert gym.running["gateway"].poll() is None
            remount(gym, "size=64m")
            await asyncio.to_thread(until, lambda: gym.ask_studio("/health")["rides"] == RIDES)
            await asyncio.to_thread(until, lambda: gym.ask_gateway("/health")["unsynced"] == 0)

    asyncio.run(scene())
    assert part("store") == "ok"
    assert gym.ask_studio("/health")["records"] == RIDES * 62 + 1


def test_a_read_only_card_is_told_as_something_that_may_pass(gym):
    gym.gateway(*on_a_card(gym, "ro"), wait=False)
    assert gym.running["gateway"].wait(20) == 1  # systemd tries again; 78 it would not
    assert "full or read-only" in (gym.folder / "gateway.log").read_text()


def test_a_journal_on_a_full_card_is_told_and_has_every_line_once_there_is_room(tmp_path):
    notebook = Notebook()
    notebook.open(tmp_path / "ride.jsonl")
    notebook.write(Audit(t_s=1.0, what="before"))
    notebook.put_on_disk()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "ride.jsonl").stat().st_size, hard))
    try:
        with capture_logs():  # the test's own output is a file too
            notebook.write(Audit(t_s=2.0, what="meanwhile"))
            notebook.put_on_disk()
        trouble = notebook.trouble
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "free space on the card" in trouble
    notebook.write(Audit(t_s=3.0, what="after"))
    notebook.put_on_disk()
    notebook.close()
    assert notebook.trouble == ""
    told = [msgspec.json.decode(line)["what"] for line in whole_lines(tmp_path / "ride.jsonl")]
    assert told == ["before", "meanwhile", "after"]
