"""What a bike keeps of a rider: numbers, under a name that says nothing, until told to forget."""

import json

import pytest

from firmware_app.cli import main
from firmware_app.services.memory import KEEP, MOST_RIDERS, Memory, Remembered, after
from firmware_app.wire import Profile

SUMMARY = {"shoulder_y": 0.412345678, "shoulder_span": 0.25}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state" / "riders"


def test_a_rider_is_known_again_after_an_update(folder):
    known = after(Remembered(profile=Profile(left_handed=True)), "front", SUMMARY, "quiet")
    Memory(folder).keep(Memory(folder).place("Anna  Berg"), known)
    again = Memory(folder).recall(Memory(folder).place("anna berg"))
    assert again == known
    assert (again.rides, again.profile.left_handed, again.profile.style) == (1, True, "quiet")
    assert again.baselines["front"] == ({"shoulder_y": 0.41235, "shoulder_span": 0.25},)


def test_nobody_else_is_known(folder):
    Memory(folder).keep(Memory(folder).place("Anna"), after(Remembered(), "front", SUMMARY, ""))
    assert Memory(folder).recall(Memory(folder).place("Ben")) == Remembered()


def test_two_of_one_name_are_two_riders_and_their_phones_tell_which(folder):
    memory = Memory(folder)
    one, other = memory.place("Anna", "phone of one"), memory.place(" anna ", "phone of another")
    memory.keep(one, Remembered(rides=3))
    assert memory.recall(other) == Remembered()
    memory.keep(other, Remembered(rides=5))
    assert memory.recall(memory.place("ANNA", "phone of one")).rides == 3
    assert memory.recall(memory.place("Anna")) == Remembered()
    assert memory.named("Anna") == sorted((one, other))
    assert memory.forget("Anna")
    assert not list(folder.glob("*.json"))


def test_the_files_say_nothing_of_who_it_is(folder):
    Memory(folder).keep(Memory(folder).place("Anna"), after(Remembered(), "front", SUMMARY, ""))
    for path in folder.iterdir():
        assert "anna" not in path.name.lower()
        assert b"nna" not in path.read_bytes()
    assert (folder / "key").stat().st_mode & 0o077 == 0


def test_another_box_gives_the_same_rider_another_name(tmp_path):
    names = set()
    for box in ("a", "b"):
        Memory(tmp_path / box).keep(Memory(tmp_path / box).place("Anna"), Remembered(rides=1))
        names |= {path.name for path in (tmp_path / box).glob("*.json")}
    assert len(names) == 2


def test_only_the_last_rides_of_a_view_are_kept():
    known = Remembered()
    for n in range(KEEP + 3):
        known = after(known, "side", {"hip_x": float(n)}, "")
    known = after(known, "front", SUMMARY, "")
    assert [kept["hip_x"] for kept in known.baselines["side"]] == [3, 4, 5, 6, 7]
    assert len(known.baselines["front"]) == 1
    assert known.rides == KEEP + 4


def test_forgotten_is_gone(folder):
    memory = Memory(folder)
    memory.keep(memory.place("Anna"), Remembered(rides=3))
    assert memory.forget("ANNA")
    assert not memory.forget("Anna")
    assert memory.recall(memory.place("Anna")) == Remembered()
    assert not list(folder.glob("*.json"))


def test_a_damaged_file_or_a_full_card_is_a_rider_who_is_learnt_anew(folder):
    memory = Memory(folder)
    memory.keep(memory.place("Anna"), Remembered(rides=3))
    (path,) = folder.glob("*.json")
    path.write_bytes(b'{"rides": ')
    assert memory.recall(memory.place("Anna")) == Remembered()
    path.unlink()
    path.with_suffix(".new").mkdir()
    memory.keep(memory.place("Anna"), Remembered(rides=4))
    assert memory.recall(memory.place("Anna")) == Remembered()


def test_what_a_newer_release_added_does_not_disturb(folder):
    memory = Memory(folder)
    memory.keep(memory.place("Anna"), Remembered(rides=3))
    (path,) = folder.glob("*.json")
    path.write_text(json.dumps({"rides": 4, "shoe_size": 38}))
    assert memory.recall(memory.place("Anna")).rides == 4


def test_a_bike_forgets_first_who_has_not_come_for_longest(folder):
    memory = Memory(folder)
    for n in range(MOST_RIDERS + 1):
        memory.keep(memory.place(f"rider {n}"), Remembered(rides=1))
    assert len(list(folder.glob("*.json"))) == MOST_RIDERS


def test_a_technician_shows_and_forgets(tmp_path, capsys):
    config = tmp_path / "bikebox.toml"
    config.write_text(f'box = "b1"\n[paths]\nstate = "{tmp_path}"\n')
    profile = Profile(without=("knees_in",), voice=False)
    Memory(tmp_path / "riders").keep(
        Memory(tmp_path / "riders").place("Anna"),
        after(Remembered(profile=profile), "side", {}, ""),
    )
    words = ["rider", "anna", "--config", str(config)]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "1 from the side" in shown
    assert "without knees_in, no voice" in shown
    assert main([*words, "--json"]) == 0
    assert [one["rides"] for one in json.loads(capsys.readouterr().out)] == [1]
    assert main([*words, "--forget"]) == 0
    assert main(words) == 1
