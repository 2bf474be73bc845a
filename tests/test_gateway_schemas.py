"""What others may rely on when they listen to the broker: the schemas hold, and only ever grow."""

import json
from pathlib import Path

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

FOLDER_RELEASED = Path(__file__).with_name("released")
RELEASED = {path.stem: json.loads(path.read_text()) for path in FOLDER_RELEASED.glob("*.json")}
"""The schemas as they were released. No file there is ever changed: a studio must understand
yesterday's box, and a box yesterday's studio."""


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


def bare(part):
    """The schema without its words for people."""
    if isinstance(part, dict):
        told = {"title", "description"} if isinstance(part.get("title"), str) else {"description"}
        return {key: bare(value) for key, value in part.items() if key not in told}
    return [bare(each) for each in part] if isinstance(part, list) else part


MAY_GET_MORE = {"Cmd.kind"}
"""Words of these may be added: a box drops, and counts, a command that it does not know."""


def fits(field, before, now):
    """Tell whether a field is what it was."""
    if field in MAY_GET_MORE:
        return set(before["enum"]) <= set(now["enum"])
    return now == before


def changed(before, now):
    """What of a released schema is gone, of another kind, or newly demanded."""
    before, now = bare(before)["$defs"], bare(json.loads(json.dumps(now)))["$defs"]
    for kind, old in before.items():
        new = now.get(kind, {})
        yield from (
            f"{kind}.{field}"
            for field, what in old.get("properties", {}).items()
            if not fits(f"{kind}.{field}", what, new.get("properties", {}).get(field))
        )
        if set(new.get("required", ())) != set(old.get("required", ())):
            yield f"{kind} demands {new.get('required')}"
        if "properties" not in old and new != old:
            yield kind


@pytest.mark.parametrize("name", RELEASED)
def test_a_message_only_ever_grows_from_what_was_released(name):
    assert list(changed(RELEASED[name], schema(name))) == []


@pytest.mark.parametrize(
    "harm",
    [
        lambda form: form["properties"].pop("states"),
        lambda form: form["properties"]["t_s"].update(type="string"),
        lambda form: form["required"].append("cadence_rpm"),
        lambda form: form["required"].remove("rider"),
    ],
)
def test_a_message_that_shrank_or_demands_more_would_be_found(harm):
    now = json.loads(json.dumps(schema("form")))
    harm(now["$defs"]["Form"])
    assert list(changed(RELEASED["form"], now))


def test_no_message_that_passes_the_broker_can_hold_a_picture():
    for kind in MESSAGES.values():
        assert b'"contentEncoding"' not in msgspec.json.encode(msgspec.json.schema(kind)), kind
