"""The camera being aimed: what whoever stands before it is told, and that nobody else is."""

import asyncio
import math

import pytest

from firmware_app.clock import HandClock
from firmware_app.form.metrics import FormMetrics, Knees
from firmware_app.ride.aiming import AT_MOST_S, Aiming
from firmware_app.sockets import Hub, Visit
from firmware_app.wire import Aim, Audit, FromRide, Landmark, PoseFrame, Reader

WIDE, HIGH = 640, 480
RIDER = {
    0: (320, 80), 7: (345, 75), 8: (295, 75), 11: (400, 160), 12: (240, 160), 13: (430, 260),
    14: (210, 260), 15: (390, 340), 16: (250, 340), 25: (380, 440), 26: (260, 430),
}  # fmt: skip


def pose(t_s=0.0, moved=None, **more):
    at = {**dict.fromkeys(range(33), (320, 240)), **RIDER, **(moved or {})}
    points = tuple(Landmark(float(x), float(y), 0.0, 0.9, 0.9) for x, y in at.values())
    fields = {"snr_db": 31.0, "landmarks": points, **more}
    return PoseFrame(t_s=t_s, frame=0, width_px=WIDE, height_px=HIGH, **fields)


def shown(seen=None, view="front", t_s=0.0):
    aiming = Aiming(view, 1, 0.0)
    if seen is not None:
        aiming.see(seen, FormMetrics(t_s=seen.t_s))
    return aiming.show(t_s)


def states(aim):
    return {check.name: (check.state, check.said) for check in aim.checks}


def test_a_rider_well_in_the_picture_only_has_to_pedal():
    told = states(shown(pose()))
    assert told.pop("crank") == ("wait", "pedal")
    assert {state for state, _ in told.values()} == {"ok"}


@pytest.mark.parametrize(
    ("moved", "view", "part", "expected"),
    [
        ({0: (320, -20), 7: (345, -25)}, "front", "head", ("mend", "out_up")),
        ({15: (700, 340)}, "front", "hands", ("mend", "out_side")),
        ({25: (380, 500)}, "side", "knees", ("mend", "out_down")),
        ({25: (380, 500)}, "front", "knees", ("free", "free")),
    ],
)
def test_what_is_out_of_the_picture_says_where_the_camera_has_to_go(moved, view, part, expected):
    assert states(shown(pose(moved=moved), view))[part] == expected


def test_nobody_darkness_distance_and_tilt_are_told():
    assert states(shown())["head"] == ("mend", "nobody")
    assert shown().points == ()
    assert states(shown(pose(t_s=0.0), t_s=5.0))["head"] == ("mend", "nobody")  # an old pose
    assert states(shown(pose(too_dark=True, snr_db=18.0)))["light"] == ("mend", "dark")
    assert states(shown(pose(framing="too far away")))["place"] == ("mend", "far")
    assert states(shown(pose(framing="camera tilted")))["place"] == ("mend", "tilted")


def pedalled(sensor_rpm, legs_rpm=80.0, seconds=14.0):
    """Pedal before the camera while the sensor closes at its own pace; return the crank's row."""
    aiming, pulses = Aiming("front", 1, 0.0), 0
    for n in range(int(seconds * 15)):
        t_s = n / 15
        swing = 0.05 * math.sin(math.tau * legs_rpm / 60 * t_s)
        knees = Knees(0.6, 0.9 + swing, 0.4, 0.9 - swing)
        aiming.see(pose(t_s=t_s), FormMetrics(t_s=t_s, knees=knees))
        while sensor_rpm and pulses * 60 / sensor_rpm <= t_s:
            aiming.pulse(pulses * 60 / sensor_rpm)
            pulses += 1
        row = aiming.show(t_s).checks[-1]
    return row.state, row.said


@pytest.mark.parametrize(
    ("sensor_rpm", "told"),
    [
        (80, ("ok", "agrees")),
        (0, ("mend", "silent")),
        (40, ("mend", "half")),
        (160, ("mend", "double")),
    ],
)
def test_the_crank_is_checked_by_the_legs(sensor_rpm, told):
    assert pedalled(sensor_rpm) == told


def test_whoever_walks_away_has_not_locked_the_bike():
    assert not Aiming("front", 1, 100.0).over(100.0 + AT_MOST_S - 1)
    assert Aiming("front", 1, 100.0).over(100.0 + AT_MOST_S + 1)


def test_only_the_screen_that_asked_is_told(tmp_path):
    clock = HandClock()

    async def scene():
        tellers = []
        hub = Hub(tmp_path / "ride.sock", lambda _line: tellers.append(hub.teller()))
        await hub.open()
        screen, gateway = (Visit(tmp_path / "ride.sock") for _ in range(2))
        ours, theirs = screen.lines(), gateway.lines()
        waits = [asyncio.create_task(anext(lines)) for lines in (ours, theirs)]
        while not screen.tell(Audit(t_s=0, what="aim")) or not tellers:  # noqa: ASYNC110 - sockets
            await asyncio.sleep(0.001)
        while hub.visitors < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        tellers[0](Aiming("front", 1, 0.0).show(clock.monotonic()))
        hub.tell(Audit(t_s=0, what="to all"))
        first, second = await asyncio.gather(*waits)
        assert isinstance(Reader(FromRide).read(first), Aim)
        assert b"to all" in second
        for lines in (ours, theirs):
            await lines.aclose()
        await hub.close()
        tellers[0](Aiming("front", 1, 0.0).show(0.0))  # gone: nobody is told, nothing breaks

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_a_camera_that_sees_from_elsewhere_than_it_was_set_up_for_is_told():
    aiming = Aiming("front", 1, 0.0)
    aiming.see(pose(), FormMetrics(t_s=0.0), "side")
    assert states(aiming.show(0.0))["place"] == ("mend", "sees_side")
    aiming.see(pose(), FormMetrics(t_s=0.0), "front")
    assert states(aiming.show(0.0))["place"] == ("ok", "good")
