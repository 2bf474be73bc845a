"""The journals reach the gateway: at least once, in order, however often it goes away."""

import asyncio
import contextlib
import json

import pytest

from firmware_app.clock import HandClock
from firmware_app.errors import PartLost
from firmware_app.journal import Journal
from firmware_app.link import Link
from firmware_app.wire import Audit, CameraState


class Gateway:
    """Keeps what it is told, and says so; dies when asked to."""

    def __init__(self, door):
        self.door = door
        self.kept: dict[str, int] = {}
        self.lines: list[bytes] = []
        self.dies_after: int | None = None
        self.answer = b""

    @contextlib.asynccontextmanager
    async def serving(self):
        server = await asyncio.start_unix_server(self._serve, self.door)
        yield
        server.close()
        for _ in range(10):
            await asyncio.sleep(0)

    def what(self) -> list[str]:
        return [json.loads(line)["what"] for line in self.lines]

    async def _serve(self, reader, writer):
        journal, held = "", []
        while line := await reader.readline():
            said = json.loads(line)
            if "journal" in said:
                journal = said["journal"]
            elif "at" in said:
                self.lines += held
                self.kept[journal], held = said["at"], []
            else:
                held.append(line)
                continue
            if self.dies_after is not None and len(self.lines) >= self.dies_after:
                break
            answer = self.answer or json.dumps({"kept": self.kept.get(journal, 0)}).encode()
            writer.write(answer + b"\n")
        writer.close()


@pytest.fixture
def journals(tmp_path):
    return tmp_path / "journals"


@pytest.fixture
def gateway(tmp_path):
    return Gateway(tmp_path / "gateway.sock")


def write(path, *words):
    with Journal(path) as journal:
        for word in words:
            journal.append(CameraState(t_s=0.0, ok=True))
            journal.append(Audit(t_s=0.0, what=word))


async def deliver(journals, gateway, looks=2):
    """Run a link until it has looked at every journal this often, or the gateway is lost."""
    link = Link(journals, gateway.door, HandClock())
    looked = asyncio.Event()
    left = looks

    def worked():
        nonlocal left
        left -= 1
        if left == 0:
            looked.set()

    running = asyncio.create_task(link.run(worked))
    done = asyncio.create_task(looked.wait())
    await asyncio.wait({running, done}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    done.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    return link


def test_the_gateway_gets_what_the_ride_told_and_nothing_of_what_it_heard(journals, gateway):
    async def scene():
        write(journals / "1.jsonl", "mounted", "pedalled")
        async with gateway.serving():
            link = await deliver(journals, gateway)
        assert gateway.what() == ["mounted", "pedalled"]
        assert link.kept == {"1.jsonl": (journals / "1.jsonl").stat().st_size}

    asyncio.run(scene())


def test_older_rides_come_first(journals, gateway):
    async def scene():
        write(journals / "2.jsonl", "today")
        write(journals / "1.jsonl", "yesterday")
        async with gateway.serving():
            await deliver(journals, gateway)
        assert gateway.what() == ["yesterday", "today"]

    asyncio.run(scene())


def test_what_is_kept_is_not_sent_again_after_a_restart(journals, gateway):
    async def scene():
        write(journals / "1.jsonl", "before")
        async with gateway.serving():
            await deliver(journals, gateway)
            write(journals / "1.jsonl", "after")
            await deliver(journals, gateway)
        assert gateway.what() == ["before", "after"]

    asyncio.run(scene())


def test_a_gateway_that_dies_before_it_answers_gets_the_lines_again(journals, gateway):
    async def scene():
        write(journals / "1.jsonl", "told twice")
        gateway.dies_after = 1
        async with gateway.serving():
            with pytest.raises(PartLost, match="hung up"):
                await deliver(journals, gateway)
            gateway.dies_after, gateway.kept = None, {}
            await deliver(journals, gateway)
        assert gateway.what() == ["told twice", "told twice"]

    asyncio.run(scene())


def test_a_torn_last_line_waits_until_it_is_whole(journals, gateway):
    async def scene():
        path = journals / "1.jsonl"
        write(path, "whole")
        end = path.stat().st_size
        line = b'{"type":"Audit","t_s":0.0,"what":"torn"}\n'
        with path.open("ab") as file:
            file.write(line[:20])
        async with gateway.serving():
            link = await deliver(journals, gateway)
            assert (gateway.what(), link.kept["1.jsonl"]) == (["whole"], end)
            with path.open("ab") as file:
                file.write(line[20:])
            await deliver(journals, gateway)
        assert gateway.what() == ["whole", "torn"]

    asyncio.run(scene())


def test_a_long_ride_arrives_whole(journals, gateway):
    async def scene():
        words = [f"{n:05d}" + "x" * 200 for n in range(5000)]
        write(journals / "1.jsonl", *words)
        async with gateway.serving():
            await deliver(journals, gateway)
        assert gateway.what() == words

    asyncio.run(scene())


def test_a_gateway_that_goes_while_there_is_nothing_to_tell_is_noticed(journals, gateway):
    async def scene():
        write(journals / "1.jsonl", "mounted")
        async with gateway.serving():
            looked = await deliver(journals, gateway)
        link = Link(journals, gateway.door, HandClock())

        async def leaves(reader, writer):
            await reader.readline()
            writer.write(json.dumps({"kept": looked.kept["1.jsonl"]}).encode() + b"\n")
            writer.close()

        async with await asyncio.start_unix_server(leaves, gateway.door):
            with pytest.raises(PartLost, match=r"^the gateway hung up$"):
                await asyncio.wait_for(link.run(lambda: None), 5)
        assert not link.connected

    asyncio.run(scene())


def test_no_gateway_is_a_lost_part(journals, gateway):
    async def scene():
        with pytest.raises(PartLost, match=r"no gateway at .*gateway\.sock: No such file"):
            await deliver(journals, gateway)

    asyncio.run(scene())


def test_a_gateway_that_talks_nonsense_is_a_lost_part_and_no_bug(journals, gateway):
    async def scene():
        write(journals / "1.jsonl", "mounted")
        gateway.answer = b'{"kept": "all of it"}'
        async with gateway.serving():
            with pytest.raises(PartLost, match="the gateway answered"):
                await deliver(journals, gateway)

    asyncio.run(scene())
