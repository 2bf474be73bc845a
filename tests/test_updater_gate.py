"""The gate: what worked before must still work, for longer than two watchdog periods."""

from dataclasses import replace

import pytest

from gateway.updater.gate import Gate, Health, Look, Unit, gate_s, worked_before
from gateway.updater.machine import span_s

UNITS = (
    Unit("bikebox-gateway", active=True, watchdog_s=15),
    Unit(
        "bikebox-vision", active=True, watchdog_s=20, memory_bytes=1, memory_max_bytes=600_000_000
    ),
)
FINE = Health("2", {"camera": "ok", "crank": "ok", "broker": "no network"})


def look(t_s, health=FINE, units=UNITS, why=""):
    return Look(t_s, health, why, units)


def vision(**more):
    return (UNITS[0], replace(UNITS[1], **more))


def judge(see, seconds=200.0, before=("camera", "bikebox-gateway", "bikebox-vision")):
    """Ask the gate once a second; return its verdict and when it fell."""
    gate = Gate("2", before, 0.0)
    t_s = 0.0
    while t_s < seconds:
        if (verdict := gate.feed(see(t_s))) is not None:
            return verdict, t_s
        t_s += 1.0
    return None, t_s


def test_a_good_release_passes_after_two_periods_of_the_slowest_watchdog_and_no_sooner():
    verdict, after_s = judge(look)
    assert verdict == ""
    assert after_s == gate_s(UNITS) == 42


def test_what_worked_is_what_answers_and_what_is_active():
    assert worked_before(look(0)) == ["bikebox-gateway", "bikebox-vision", "camera", "crank"]
    assert worked_before(look(0, None, vision(active=False))) == ["bikebox-gateway"]


def test_a_part_that_was_lost_before_may_stay_lost():
    assert (
        judge(lambda t_s: look(t_s, replace(FINE, parts={"camera": "ok", "crank": "x"})))[0] == ""
    )


def test_a_part_that_worked_has_patience_and_then_the_release_goes_back():
    def lost_until(end_s):
        dark = replace(FINE, parts={"camera": "lost: no picture"})
        return lambda t_s: look(t_s, dark if t_s < end_s else FINE)

    assert judge(lost_until(60)) == ("", 60)
    verdict, after_s = judge(lost_until(1000))
    assert verdict == "camera worked before, and now: lost: no picture"
    assert 42 < after_s < 80


def test_a_part_that_is_not_told_any_more_is_lost():
    assert judge(lambda t_s: look(t_s, replace(FINE, parts={})))[0] == (
        "camera worked before, and now: not told"
    )


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (look(0, units=vision(restarts=1, result="watchdog")), "died (watchdog)"),
        (
            look(0, units=vision(active=False, failed=True, status=1)),
            "failed (success, exit code 1)",
        ),
        (look(0, units=vision(active=False, failed=True, status=78)), "exit code 78"),
        (look(0, units=vision(memory_bytes=550_000_000)), "uses 550 of its 600 MB"),
    ],
)
def test_a_service_that_dies_fails_or_swells_sends_the_release_back_at_once(seen, words):
    verdict, after_s = judge(lambda t_s: replace(seen, t_s=t_s))
    assert words in verdict
    assert after_s == 0


def test_a_setting_that_was_wrong_before_is_not_the_releases_fault():
    seen = vision(active=False, failed=True, status=78)
    assert judge(lambda t_s: look(t_s, units=seen), before=("camera",))[0] == ""


def test_services_that_never_get_ready_and_a_gateway_that_never_answers_send_it_back():
    verdict, after_s = judge(lambda t_s: look(t_s, units=vision(active=False)))
    assert verdict == "bikebox-vision is not ready"
    assert after_s > 70
    verdict, after_s = judge(lambda t_s: look(t_s, None, why="it answers 503"))
    assert verdict == "the gateway gives no health: it answers 503"
    assert 20 < after_s < 30


def test_a_gateway_of_another_version_is_not_the_release():
    assert judge(lambda t_s: look(t_s, replace(FINE, version="1")))[0] == (
        "the gateway is version 1, not 2"
    )


def test_a_short_silence_is_forgiven_and_a_long_one_is_not():
    def silent(from_s, to_s):
        return lambda t_s: look(t_s, None if from_s <= t_s < to_s else FINE, why="it is silent")

    assert judge(silent(10, 14))[0] == ""
    verdict, after_s = judge(silent(10, 100))
    assert verdict == "it served, and then the gateway gives no health: it is silent"
    assert after_s < 20


@pytest.mark.parametrize(
    ("words", "seconds"), [("15s", 15), ("1min 30s", 90), ("500ms", 0.5), ("infinity", 0), ("0", 0)]
)
def test_spans_are_read_as_systemctl_shows_them(words, seconds):
    assert span_s(words) == seconds
