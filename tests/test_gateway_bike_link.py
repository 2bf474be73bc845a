"""The ride tells its journal to the gateway over a real socket, in one process."""

import asyncio

import pytest
from gym_scene import interval, told_ride

from firmware_app.clock import HandClock, MachineClock
from firmware_app.errors import PartLost
from firmware_app.journal import Journal
from firmware_app.link import Link
from firmware_app.wire import RideId
from gateway.bike_link import MOST_BYTES, BikeLink
from gateway.store import Store


@pytest.fixture
def scene(tmp_path):
    """Run an async scene with (store, socket path, journals folder)."""

    def play(act):
        async def whole():
            store = Store(tmp_path / "gateway.db", "b1", HandClock())
            bike_link = BikeLink(tmp_path / "gateway.sock", store)
            await bike_link.open()
            try:
                return await act(store, tmp_path / "gateway.sock", tmp_path / "journals")
            finally:
                await bike_link.close()
                store.close()

        return asyncio.run(asyncio.wait_for(whole(), 10))

    return play


async def deliver(journals, socket):
    """Run a link until everything on the shelf has been told once."""
    link = Link(journals, socket, MachineClock())
    done = asyncio.Event()
    running = asyncio.create_task(link.run(done.set))
    await done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return link.kept


def test_several_journals_arrive_whole_and_what_was_kept_is_not_sent_again(scene):
    async def act(store, socket, journals):
        sizes = {}
        for name in ("000001_ab_b1", "000002_ab_b1"):
            with Journal(journals / f"{name}.jsonl") as journal:
                for message in told_ride(name):
                    journal.append(message)
            sizes[f"{name}.jsonl"] = journal.path.stat().st_size
        assert await deliver(journals, socket) == sizes
        assert await deliver(journals, socket) == sizes
        return store.outbox.rows, [row.summary.ride for row in store.rides()]

    assert scene(act) == (10, ["000002_ab_b1", "000001_ab_b1"])


def test_a_journal_that_grows_goes_on_where_it_was(scene):
    async def act(store, socket, journals):
        with Journal(journals / "000001_ab_b1.jsonl") as journal:
            for message in told_ride(ended=False):
                journal.append(message)
            journal.flush()
            await deliver(journals, socket)
            before = store.outbox.rows
            journal.append(interval(RideId("000001_ab_b1"), 3))
            journal.flush()
            await deliver(journals, socket)
        return before, store.outbox.rows

    assert scene(act) == (4, 5)


def test_a_damaged_line_does_not_hold_up_the_ride(scene):
    async def act(store, socket, journals):
        journals.mkdir()
        path = journals / "000001_ab_b1.jsonl"
        path.write_bytes(b'{"type":"Interval","ride":"x\n\x00\x01{"type":"CueGiven"\n')
        with Journal(path) as journal:
            for message in told_ride():
                journal.append(message)
        await deliver(journals, socket)
        return store.dead, store.outbox.rows

    assert scene(act) == (2, 5)


@pytest.mark.parametrize(
    "words",
    [b'{"at":5}\n', b'{"journal":7}\n', b'{"at":\n', b"x" * (MOST_BYTES + 10) + b"\n"],
)
def test_a_stranger_on_the_socket_is_hung_up_on_and_the_bike_still_gets_in(scene, words):
    async def act(store, socket, journals):
        reader, writer = await asyncio.open_unix_connection(socket)
        writer.write(words)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        with Journal(journals / "000001_ab_b1.jsonl") as journal:
            for message in told_ride():
                journal.append(message)
        await deliver(journals, socket)
        return answer, store.outbox.rows

    assert scene(act) == (b"", 5)


def test_a_bike_without_a_gateway_is_told_that_it_is_lost(tmp_path):
    with pytest.raises(PartLost, match="no gateway"):
        asyncio.run(Link(tmp_path, tmp_path / "none.sock", MachineClock()).run(lambda: None))
