"""A part that fails comes back by itself, is told of once, and never takes the bike with it."""

import asyncio
import itertools

import pytest
from structlog.testing import capture_logs

from firmware_app.clock import HandClock
from firmware_app.errors import BadSetting, PartLost
from firmware_app.supervise import FIRST_WAIT_S, LONGEST_WAIT_S, keep_going


def keep(tries, clock, **more):
    """Run a part that does what tries says, one after the other; return when each began."""
    began = []

    async def run(worked):
        began.append(clock.monotonic())
        todo = tries.pop(0)
        if "works" in todo:
            worked()
        if "fails" in todo:
            raise PartLost("unplugged")
        if "misconfigured" in todo:
            raise BadSetting("no such camera")
        if "bug" in todo:
            raise ZeroDivisionError

    asyncio.run(keep_going("camera", run, clock, **more))
    return began


def test_an_unplugged_camera_is_tried_again_ever_more_slowly():
    began = keep(["fails"] * 8 + ["ends"], HandClock())
    waits = [after - before for before, after in itertools.pairwise(began)]
    assert waits[:4] == [FIRST_WAIT_S, 1.0, 2.0, 4.0]
    assert waits[4:] == [LONGEST_WAIT_S] * 4


def test_a_part_that_worked_in_between_is_tried_again_at_once():
    began = keep(["fails", "fails", "fails", "works, fails", "ends"], HandClock())
    assert began[-1] - began[-2] == FIRST_WAIT_S


def test_a_loss_is_told_once_and_so_is_the_return():
    told = []
    with capture_logs() as logs:
        keep(
            ["fails", "fails", "works, fails", "fails", "works, ends"],
            HandClock(),
            on_lost=told.append,
        )
    assert [line["event"] for line in logs] == ["part_lost", "part_back"] * 2
    assert logs[0] == {
        "event": "part_lost", "log_level": "warning", "part": "camera", "why": "unplugged",
    }  # fmt: skip
    assert told == ["unplugged", "unplugged"]


def test_a_setting_that_a_technician_must_mend_is_not_tried_again():
    with pytest.raises(BadSetting):
        keep(["misconfigured"], HandClock())


def test_a_bug_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        keep(["bug"], HandClock())


def test_a_part_that_is_asked_to_stop_stops():
    async def scene():
        async def run(_worked):
            await asyncio.Event().wait()

        part = asyncio.create_task(keep_going("camera", run, HandClock()))
        await asyncio.sleep(0)
        part.cancel()
        with pytest.raises(asyncio.CancelledError):
            await part

    asyncio.run(scene())


def test_who_is_stopped_as_its_part_is_lost_stops():
    """A TaskGroup of Python 3.11 that is cancelled as a task of it fails tells of the failure."""
    lost = asyncio.Event()

    async def hangs_up():
        await lost.wait()
        raise PartLost("hung up")

    async def listen(_worked):
        assert not lost.is_set(), "it is tried again"
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(hangs_up())
        except* PartLost:
            pass
        raise PartLost("hung up")

    async def scene():
        kept = asyncio.create_task(keep_going("broker", listen, HandClock()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        lost.set()
        kept.cancel()
        with pytest.raises(asyncio.CancelledError):
            await kept

    asyncio.run(scene())


def test_a_part_whose_tasks_fail_while_they_are_awaited_is_tried_again():
    """A TaskGroup of Python 3.11 that fails in its end leaves its task marked as asked to stop."""
    tries = 0

    async def hangs_up():
        await asyncio.sleep(0)
        raise PartLost("hung up")

    async def listen(_worked):
        nonlocal tries
        tries += 1
        if tries < 3:
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(hangs_up())
            except* PartLost:
                pass
            raise PartLost("hung up")

    asyncio.run(keep_going("broker", listen, HandClock()))
    assert tries == 3
