"""What would be done to a bike, and how an update spreads: decided without a network."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_app.errors import WireError
from gateway.fleet.inventory import Bike
from gateway.fleet.plan import Bundle, in_words, plan_update
from gateway.fleet.rollout import LATER, Outcome, Rollout
from gateway.fleet.seen import Seen, UpdateStatus, read_look

NEW = Bundle(
    path=Path("bikebox-26.12.0-aarch64.bundle"), sha256="ab" * 32, size_bytes=150_000_000,
    unpacked_bytes=400_000_000, version="26.12.0", serial=12, machine="aarch64", python="3.11",
)  # fmt: skip


def bike(name, gym="north", groups=()):
    return Bike(name=name, gym=gym, address=name, port=22, host_key="", groups=groups, settings={})


def seen(update=None, **told):
    status = {"version": "26.11.0", "serial": 11} | (update or {})
    return msgspec.structs.replace(
        Seen(
            machine="aarch64", python="3.11", free_bytes=8_000_000_000,
            update=msgspec.convert(status, UpdateStatus),
        ),
        **told,
    )  # fmt: skip


def plan(update=None, *, force=False, bundles=(NEW,), **told):
    return plan_update("b1", seen(update, **told), bundles, force=force)


def test_a_bike_with_the_release_before_is_sent_the_new_one_and_installs_it():
    said = plan()
    assert said.verdict == "todo"
    assert [step.words for step in said.steps] == ["send 150 MB", "install 26.12.0 over 26.11.0"]


def test_a_bike_that_has_it_has_no_steps():
    said = plan({"version": "26.12.0", "serial": 12})
    assert (said.verdict, said.steps) == ("done", ())


def test_what_was_sent_is_not_sent_again():
    whole = plan(inbox={f"{NEW.sha256}.bundle": NEW.size_bytes})
    assert [step.do for step in whole.steps] == ["install"]
    begun = plan(inbox={f"{NEW.sha256}.part": 100_000_000})
    assert begun.steps[0].words == "send the last 50 of 150 MB"
    other = plan(inbox={"cd.bundle": NEW.size_bytes})
    assert other.steps[0].bytes == NEW.size_bytes


def test_nothing_is_planned_while_somebody_rides():
    assert (plan({"riding": True}).verdict, plan({"riding": True}).steps) == ("put off", ())


@pytest.mark.parametrize(
    ("told", "verdict", "why"),
    [
        ({"reached": "no", "why": "no answer in 10 s"}, "unreachable", "no answer"),
        ({"reached": "refused", "why": "another host key"}, "refused", "host key"),
        ({"update": None}, "refused", "bikebox fleet provision b1"),
        ({"machine": "x86_64"}, "refused", "it is x86_64 Python 3.11; the files are for aarch64"),
        ({"python": "3.13"}, "refused", "Python 3.13"),
        ({"free_bytes": 600_000_000}, "refused", "750 MB are needed on its card and 600 MB free"),
    ],
)
def test_a_bike_that_cannot_be_updated_is_told_with_the_reason(told, verdict, why):
    status = told.pop("update", {})
    shown = seen(**told) if status is not None else Seen(machine="aarch64", python="3.11")
    said = plan_update("b1", shown, [NEW])
    assert (said.verdict, said.steps) == (verdict, ())
    assert why in said.why


def test_a_release_that_went_back_or_is_older_is_only_taken_by_force():
    went_back = {"bad": [{"version": "26.12.0", "why": "the camera was lost"}]}
    assert plan(went_back).verdict == "refused"
    assert "the camera was lost" in plan(went_back).why
    assert plan(went_back, force=True).verdict == "todo"
    newer = {"version": "27.1.0", "serial": 13}
    assert "26.12.0 is older than 27.1.0" in plan(newer).why
    assert plan(newer, force=True).verdict == "todo"


def test_a_mixed_fleet_gets_the_file_for_each_machine():
    intel = msgspec.structs.replace(NEW, machine="x86_64", sha256="cd" * 32)
    assert plan(bundles=(NEW, intel), machine="x86_64").bundle == intel


def test_the_plan_is_printed_with_a_line_for_each_bike_and_the_sum():
    said = in_words({"b1": plan(), "b2": plan({"riding": True}), "b3": plan(reached="no")})
    assert "b1                       26.11.0      send 150 MB; install 26.12.0 over 26.11.0" in said
    assert "b2                       26.11.0      put off: somebody rides" in said
    assert said.endswith("3 bikes: 1 todo, 1 put off, 1 unreachable; 150 MB to send\n")


def test_what_a_bike_answers_is_read_and_nonsense_is_told():
    look = 'aarch64\n3.11\n7000000\n150 ab.part\n=\n{"version":"1","previous":null,"extra":1}\n'
    said = read_look(look)
    assert (said.inbox, said.update.version) == ({"ab.part": 150}, "1")
    assert read_look("aarch64\n3.11\n7\n=\n").update is None
    for wrong in ("", "aarch64\n", "aarch64\n3.11\nmany\n=\n", "a\n3\n7\n=\n{", "a\n3\n7\n"):
        with pytest.raises(WireError, match="the bike answered"):
            read_look(wrong)


# waves ------------------------------------------------------------------------------------------


def rollout(count, waves=("1", "10%", "rest"), gyms=("north", "south"), kinds=("a",)):
    bikes = [
        bike(f"b{n}", gyms[n % len(gyms)], ("canary",) if n == count - 1 else ())
        for n in range(count)
    ]
    return Rollout(bikes, {b.name: kinds[n % len(kinds)] for n, b in enumerate(bikes)}, waves)


def ride_out(rollout, result=lambda _name: "updated"):
    """Let every wave end as result(bike) says; return the waves."""
    waves = []
    while wave := rollout.next_wave():
        waves.append([each.name for each in wave])
        rollout.feed([Outcome(bike=each.name, result=result(each.name)) for each in wave])
    return waves


def test_the_canary_goes_first_then_a_tenth_then_the_rest():
    waves = ride_out(rollout(200))
    assert [len(wave) for wave in waves] == [1, 20, 179]
    assert waves[0] == ["b199"]
    assert {int(name[1:]) % 2 for name in waves[1]} == {0, 1}, "of every gym"


def test_a_release_that_fails_at_the_canary_reaches_nobody_else():
    spread = rollout(200)
    assert ride_out(spread, lambda _name: "failed") == [["b199"]]
    assert spread.stopped.startswith("b199 failed")
    assert len(spread.left()) == 199
    assert {told.result for told in spread.left()} == {"waits"}


def test_bikes_that_are_away_or_ridden_do_not_stop_it_and_prove_nothing():
    spread = rollout(20)
    away = {"b19": "unreachable", "b0": "put off"}
    waves = ride_out(spread, lambda name: away.get(name, "updated"))
    assert [len(wave) for wave in waves] == [1, 1, 1, 2, 15]
    assert spread.stopped == ""


def test_a_bike_that_goes_back_after_its_wave_ends_it():
    spread = rollout(20)
    canary = spread.next_wave()[0].name
    spread.feed([Outcome(bike=canary, result="updated")])
    spread.look_again([Outcome(bike=canary, result="failed", why="memory")])
    assert spread.next_wave() == []
    assert "memory" in spread.stopped


def test_each_release_file_has_a_canary_of_its_own():
    waves = ride_out(rollout(20, kinds=("arm", "intel")))
    assert waves[0] == ["b19", "b0"]


@given(
    st.integers(1, 60),
    st.lists(st.sampled_from(["1", "2", "10%", "50%", "rest"]), min_size=1, max_size=4),
    st.lists(st.sampled_from(["updated", "unreachable", "put off", "failed"]), min_size=1),
)
def test_every_bike_has_its_turn_once_or_is_told_to_wait(count, waves, results):
    spread = rollout(count, waves)
    gone = ride_out(spread, lambda name: results[int(name[1:]) % len(results)])
    tried = [name for wave in gone for name in wave]
    waiting = [told.bike for told in spread.left()]
    assert sorted(tried + waiting) == sorted(f"b{n}" for n in range(count))
    assert bool(waiting) <= bool(spread.stopped)
    assert set(LATER) == {"unreachable", "put off", "waits"}
    failed = [
        n
        for n, wave in enumerate(gone)
        if any(spread.outcomes[name].result == "failed" for name in wave)
    ]
    assert failed in ([], [len(gone) - 1]), "no wave begins after one that failed"
