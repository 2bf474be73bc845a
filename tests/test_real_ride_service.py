"""The ride's own process: killed in mid-ride, it takes up the ride where it was."""

import asyncio
import contextlib
import gzip
import json
import signal
import subprocess
import sys

import pytest

from firmware_app.clock import MachineClock
from firmware_app.coach.book import cue_file, read_cues
from firmware_app.ride.recording import first_difference, read_recording, replay
from firmware_app.sockets import Hub, Visit
from firmware_app.summary import summarise
from firmware_app.wire import (
    Aim,
    CameraState,
    Claim,
    FromRide,
    Hud,
    Landmark,
    Offer,
    PoseFrame,
    Reader,
    RideEnded,
    SyncState,
    Touch,
)

READ = Reader(FromRide)

CONFIG = """
box = "bike-1"
rider = "Sagar"
[paths]
run = "{run}"
state = "{state}"
[crank]
sim_rpm = 90
"""


@pytest.fixture
def box(tmp_path):
    """A box's folder and a way to start its ride service; all stopped at the end."""
    config = tmp_path / "bikebox.toml"
    config.write_text(CONFIG.format(run=tmp_path / "run", state=tmp_path / "state"))
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-m", "firmware_app.cli", "ride", "--config", config]
        )
        started.append(process)
        return process

    yield tmp_path, start
    for process in started:
        process.kill()
        process.wait()


async def hud_where(path, wanted, within_s=15.0, say=None):
    """Visit ride.sock until a Hud is as wanted; return it."""
    reader = Reader(FromRide)

    async def look():
        while True:
            visit = Visit(path)
            with contextlib.suppress(ConnectionError):
                async for line in visit.lines():
                    if say is not None:
                        visit.tell(say())
                    message = reader.read(line)
                    if isinstance(message, Hud) and wanted(message):
                        return message
            await asyncio.sleep(0.1)

    return await asyncio.wait_for(look(), within_s)


def test_a_killed_ride_service_goes_on_with_the_same_ride(box):
    folder, start = box
    socket = folder / "run" / "ride.sock"
    journals = folder / "state" / "journals"

    async def scene():
        first = start()
        before = await hud_where(socket, lambda hud: hud.elapsed_s > 3)
        first.send_signal(signal.SIGKILL)
        first.wait()
        second = start()
        after = await hud_where(socket, lambda hud: hud.phase == "riding")
        assert after.elapsed_s >= before.elapsed_s - 1
        clock = MachineClock()
        await hud_where(
            socket,
            lambda hud: hud.phase == "ended",
            say=lambda: Touch(t_s=clock.monotonic(), action="end"),
        )
        second.terminate()
        assert second.wait(10) == 0

    asyncio.run(scene())
    (journal,) = journals.glob("*.jsonl")
    recording = read_recording(journal)
    _ride, told = replay(recording, read_cues(cue_file("en")))
    assert first_difference(recording, told) == ""
    assert sum(isinstance(message, RideEnded) for message in told) == 1
    assert summarise(told).cadence_mean_rpm == pytest.approx(90, abs=2)


def test_the_screen_hears_what_is_missing_and_when_it_is_back(box):
    folder, start = box
    socket = folder / "run" / "ride.sock"
    clock = MachineClock()

    async def told_on():
        async for line in Visit(socket).lines():
            if isinstance(message := READ.read(line), CameraState):
                return message.why
        return "hung up"

    async def scene():
        start()
        alone = await hud_where(socket, lambda hud: hud.phase == "riding")
        listening = asyncio.create_task(told_on())
        assert alone.camera == "lost"
        assert alone.sync == "lost"
        vision = Hub(folder / "run" / "vision.sock")
        vision.greet_with(
            lambda: CameraState(t_s=clock.monotonic(), ok=False, why="camera unplugged")
        )
        await vision.open()
        told = await hud_where(
            socket,
            lambda hud: hud.unseen_why == "camera unplugged" and hud.sync == "offline",
            say=lambda: SyncState(t_s=clock.monotonic(), sync="offline"),
        )
        assert told.camera == "lost"
        assert await listening == "camera unplugged", "health has it from the ride"
        await vision.close()

    asyncio.run(scene())


def test_a_rider_turns_the_camera_off_and_the_camera_process_is_told(box):
    folder, start = box
    socket = folder / "run" / "ride.sock"
    clock = MachineClock()
    heard = []

    async def scene():
        vision = Hub(folder / "run" / "vision.sock", heard.append)
        await vision.open()
        start()

        async def look():
            while True:
                off = bool(heard) and b"camera_off" in heard[-1]
                why = "camera is off" if off else "starting"
                vision.tell(CameraState(t_s=clock.monotonic(), ok=False, why=why))
                await asyncio.sleep(0.1)

        looking = asyncio.create_task(look())
        hud = await hud_where(
            socket,
            lambda hud: hud.camera == "off",
            say=lambda: Touch(t_s=clock.monotonic(), action="camera_off"),
        )
        assert hud.phase in ("waiting", "riding")
        await hud_where(
            socket,
            lambda hud: hud.camera == "lost",
            say=lambda: Touch(t_s=clock.monotonic(), action="camera_on"),
        )
        looking.cancel()
        await vision.close()

    asyncio.run(scene())
    assert b"camera_off" in heard[0]
    assert b"camera_on" in heard[-1]


def test_who_claims_the_waiting_bike_rides_under_that_name(box):
    folder, start = box
    config = folder / "bikebox.toml"
    pulses = folder / "pulses.json.gz"  # an hour without a turn
    pulses.write_bytes(gzip.compress(json.dumps({"crank_pulses_s": [3600.0]}).encode()))
    config.write_text(config.read_text().replace("sim_rpm = 90", f'sim_pulses = "{pulses}"'))
    socket = folder / "run" / "ride.sock"
    clock = MachineClock()
    url = "https://bike-1.local:8443/ride/abc"

    async def scene():
        start()
        offer = Offer(t_s=0.0, url=url, until_s=clock.monotonic() + 60)
        shown = await hud_where(socket, lambda hud: hud.claim_url == url, say=lambda: offer)
        assert (shown.phase, shown.rider) == ("waiting", "Sagar")
        claim = Claim(t_s=clock.monotonic(), rider="Anna", name_on_board=True)
        greeted = await hud_where(socket, lambda hud: hud.rider == "Anna", say=lambda: claim)
        assert greeted.claim_url == ""
        begin = Touch(t_s=clock.monotonic(), action="start")
        await hud_where(socket, lambda hud: hud.phase == "riding", say=lambda: begin)
        end = Touch(t_s=clock.monotonic(), action="end")
        await hud_where(socket, lambda hud: hud.phase == "ended", say=lambda: end)

    asyncio.run(scene())
    (journal,) = (folder / "state" / "journals").glob("*.jsonl")
    started = read_recording(journal).told[0]
    assert (started.rider, started.name_on_board) == ("Anna", True)


def test_a_screen_that_asks_is_shown_what_the_camera_sees_and_nobody_else_is(box):
    folder, start = box
    config = folder / "bikebox.toml"
    config.write_text(config.read_text().replace("sim_rpm = 90", "sim_rpm = 1"))
    points = tuple(Landmark(100.0 + 9 * n, 60.0 + 12 * n, 0.0, 0.9, 0.9) for n in range(33))
    clock = MachineClock()

    async def see(eye):
        for n in range(10_000):
            now_s = clock.monotonic()
            eye.tell(PoseFrame(t_s=now_s, frame=n, width_px=640, height_px=480, landmarks=points))
            await asyncio.sleep(0.05)

    async def lines_of(path, wanted, say=None):
        visit, kinds = Visit(path), []
        async for line in visit.lines():
            message = READ.read(line)
            kinds.append(type(message))
            if say is not None and len(kinds) == 1:
                visit.tell(say)
            if isinstance(message, Aim) and message.points:
                assert [row.name for row in message.checks] == [
                    "head", "hands", "knees", "place", "light", "crank"
                ]  # fmt: skip
                assert all(0 <= x <= 1 for x, _, _ in message.points)
            if kinds.count(wanted) == 8:
                return kinds
        return kinds

    async def scene():
        eye = Hub(folder / "run" / "vision.sock")
        await eye.open()
        seeing = asyncio.create_task(see(eye))
        start()
        socket = folder / "run" / "ride.sock"
        await hud_where(socket, lambda hud: hud.phase == "waiting")
        asks = Touch(t_s=clock.monotonic(), action="aim")
        ours, theirs = await asyncio.gather(lines_of(socket, Aim, asks), lines_of(socket, Hud))
        assert Aim in ours
        assert Aim not in theirs
        seeing.cancel()
        await eye.close()

    asyncio.run(asyncio.wait_for(scene(), 30))
