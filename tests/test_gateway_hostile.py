"""Whatever anybody sends: nothing falls over or reaches another, and all of it is counted."""

import json
import random
from typing import ClassVar

import pytest
from gym_scene import told_ride
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_app.clock import HandClock
from firmware_app.settings import Mqtt
from firmware_app.wire import encode
from gateway.mqtt import Heard
from gateway.store import Store
from gateway.studio.archive import Archive, Came
from gateway.studio.room import MOST_CLASSES
from gateway.studio.service import StudioService
from gateway.studio.settings import GymSettings
from gateway.sync import Sync
from gateway.topics import Ack, Cmd, Form, Up, pack

DEEP = "[" * 20_000 + "]" * 20_000
GOOD_UP = json.loads(
    pack(Up(box="b1", epoch="e", seq=1, t_s=1.0, wall_utc="then", kind="cue", body={"cue": 1}))
)
GAP = {"upto": 2, "records": 1, "why": ""}
GOOD_FORM = json.loads(pack(Form(box="b1", rider="p-1", t_s=1.0, states={"shrug": "fault"})))
WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["#", "+", "../../etc/passwd", "'; drop table record; --", "<script>", "\x00"]),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)


def bent(message):
    """The message with some fields of any other kind, missing, or of no meaning."""
    fields = st.dictionaries(st.sampled_from([*message, "more"]), VALUES, max_size=3)
    return st.builds(
        lambda changes, gone: json.dumps(
            {k: v for k, v in (message | changes).items() if k != gone}
        ).encode(errors="replace"),
        fields,
        st.sampled_from([*message, ""]),
    )


def payloads(message):
    return st.one_of(st.binary(max_size=200), bent(message), VALUES.map(json.dumps).map(str.encode))


NASTY = [
    b"",
    b"\xff\xfe\x00",
    DEEP.encode(),
    b'{"a":' * 20_000,
    b"x" * 70_000,
    json.dumps(GOOD_UP | {"seq": 1 << 70}).encode(),
    json.dumps(GOOD_UP | {"low": 1 << 63}).encode(),
    json.dumps(GOOD_UP | {"kind": "gap", "body": GAP | {"upto": 1 << 64}}).encode(),
    json.dumps(GOOD_UP).replace('{"cue": 1}', '{"a": ' + DEEP + "}").encode(),
    json.dumps(GOOD_UP).replace("then", "\\ud800").encode(),
    json.dumps(GOOD_UP).replace('"t_s": 1.0', '"t_s": 1e999').encode(),
    json.dumps(GOOD_UP | {"body": {"n": 1 << 80}}).encode(),
]  # fmt: skip


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    archive = Archive(str(tmp_path_factory.mktemp("studio") / "studio.db"), HandClock())
    yield archive
    archive.close()


def stored_and_dead(archive):
    counts = archive.counts
    return counts["records"] + counts["unreadable"]


@pytest.mark.parametrize("payload", NASTY, ids=range(len(NASTY)))
def test_a_nasty_record_is_stored_or_buried_and_the_next_one_is_taken(tmp_path, payload):
    archive = Archive(str(tmp_path / "studio.db"), HandClock())
    archive.store([Came("fleet/v1/b1/up", payload)])
    assert stored_and_dead(archive) >= 1
    assert archive.store([Came("fleet/v1/b2/up", json.dumps(GOOD_UP | {"box": "b2"}).encode())])
    archive.close()


@settings(max_examples=150, deadline=None)
@given(payload=payloads(GOOD_UP), box=st.sampled_from(["b1", "b2", "b3"]))
def test_no_record_topples_the_studio_or_lands_with_another_box(archive, payload, box):
    before = stored_and_dead(archive)
    acks = archive.store([Came(f"fleet/v1/{box}/up", payload)])
    assert [who for who, _ in acks] in ([], [box])
    if not acks:
        assert stored_and_dead(archive) == before + 1


class FakeLine:
    refused, dropped = "", 0
    sent: ClassVar[list] = []

    def publish(self, topic, payload, **_):
        pass


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    service = StudioService(GymSettings(database=str(folder / "s.db")), HandClock())
    yield service
    service._archive.close()


@settings(max_examples=150, deadline=None)
@given(payload=payloads(GOOD_FORM), rider=st.sampled_from(["p-1", "p-2"]))
def test_whatever_a_bike_says_of_its_rider_the_board_stands(studio, payload, rider):
    before = studio.health()["dropped"], studio.health()["riders"]
    studio._take(FakeLine(), [Heard(f"fitness/class/42/form/{rider}", payload, retained=False)])
    assert studio.health()["dropped"] - before[0] in (0, 1)
    shown = studio.board()
    assert "<script" not in shown
    assert len(shown) < 20_000


def test_a_bike_cannot_speak_for_the_rider_of_another(studio):
    before = studio.health()["dropped"]
    forged = json.dumps(GOOD_FORM).encode()
    studio._take(FakeLine(), [Heard("fitness/class/42/form/p-9", forged, retained=False)])
    assert studio.health()["dropped"] == before + 1


def test_a_rule_with_a_malicious_name_or_a_thousand_rules_do_not_reach_the_board(studio):
    for states in (
        {"<img src=x>": "fault"},
        {"x" * 5000: "fault"},
        {f"rule_{n}": "fault" for n in range(1000)},
    ):
        payload = json.dumps(GOOD_FORM | {"states": states}).encode()
        before = studio.health()["dropped"]
        studio._take(FakeLine(), [Heard("fitness/class/42/form/p-1", payload, retained=False)])
        assert studio.health()["dropped"] == before + 1


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("box") / "gateway.db", "b1", HandClock())
    store.keep("j", 100, [encode(message).rstrip(b"\n") for message in told_ride()])
    sync = Sync(Mqtt(url="mqtt://x"), "b1", store, HandClock(), lambda _: True)
    yield sync, store
    store.close()


ACK = json.loads(pack(Ack(epoch="other", upto=3)))
CMD = json.loads(pack(Cmd(command="c-1", kind="message", text="Welcome")))


@settings(max_examples=150, deadline=None)
@given(
    payload=st.one_of(payloads(ACK), payloads(CMD)),
    lane=st.sampled_from(["ack", "cmd"]),
)
def test_whatever_the_broker_says_the_box_keeps_its_records(box, payload, lane):
    sync, store = box
    rows = store.outbox.rows
    sync._take(Heard(f"fleet/v1/b1/{lane}", payload, retained=False))
    assert store.outbox.rows >= rows


@pytest.mark.parametrize("payload", NASTY, ids=range(len(NASTY)))
def test_nothing_nasty_stops_a_box(box, payload):
    sync, store = box
    for lane in ("ack", "cmd"):
        sync._take(Heard(f"fleet/v1/b1/{lane}", payload, retained=False))
    at = store.kept("nasty") + 1
    store.keep("nasty", at, [b'{"type":"Interval","t_s":1,"ride":' + payload])
    assert store.kept("nasty") == at


@settings(max_examples=100, deadline=None)
@given(line=payloads(json.loads(encode(told_ride()[1]))))
def test_whatever_a_journal_holds_it_is_kept_or_counted(box, line):
    _, store = box
    at = store.kept("fuzz") + 1
    store.keep("fuzz", at, [line])
    assert store.kept("fuzz") == at


def test_a_clock_in_another_century_orders_nothing(archive):
    for seq, then in enumerate(("1970-01-01T00:00:00+00:00", "2999-12-31T00:00:00+00:00", "?"), 1):
        record = GOOD_UP | {"box": "clocks", "seq": seq, "wall_utc": then}
        acks = archive.store([Came("fleet/v1/clocks/up", json.dumps(record).encode())])
    assert acks[0][1].upto == 3


def test_more_classes_and_riders_than_any_gym_has_are_counted_and_shown_to_nobody(tmp_path):
    service = StudioService(GymSettings(database=str(tmp_path / "s.db")), HandClock())
    payload = json.dumps(GOOD_FORM).encode()
    flood = [Heard(f"fitness/class/c{n}/form/p-1", payload, retained=False) for n in range(5000)]
    service._take(FakeLine(), flood)
    health = service.health()
    service._archive.close()
    assert (health["riders"], health["dropped"]) == (MOST_CLASSES, 5000 - MOST_CLASSES)


def test_rules_that_nobody_knows_make_neither_the_board_nor_the_counts_long(tmp_path):
    service = StudioService(GymSettings(database=str(tmp_path / "s.db")), HandClock())
    for n in range(200):
        states = {f"{n:03d}{m:02d}{'x' * 59}": "fault" for m in range(64)}
        form = Form(box="b1", rider=f"p{n}", t_s=1.0, states=states, name="n" * 24)
        heard = Heard(f"fitness/class/42/form/p{n}", pack(form), retained=False)
        service._take(FakeLine(), [heard])
    service._archive.close()
    counts = service.count("42")
    assert counts.out == 200
    assert len(pack(counts.aggregate())) < 16_000
    assert len(service.board()) < 60_000


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<b onclick=x>Anna</b>", "&lt;b onclick=x&gt;Anna&lt;"),
        ("\u202eannA\u2066", "annA"),
        ("A\x00n\x1b[2Jna\n", "An[2Jna"),
        ("A" + "\u0301" * 20, "A\u0301\u0301"),
        ("Nguy\u1ec5n", "Nguy\u1ec5n"),
        ("مرحبا", "مرحبا"),
    ],
)
def test_a_name_is_shown_as_letters_and_disturbs_nothing_beside_it(tmp_path, name, shown):
    service = StudioService(GymSettings(database=str(tmp_path / "s.db")), HandClock())
    form = Form(box="b1", rider="p-1", t_s=1.0, states={"shrug": "fault"}, name=name[:24])
    service._take(FakeLine(), [Heard("fitness/class/42/form/p-1", pack(form), retained=False)])
    service._archive.close()
    assert f"<bdi>{shown}" in service.board()
    assert not set("\u202e\u2066\x00\x1b\n") & set(service.board())


def test_what_is_replayed_ten_times_and_mixed_up_stands_there_once_and_in_order(tmp_path):
    archive = Archive(str(tmp_path / "s.db"), HandClock())
    chance = random.Random(5)
    came = [
        Came("fleet/v1/b1/up", json.dumps(GOOD_UP | {"seq": n, "body": {"cue": n}}).encode())
        for n in range(1, 101)
    ] * 10
    chance.shuffle(came)
    for n in range(0, len(came), 37):
        acks = archive.store(came[n : n + 37])
    rows = archive._tables.ask("SELECT seq, body FROM record ORDER BY box, epoch, seq")
    assert rows == [(n, f'{{"cue":{n}}}') for n in range(1, 101)]
    assert (acks[0][1].upto, archive.counts["unreadable"]) == (100, 0)
    archive.close()


def test_a_box_that_lies_about_what_it_still_has_harms_itself_alone(tmp_path):
    archive = Archive(str(tmp_path / "s.db"), HandClock())
    lies = [{"low": 1 << 53}, {"seq": 1 << 53}, {"kind": "gap", "body": GAP | {"upto": 1 << 53}}]
    for n, lie in enumerate(lies):
        record = GOOD_UP | {"box": "liar", "epoch": f"e{n}"} | lie
        archive.store([Came("fleet/v1/liar/up", json.dumps(record).encode())])
    ((box, ack),) = archive.store([Came("fleet/v1/b1/up", json.dumps(GOOD_UP).encode())])
    assert (box, ack.upto) == ("b1", 1)
    archive.close()


def test_what_nobody_can_read_is_kept_whole(tmp_path):
    archive = Archive(str(tmp_path / "s.db"), HandClock())
    words = "x" * 60_000
    summary = GOOD_UP | {"kind": "summary", "body": {"ride": 1, "words": words}}
    acks = archive.store([Came("fleet/v1/b1/up", json.dumps(summary).encode())])
    assert acks[0][1].upto == 1  # the box forgets it
    ((payload,),) = archive._tables.ask("SELECT payload FROM dead")
    assert json.loads(payload) == summary
    archive.close()


def test_a_studio_that_says_it_has_what_was_never_sent_makes_a_box_forget_nothing(box):
    sync, store = box
    rows = store.outbox.rows
    for upto in (store.outbox.newest + 1, 1 << 53):
        ack = pack(Ack(epoch=store.outbox.epoch, upto=upto))
        sync._take(Heard("fleet/v1/b1/ack", ack, retained=True))
    assert store.outbox.rows == rows
