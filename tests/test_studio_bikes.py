"""How the gym's bikes are, and what is asked of them."""

import asyncio
import json

import pytest
from test_doors import ACCESS, TOKEN, Scene
from test_studio_board import Studio

from firmware_app.clock import HandClock
from firmware_app.errors import PartLost, WireError
from gateway.mqtt import Heard
from gateway.studio.api import make_studio_api
from gateway.studio.archive import BoxStored, Came
from gateway.studio.bikes import Bikes
from gateway.studio.bikes_page import answers_body, bikes_body, sentence
from gateway.studio.service import StudioService
from gateway.studio.settings import GymSettings
from gateway.topics import Cmd, CmdAck, Status, Up, pack
from gateway.web.signing_in import Door


def said(box, *, online=True, wrong=None):
    status = Status(box=box, online=online, version="26.11.0", wrong=wrong or {})
    return f"fleet/v1/{box}/status", pack(status)


@pytest.fixture
def bikes():
    bikes = Bikes()
    bikes.hear(*said("b1"))
    bikes.hear(*said("b2", wrong={"camera": "unplugged"}))
    bikes.hear(*said("b3", online=False))
    return bikes


def test_who_needs_a_look_comes_first_then_who_is_away_and_all_who_have_records_are_there(bikes):
    all_ = bikes.all({"b1": BoxStored("2026-04-17T19:00:00", 3), "b0": BoxStored("then", 1)})
    assert [bike.box for bike in all_] == ["b2", "b0", "b3", "b1"]
    assert sentence(all_) == "4 bikes: 1 well, 1 needs a look, 2 offline"
    assert (bikes.online, bikes.wrong, all_[-1].rides) == (["b1", "b2"], 1, 3)


def test_a_last_will_says_offline_and_an_empty_status_that_a_box_is_no_more(bikes):
    bikes.hear(*said("b1", online=False))
    bikes.hear("fleet/v1/b3/status", b"")
    assert [(bike.box, bike.online) for bike in bikes.all({})] == [("b2", True), ("b1", False)]


@pytest.mark.parametrize("payload", [b"{", b"[" * 9000, b"\xff", said("b2")[1], b"x" * 70_000])
def test_a_status_that_is_none_or_of_another_box_is_refused(bikes, payload):
    with pytest.raises(WireError):
        bikes.hear("fleet/v1/b1/status", payload)
    assert bikes.online == ["b1", "b2"]


def test_what_a_bike_says_of_itself_cannot_be_html(bikes):
    bikes.hear(*said("b1", wrong={"<script>": "<img src=x onerror=alert(1)>"}))
    shown = bikes_body(bikes.all({}), "<b>broker</b>")
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<b>broker" not in shown
    assert "<script" not in answers_body("<script>", [])


class Line:
    """A broker at which b1 listens, b2 does not, and somebody answers for another."""

    refused, dropped = "", 0

    def __init__(self, studio):
        self.studio, self.sent = studio, []

    def publish(self, topic, payload, *, qos=0, retain=False):
        self.sent.append((topic, json.loads(payload), qos, retain))
        if topic == "fleet/v1/b1/cmd":
            answer = CmdAck(box="b1", command=self.sent[-1][1]["command"], taken=True)
            self.studio._take(self, [Heard("fleet/v1/b2/cmd/ack", pack(answer), retained=False)])
            self.studio._take(self, [Heard("fleet/v1/b1/cmd/ack", pack(answer), retained=False)])


@pytest.fixture
def studio(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.studio.orders.ANSWER_S", 0.05)
    service = StudioService(GymSettings(database=str(tmp_path / "s.db")), HandClock())
    line = Line(service)
    service._up(line, lambda: None)
    service.line = line
    service._gather = lambda _: None
    for name, online in (("b1", True), ("b2", True), ("b3", False)):
        service._take(line, [Heard(*said(name, online=online), retained=True)])
    yield service
    service._archive.close()


CMD = Cmd(command="c-1", kind="message", text="Welcome", by="anna")


@pytest.mark.parametrize(
    ("boxes", "answers"),
    [
        ((), [("b1", True, ""), ("b2", False, "it did not answer within 0 s")]),
        (("b3", "b1"), [("b1", True, ""), ("b3", False, "it is offline")]),
        (("nobody",), [("nobody", False, "it is offline")]),
    ],
)
def test_a_command_goes_to_whom_it_is_for_and_the_answers_come_back(studio, boxes, answers):
    told = asyncio.run(studio.yard.ask(boxes, CMD))
    assert [(a.box, a.taken, a.why) for a in told] == answers
    sent = [sent for sent in studio.line.sent if sent[0].endswith("/cmd")]
    assert all(qos == 1 and not retained for _, _, qos, retained in sent)
    assert all(cmd["by"] == "anna" for _, cmd, _, _ in sent)
    assert studio.health()["dropped"] == (1 if "b1" in {box for box, *_ in answers} else 0)
    assert studio.yard._orders._asked == {}


def test_who_asked_is_in_the_studios_audit(studio):
    noted = []

    class Identities:
        trouble = ""

        def note(self, *entry):
            noted.append(entry)

    studio._identities = Identities()
    asyncio.run(studio.yard.ask(("b1",), CMD))
    assert noted == [("command", "anna", "message c-1 to 1 bikes")]


def test_without_a_broker_nothing_is_sent_and_that_is_said(studio):
    studio._lost("no broker")
    studio.yard.line = None
    with pytest.raises(PartLost, match="No news"):
        asyncio.run(studio.yard.ask((), CMD))


def test_a_bike_whose_records_are_here_is_shown_with_them(studio):
    up = Up(box="b9", epoch="e", seq=1, t_s=1.0, wall_utc="then", kind="cue", body={})
    studio._archive.store([Came("fleet/v1/b9/up", pack(up))])
    assert ("b9", False, 0) in [(bike.box, bike.online, bike.rides) for bike in studio.yard.bikes()]


def test_a_bike_that_was_sold_is_shown_no_more_a_month_after_its_last_records(studio):
    up = Up(box="b9", epoch="e", seq=1, t_s=1.0, wall_utc="then", kind="cue", body={})
    studio._archive.store([Came("fleet/v1/b9/up", pack(up))])
    studio._clock.advance(29 * 86400)
    assert "<td>b9</td>" in studio.yard.body()
    studio._clock.advance(2 * 86400)
    assert "<td>b9</td>" not in studio.yard.body()
    assert "And 1 not heard of for 30 days" in studio.yard.body()
    studio.yard.hear(Heard(*said("b9"), retained=False))
    assert "<td>b9</td>" in studio.yard.body()


def test_while_the_database_is_away_the_bikes_are_shown_all_the_same(studio, monkeypatch):
    def away():
        raise PartLost("the database at x/gym: gone")

    monkeypatch.setattr(studio._archive, "boxes", away)
    assert "3 bikes" in studio.yard.body()
    assert "the database at x/gym: gone" in studio.yard.body()


@pytest.fixture
def gym():
    studio = Studio()
    clock, noted = HandClock(), []
    door = Door(ACCESS, lambda *entry: noted.append(entry), clock, tls=False)
    scene = Scene(
        make_studio_api(studio, ["localhost"], door), clock, "http://localhost:8790", "192.168.1.7"
    )
    scene.studio = studio
    return scene


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_nobody_sees_or_asks_the_bikes_without_signing_in(gym):
    assert gym.get("/bikes").status_code == 401
    assert gym.get("/api/boxes").status_code == 401
    assert gym.ask("POST", "/api/commands", json={"kind": "drain"}).status_code == 401
    assert gym.post("/bikes", {"text": "Hello"}).status_code == 401
    assert gym.studio.asked == []


def test_a_program_with_a_token_asks_and_the_box_hears_for_whom(gym):
    asked = {"kind": "interval", "boxes": ["b1"], "text": "Climb", "target_rpm": [60, 75]}
    answer = gym.ask("POST", "/api/commands", json=asked, headers=BEARER).json()
    assert answer["answers"][0] == {"box": "b1", "taken": True, "why": ""}
    ((boxes, cmd),) = gym.studio.asked
    assert (boxes, cmd.kind, cmd.target_rpm, cmd.by) == (("b1",), "interval", (60.0, 75.0), "anna")
    assert answer["command"] == cmd.command


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"kind":' + b"[" * 9000,
        b'{"kind": "explode"}',
        b'{"kind": "message", "by": "somebody else"}',
        b'{"kind": "message", "txt": "misspelt"}',
        b'{"kind": "message", "boxes": ["b1/#"]}',
        b'{"kind": "message", "text": 1}',
        b'{"kind": "message", "ttl_s": 1e9}',
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_reason(gym, asked):
    answer = gym.ask("POST", "/api/commands", content=asked, headers=BEARER)
    assert answer.status_code == 422
    assert answer.json()["detail"]
    assert gym.studio.asked == []


def test_who_writes_on_all_screens_sees_on_which_it_stands(gym):
    gym.sign_in(TOKEN)
    page = gym.post("/bikes", {"text": "  The water is free \n today "}).text
    assert "Shown on 1 of 2 screens" in page
    assert "it is offline" in page
    ((boxes, cmd),) = gym.studio.asked
    assert (boxes, cmd.kind, cmd.text) == ((), "message", "The water is free today")


def test_another_sites_page_writes_nothing(gym):
    gym.sign_in(TOKEN)
    headers = {"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    assert gym.ask("POST", "/bikes", data={"text": "x"}, headers=headers).status_code == 403
    assert gym.studio.asked == []


def test_without_a_broker_a_program_and_a_person_are_told_why(gym):
    gym.studio.trouble = "No news from the bikes: no broker at x:1883"
    answer = gym.ask("POST", "/api/commands", json={"kind": "drain"}, headers=BEARER)
    assert (answer.status_code, answer.json()["detail"][:18]) == (409, "nothing was sent: ")
    gym.sign_in(TOKEN)
    assert "no broker at x:1883" in gym.post("/bikes", {"text": "Hello"}).text
