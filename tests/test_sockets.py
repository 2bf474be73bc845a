"""Two processes and a socket: who comes late, goes, stalls or babbles harms nobody else."""

import asyncio
import socket
from contextlib import aclosing

import pytest

from firmware_app.errors import PartLost
from firmware_app.sockets import LONGEST_LINE_BYTES, MAILBOX_LINES, Hub, Visit
from firmware_app.wire import Audit, Reader

READ = Reader(Audit)


def note(words: str) -> Audit:
    return Audit(t_s=0.0, what=words)


def run(scene):
    async def to_the_end():
        await asyncio.wait_for(scene, 20)
        for _ in range(10):  # what was closed is hung up on by the loop
            await asyncio.sleep(0)

    asyncio.run(to_the_end())


async def until(true):
    while not true():  # noqa: ASYNC110 - two real ends of a socket meet
        await asyncio.sleep(0.001)


def visit(door):
    return aclosing(Visit(door).lines())


async def first_line(door):
    async with visit(door) as lines:
        return await anext(lines)


@pytest.fixture
def door(tmp_path):
    return tmp_path / "run" / "ride.sock"


def test_every_visitor_hears_what_is_told(door):
    async def scene():
        hub = Hub(door)
        await hub.open()
        first = [asyncio.create_task(first_line(door)) for _ in range(2)]
        await until(lambda: hub.visitors == 2)
        hub.tell(note("pedalling"))
        assert [READ.read(await line).what for line in first] == ["pedalling"] * 2
        await hub.close()

    run(scene())


def test_who_comes_late_is_told_how_things_stand(door):
    async def scene():
        hub = Hub(door)
        hub.greet_with(lambda: None)
        hub.greet_with(lambda: note("paused"))
        await hub.open()
        assert READ.read(await first_line(door)).what == "paused"
        await hub.close()

    run(scene())


def test_a_visitor_is_heard(door):
    async def scene():
        heard = []
        hub = Hub(door, heard.append)
        hub.greet_with(lambda: note("hello"))
        await hub.open()
        visit = Visit(door)
        assert not visit.tell(note("nobody is there yet"))
        lines = visit.lines()
        await anext(lines)
        assert visit.tell(note("touched"))
        await until(lambda: heard)
        assert READ.read(heard[0]).what == "touched"
        await lines.aclose()
        assert not visit.tell(note("gone"))
        await hub.close()

    run(scene())


def test_a_visitor_that_does_not_read_loses_the_oldest_lines_and_holds_nobody_up(door):
    async def scene():
        hub = Hub(door)
        await hub.open()
        stalled = socket.socket(socket.AF_UNIX)
        stalled.connect(str(door))
        await until(lambda: hub.visitors == 1)
        told = 4000
        for n in range(told):
            hub.tell(note(f"{n} " + "x" * 1000))
            if n % 10 == 0:
                await asyncio.sleep(0)
        hub.tell(note("last"))
        heard = []
        with stalled, stalled.makefile("rb") as lines:
            while not heard or heard[-1] != "last":
                line = await asyncio.to_thread(lines.readline)
                heard.append(READ.read(line).what.split()[0])
        numbers = [int(n) for n in heard[:-1]]
        assert numbers == sorted(numbers)
        assert len(numbers) < told
        assert numbers[-(MAILBOX_LINES - 1) :] == list(range(told - MAILBOX_LINES + 1, told))
        await hub.close()

    run(scene())


def test_a_visitor_without_an_end_of_line_is_hung_up_on_and_the_others_stay(door):
    async def scene():
        hub = Hub(door)
        await hub.open()
        good = asyncio.create_task(first_line(door))
        await until(lambda: hub.visitors == 1)
        _, babbler = await asyncio.open_unix_connection(door)
        await until(lambda: hub.visitors == 2)
        babbler.write(b"x" * (LONGEST_LINE_BYTES + 2))
        await until(lambda: hub.visitors == 1)
        hub.tell(note("still here"))
        assert READ.read(await good).what == "still here"
        babbler.close()
        await hub.close()

    run(scene())


def test_a_server_without_an_end_of_line_is_a_lost_part_and_no_bug(door):
    async def scene():
        async def babble(_reader, writer):
            writer.write(b"x" * (LONGEST_LINE_BYTES + 2))
            writer.close()

        door.parent.mkdir()
        server = await asyncio.start_unix_server(babble, door)
        with pytest.raises(PartLost, match="hung up"):
            await first_line(door)
        server.close()

    run(scene())


def test_a_server_that_has_stopped_reading_is_not_told_for_ever(door):
    async def scene():
        over = asyncio.Event()

        async def sleep(_reader, writer):
            writer.write(b"hello\n")
            await over.wait()
            writer.close()

        door.parent.mkdir()
        server = await asyncio.start_unix_server(sleep, door)
        visit = Visit(door)
        lines = visit.lines()
        await anext(lines)
        told = sum(visit.tell(note("x" * 10_000)) for _ in range(1000))
        assert 0 < told * 10_000 < 2 * LONGEST_LINE_BYTES
        over.set()
        await lines.aclose()
        server.close()

    run(scene())


def test_nobody_at_the_door_is_a_lost_part(door):
    async def scene():
        with pytest.raises(PartLost, match=r"nobody answers at .*ride\.sock: No such file"):
            await first_line(door)

    run(scene())


def test_a_server_that_goes_is_a_lost_part(door):
    async def scene():
        hub = Hub(door)
        await hub.open()
        line = asyncio.create_task(first_line(door))
        await until(lambda: hub.visitors == 1)
        await hub.close()
        with pytest.raises(PartLost, match="hung up"):
            await line
        assert not door.exists()

    run(scene())


def test_the_socket_of_a_killed_process_is_taken_over(door):
    async def scene():
        door.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(door))
        assert door.is_socket()
        hub = Hub(door)
        hub.greet_with(lambda: note("new"))
        await hub.open()
        assert READ.read(await first_line(door)).what == "new"
        await hub.close()

    run(scene())
