"""What others may rely on when they listen to the broker: the schemas hold, and only ever grow."""

import json

import jsonschema
import msgspec
import pytest
from gym_scene import told_ride

from firmware_app.clock import HandClock
from firmware_app.wire import Audit, encode
from gateway.schemas import FOLDER, MESSAGES, schema
from gateway.store import Store
from gateway.topics import (
    Ack,
    Aggregate,
    Cmd,
    CmdAck,
    CueAck,
    Form,
    Now,
    Pose,
    RemoteCue,
    Status,
    pack,
)

RELEASED = {
    "up": "box epoch seq t_s wall_utc kind body | schema low boot_id wall_synced",
    "up-summary": "ride box rider rider_pseudonym class started_utc duration_s cadence_mean_rpm"
    " faults unseen cues in_position_share strength next_thing complete | schema",
    "up-interval": "ride n from_s riding_s turns pedalling_s watched_s in_position_s fault_s"
    " episodes unseen_s |",
    "up-cue": "ride cue rule kind words outcome | why ride_s",
    "up-audit": "what | who detail n hash",
    "up-clock_fix": "boot_id offset_s | rides",
    "up-gap": "upto records why |",
    "ack": "epoch upto | schema at_utc digest",
    "status": "box online | schema version wrong life",
    "now": "box | schema phase cadence_rpm",
    "cmd": "command kind | schema text rule target_rpm ttl_s starts_in_s lasts_s effort",
    "cmd-ack": "box command taken | schema why",
    "pose": "box rider t_s view | schema cadence_rpm learning features evidence",
    "cue": "kind text issue ttl_s | schema language id",
    "cue-ack": "box rider given | schema id why",
    "form": "box rider t_s states | schema cadence_rpm phase name",
    "aggregate": "class out_of_position ok unknown riders | schema out few",
}
"""Required | optional fields of each message, as released. Lines here are only ever added to, and
only behind the bar: a studio must understand yesterday's box."""


def told(name):
    """One real message of each kind."""
    few = {
        "ack": Ack(epoch="e", upto=3, at_utc="2026-04-17T18:00:00+00:00"),
        "status": Status(box="b1", online=True, version="26.11.0", wrong={"camera": "unplugged"}),
        "now": Now(box="b1", phase="riding", cadence_rpm=86.0),
        "cmd": Cmd(command="c-1", kind="start_class", target_rpm=(80.0, 95.0)),
        "cmd-ack": CmdAck(box="b1", command="c-1", taken=False, why="the ride is not there"),
        "form": Form(box="b1", rider="p-1", t_s=1.0, states={"shrug": "unseen"}, cadence_rpm=None),
        "pose": Pose(
            box="b1",
            rider="p-1",
            t_s=1.0,
            view="front",
            cadence_rpm=81.0,
            features={"shoulder_y": -0.021},
            evidence={"shrug": 1.05},
        ),
        "cue": RemoteCue(kind="cue", text="Drop your shoulders", issue="shrug", ttl_s=2.0),
        "cue-ack": CueAck(box="b1", rider="p-1", given=False, why="shrug does not stand"),
        "aggregate": Aggregate(
            class_id="42", out_of_position={"shrug": 2}, out=2, ok=3, unknown=1, riders=6
        ),
    }
    return [json.loads(pack(few[name]))] if name in few else []


@pytest.fixture
def ups(tmp_path):
    """Everything a ride sends up, as it goes through the broker."""
    store = Store(tmp_path / "gateway.db", "b1", HandClock())
    lines = [encode(m).rstrip(b"\n") for m in (*told_ride(intervals=9), Audit(t_s=1.0, what="x"))]
    store.keep("j", 100, lines)
    store.fix_clock("boot-1")
    store.outbox.give_up("interval", 2, "no room")
    sent = [json.loads(pack(up)) for up in store.outbox.following(0, 100)]
    store.close()
    return sent


@pytest.mark.parametrize("name", MESSAGES)
def test_the_schema_on_disk_is_the_one_the_code_keeps_to(name):
    stored = json.loads((FOLDER / f"{name}.json").read_text())
    assert stored == json.loads(json.dumps(schema(name))), (
        "python -m gateway.schemas writes them anew"
    )


@pytest.mark.parametrize("name", MESSAGES)
def test_real_messages_keep_to_their_schema(name, ups):
    if name.startswith("up-"):
        messages = [up["body"] for up in ups if up["kind"] == name.removeprefix("up-")]
    else:
        messages = ups if name == "up" else told(name)
    assert messages
    for message in messages:
        jsonschema.validate(message, schema(name))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_only_ever_grows(name):
    whole = schema(name)
    body = whole["$defs"][whole["$ref"].rsplit("/", 1)[1]]
    required, optional = (part.split() for part in RELEASED[name].split("|"))
    assert set(body.get("required", ())) == set(required)
    assert set(required + optional) <= body["properties"].keys()


def test_no_message_that_passes_the_broker_can_hold_a_picture():
    for kind in MESSAGES.values():
        assert b'"contentEncoding"' not in msgspec.json.encode(msgspec.json.schema(kind)), kind
