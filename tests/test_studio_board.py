"""What the instructor reads across the room."""

import asyncio
import contextlib
import re

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from firmware_app.clock import HandClock
from firmware_app.errors import PartLost
from gateway.studio.api import _boards, make_studio_api
from gateway.studio.archive import RideStored
from gateway.studio.bikes import Bike
from gateway.studio.bikes_page import bikes_body
from gateway.studio.board import board, sentence
from gateway.studio.room import GONE_S, SILENT_S, Room
from gateway.studio.service import StudioService
from gateway.studio.settings import GymSettings
from gateway.topics import CmdAck, Form, pack


def room(*riders, t_s=0.0, phase="riding"):
    """A class 42 with one rider for each states dict."""
    made = Room()
    for n, states in enumerate(riders):
        made.hear("42", Form(box=f"b{n}", rider=f"p{n}", t_s=5.0, states=states, phase=phase), t_s)
    return made


GOOD = {"shrug": "ok", "head_drop": "ok", "sway": "unseen"}
SHRUG = GOOD | {"shrug": "fault"}
HEAD = GOOD | {"head_drop": "fault"}
DARK = {"shrug": "unseen", "head_drop": "unseen"}


def test_the_room_in_one_sentence():
    counts = room(SHRUG, SHRUG, HEAD, GOOD, DARK).count("42", 1.0)
    assert sentence(counts) == "3 riders out of position: 2 shoulders, 1 head"
    assert (counts.out, counts.ok, counts.unknown, counts.riders) == (3, 1, 1, 5)


def test_a_rider_with_two_faults_is_one_rider_out_of_position():
    counts = room(SHRUG | {"head_drop": "fault"}).count("42", 1.0)
    assert sentence(counts) == "1 rider out of position: 1 head, 1 shoulders"
    assert counts.rules == {"head_drop": 1, "shrug": 1}


def test_two_rules_about_the_same_part_count_the_rider_once():
    counts = room({"rounded_back": "fault", "lean_low": "fault"}).count("42", 1.0)
    assert counts.parts == {"back": 1}


@pytest.mark.parametrize("states", [GOOD, SHRUG])
def test_a_bike_that_falls_silent_is_unknown_after_five_seconds_and_never_ok(states):
    class_room = room(states)
    assert class_room.count("42", SILENT_S).unknown == 0
    silent = class_room.count("42", SILENT_S + 0.1)
    assert (silent.out, silent.ok, silent.unknown) == (0, 0, 1)
    assert class_room.count("42", GONE_S + 0.1).riders == 0


def test_a_rider_nobody_can_see_is_not_counted_as_in_position():
    counts = room(DARK, {}).count("42", 1.0)
    assert (counts.ok, counts.unknown) == (0, 2)
    assert sentence(counts) == "Nobody can be judged just now"


def test_a_paused_rider_is_not_judged_and_one_who_ended_is_gone():
    assert room(SHRUG, phase="paused").count("42", 1.0).unknown == 1
    class_room = room(SHRUG)
    class_room.hear("42", Form(box="b0", rider="p0", t_s=9.0, states={}, phase="ended"), 1.0)
    assert class_room.count("42", 1.0).riders == 0


def test_standing_and_cadence_are_ways_of_riding_not_faults_of_posture():
    states = {"shrug": "ok", "standing": "fault", "cadence_low": "fault"}
    assert room(states).count("42", 1.0).ok == 1


def test_a_rule_of_a_newer_box_is_shown_by_its_name():
    assert room({"wrist_bend": "fault"}).count("42", 1.0).parts == {"wrist bend": 1}


def test_classes_are_counted_apart():
    two = room(SHRUG)
    two.hear("43", Form(box="c", rider="q", t_s=0.0, states=GOOD), 0.0)
    assert [(c.class_id, c.out, c.ok) for c in two.classes(1.0)] == [("42", 1, 0), ("43", 0, 1)]


@pytest.mark.parametrize(
    ("riders", "words"),
    [
        ([], "Nobody is riding"),
        ([GOOD], "Everybody is in position"),
        ([GOOD, DARK], "Nobody is out of position"),
    ],
)
def test_a_class_that_sits_well_is_told_so(riders, words):
    assert sentence(room(*riders).count("42", 1.0)) == words


def test_the_counts_that_go_out_are_counts_and_nothing_else():
    told = room(SHRUG, GOOD).count("42", 1.0).aggregate()
    assert (told.class_id, told.out_of_position, told.riders) == ("42", {"shrug": 1}, 2)
    assert (told.out, told.ok, told.unknown) == (1, 1, 0)


def test_the_board_names_no_rider_and_no_bike():
    html = board("Spin City", room(SHRUG, HEAD).classes(1.0), "")
    assert not re.search(r"\b[pb][01]\b", html)


def test_the_board_does_not_say_that_nobody_rides_when_it_cannot_know():
    html = board("", [], "No news from the bikes: no broker")
    assert "Nothing is known just now" in html
    assert "Nobody is riding" not in html


class Studio:
    trouble = ""

    def __init__(self):
        self.asked = []
        self.yard = self
        self.room = room(SHRUG, GOOD)
        self.change = asyncio.Event()
        self.watched = 0

    @contextlib.contextmanager
    def watching(self):
        self.watched += 1
        try:
            yield lambda: self.change
        finally:
            self.watched -= 1

    def board(self, only=""):
        return board("Spin City", self.room.classes(1.0), "", only)

    def count(self, class_id):
        return self.room.count(class_id, 1.0)

    def rides(self):
        return [RideStored({"ride": "r1", "box": "b1"}, "2026-04-17T19:00:00+00:00")]

    def ride(self, box, ride):
        return self.rides()[0] if (box, ride) == ("b1", "r1") else None

    def bikes(self):
        well = Bike("b1", online=True, version="26.11.0", wrong={}, stored_utc="", rides=3)
        return [well._replace(box="b2", wrong={"camera": "unplugged"}), well]

    def body(self):
        return bikes_body(self.bikes(), self.trouble)

    async def ask(self, boxes, cmd):
        if self.trouble:
            raise PartLost(self.trouble)
        self.asked.append((boxes, cmd))
        gone = CmdAck(box="b2", command=cmd.command, taken=False, why="it is offline")
        return [CmdAck(box="b1", command=cmd.command, taken=True), gone]

    def health(self):
        return {"ok": True}


def ask(path, host="localhost"):
    async def get():
        app = make_studio_api(Studio(), ["localhost"])
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as browser:
            return await browser.get(path)

    return asyncio.run(get())


def test_the_board_is_a_page_that_is_whole_without_script():
    html = ask("/").text
    assert "1 rider out of position" in html
    assert 'data-events="/events"' in html


def test_a_class_is_told_in_counts():
    told = ask("/api/class/42").json()
    assert told["out_of_position"] == {"shrug": 1}
    assert told["parts"] == {"shoulders": 1}
    assert ask("/api/class/nobody").json()["riders"] == 0


def test_a_ride_is_told_as_stored_and_confirmed():
    told = ask("/api/rides/b1/r1").json()
    assert told == {
        "ride": "r1",
        "box": "b1",
        "confirmed": True,
        "confirmed_utc": "2026-04-17T19:00:00+00:00",
    }
    assert ask("/api/rides").json() == [told]
    assert ask("/api/rides/b1/r2").status_code == 404
    assert ask("/api/rides", host="evil.example").status_code == 400


def test_fewer_riders_than_the_gym_names_are_a_few_and_nobody_is_singled_out():
    made = Room(few_below=3)
    for n, states in enumerate((SHRUG, SHRUG, SHRUG, HEAD, GOOD)):
        made.hear("42", Form(box=f"b{n}", rider=f"p{n}", t_s=5.0, states=states), 0.0)
    counts = made.count("42", 1.0)
    assert sentence(counts) == "4 riders out of position: 3 shoulders, a few head"
    assert "<b>a few</b> head" in board("", [counts], "")
    told = counts.aggregate()
    assert (told.out_of_position, told.few) == ({"shrug": 3}, ("head_drop", "ok"))
    alone = Room(few_below=3)
    alone.hear("42", Form(box="b", rider="p", t_s=5.0, states=SHRUG), 0.0)
    assert sentence(alone.count("42", 1.0)) == "A few riders out of position: a few shoulders"


def test_small_counts_cannot_be_worked_out_from_what_is_told_beside_them():
    made = Room(few_below=3)
    for n, states in enumerate((SHRUG, GOOD, GOOD, GOOD, DARK, DARK, DARK)):
        made.hear("42", Form(box=f"b{n}", rider=f"p{n}", t_s=5.0, states=states), 0.0)
    counts = made.count("42", 1.0)
    told = counts.aggregate()
    assert (told.out, told.ok, told.unknown, told.riders) == (0, 3, 3, 6)
    assert told.few == ("shrug", "out")
    assert 'width="1"' not in board("", [counts], "")


AGREED = Form(box="b7", rider="p7", t_s=5.0, states=SHRUG, name="Amélie")


def test_a_rider_is_named_on_the_board_only_when_they_agreed_and_only_while_out_of_position():
    made = room(SHRUG, HEAD)
    assert "named" not in board("", made.classes(1.0), "")
    made.hear("42", AGREED, 0.0)
    html = board("", made.classes(1.0), "")
    assert "<li><bdi>Amélie</bdi> shoulders</li>" in html
    assert html.count("<li>") == 1
    assert b"Am" not in pack(made.count("42", 1.0).aggregate())
    assert "Am" not in board("", made.classes(SILENT_S + 0.1), "")
    made.hear("42", structs.replace(AGREED, states=GOOD), 6.0)
    assert "Am" not in board("", made.classes(6.0), "")
    made.hear("42", structs.replace(AGREED, name=""), 7.0)
    assert "Am" not in board("", made.classes(7.0), "")


def test_a_malicious_name_is_only_letters_on_the_board():
    made = room()
    for n, name in enumerate(("<script>alert(1)", "\u202eeilemA\n\x00", " \u200b ")):
        made.hear("42", structs.replace(AGREED, rider=f"p{n}", name=name), 0.0)
    html = board("", made.classes(1.0), "")
    assert "&lt;script&gt;" in html
    assert "<bdi>eilemA</bdi>" in html
    assert not set(html) & {"\u202e", "\x00", "\u200b"}
    assert html.count("<li>") == 2


def test_more_names_than_a_board_can_hold_are_counted():
    made = room()
    for n in range(20):
        made.hear("42", structs.replace(AGREED, rider=f"p{n}", name=f"Rider {n}"), 0.0)
    html = board("", made.classes(1.0), "")
    assert html.count("Rider") == 12
    assert "and 8 more" in html


WORDS = st.tuples(st.integers(0, 5), st.sampled_from("gshdpxq"), st.floats(0, 9))


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=60))
def test_counts_that_are_kept_up_are_those_of_counting_anew(words):
    """Whatever bikes say or leave unsaid, a class adds up to its riders as they were last heard."""
    made, heard, t_s = Room(), {}, 0.0
    for who, word, later_s in words:
        t_s += later_s
        states = {"g": GOOD, "s": SHRUG, "h": HEAD, "d": DARK}.get(word, GOOD)
        phase = {"p": "paused", "x": "ended"}.get(word, "riding")
        made.hear("42", Form(box="b", rider=f"p{who}", t_s=0, states=states, phase=phase), t_s)
        heard[who] = (t_s, word)
        if word == "q":
            made.still("42", "nobody", t_s)
        made.classes(t_s)
    here = {w: said for w, said in heard.items() if said[1] != "x" and t_s - said[0] <= GONE_S}
    now = [word for at_s, word in here.values() if t_s - at_s <= SILENT_S]
    counts = made.count("42", t_s)
    assert counts.riders == len(here)
    assert counts.out == sum(word in "sh" for word in now)
    assert counts.ok == sum(word in "gq" for word in now)
    assert counts.parts.get("shoulders", 0) == now.count("s")


def test_the_board_that_is_open_hears_of_a_change_and_of_nothing_once_a_second():
    studio = Studio()

    async def scene():
        boards = _boards(studio)
        first = await anext(boards)
        studio.room.hear("42", structs.replace(AGREED, rider="p0"), 1.0)
        asyncio.get_running_loop().call_later(0.01, studio.change.set)
        async with asyncio.timeout(0.5):
            second = await anext(boards)
        await boards.aclose()
        return first, second

    first, second = asyncio.run(scene())
    assert "Amélie" not in first
    assert "Amélie" in second
    assert studio.watched == 0


def test_a_class_that_is_over_is_told_once_more_as_empty(tmp_path):
    clock = HandClock()
    studio = StudioService(GymSettings(database=str(tmp_path / "s.db"), few_below=3), clock)
    told = []

    class Line:
        dropped = 0

        def publish(self, topic, payload):
            told.append((topic, msgspec.json.decode(payload)["riders"]))

    studio._line = Line()
    for n in range(4):
        studio._room.hear("42", Form(box=f"b{n}", rider=f"p{n}", t_s=0.0, states=GOOD), 0.0)
    studio._room.hear("42", Form(box="b9", rider="p9", t_s=0.0, states=SHRUG), 0.0)

    async def seventy_seconds():
        task = asyncio.create_task(studio._count_aloud())
        for _ in range(200):
            await asyncio.sleep(0)
        task.cancel()

    assert studio.health()["riders"] == 4  # the one is too few to be told, here too
    asyncio.run(seventy_seconds())
    studio._archive.close()
    assert [riders for _, riders in told].index(0) == len(told) - 1 > GONE_S - 2


def test_of_several_classes_each_has_a_board_of_its_own():
    both = room(SHRUG)
    both.hear("43", Form(box="c", rider="q", t_s=0.0, states=HEAD), 0.0)
    classes = both.classes(1.0)
    assert '<a href="/?class=43">class 43</a>' in board("Spin City", classes, "")
    own = board("Spin City", classes, "", "43")
    assert ("1</b> head" in own, "shoulders" in own) == (True, False)
    assert '<a href="/">all classes</a>' in own
    assert "Nobody is riding" in board("Spin City", classes, "", "44")
    assert 'data-events="/events?class=43%22"' in ask('/?class=43"').text
