"""The crank's pin: gpiozero's mock in place of a Pi's, the real code behind it."""

import gzip
import json
import threading

import pytest
from gpiozero.pins.mock import MockFactory

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput, MissingPart
from firmware_app.real.crank import GpioCrank
from firmware_app.sim.crank import SimCrank, read_pulses, steady


def test_each_closing_is_told_once_and_the_opening_is_not():
    factory = MockFactory()
    crank = GpioCrank(17, factory)
    told = []
    crank.listen(told.append)
    pin = factory.pin(17)
    for _ in range(3):
        pin.drive_low()
        pin.drive_high()
    assert len(told) == 3
    assert told == sorted(told)
    crank.close()
    crank.close()


def test_a_pin_that_is_not_there_is_told_with_its_number_and_the_remedy():
    with pytest.raises(MissingPart, match=r"GPIO99: .*\[crank\] gpio"):
        GpioCrank(99, MockFactory())


def test_the_simulated_crank_turns_through_the_real_code_at_the_recorded_moments():
    clock = MachineClock()
    start_s = clock.monotonic() + 1.0  # a busy machine begins late, and what is past is skipped
    told, enough = [], threading.Event()

    def pulse(t_s):
        told.append(t_s - start_s)
        if len(told) == 4:
            enough.set()

    crank = SimCrank(iter((-9.0, 0.05, 0.1, 0.15, 0.2)), start_s, clock)
    crank.listen(pulse)
    assert enough.wait(5)
    crank.close()
    late_s = [t_s - due_s for t_s, due_s in zip(told, (0.05, 0.1, 0.15, 0.2), strict=True)]
    assert all(0 <= late < 0.5 for late in late_s)


def test_a_steady_crank_closes_once_a_turn():
    moments = steady(90)
    assert [round(next(moments), 3) for _ in range(3)] == [0.667, 1.333, 2.0]


def test_a_label_without_pulses_is_told_with_its_name(tmp_path):
    label = tmp_path / "ride.json.gz"
    label.write_bytes(gzip.compress(json.dumps({"fps": 15}).encode()))
    with pytest.raises(BadInput, match=r"ride\.json\.gz: no list crank_pulses_s"):
        read_pulses(label)
    label.write_bytes(b"\x1f\x8bgarbage")
    with pytest.raises(BadInput, match="must be JSON"):
        read_pulses(label)
    with pytest.raises(BadInput, match="name a label"):
        read_pulses(tmp_path / "nowhere.json")
