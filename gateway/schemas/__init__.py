"""JSON Schema of every message that passes through the broker, for whoever listens there.

Written from the types in gateway/topics.py: `python -m gateway.schemas` writes them anew.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from firmware_app.summary import Summary
from firmware_app.wire import CueGiven, Interval, Message
from gateway.topics import (
    Ack,
    Aggregate,
    AuditTold,
    ClockFix,
    Cmd,
    CmdAck,
    CueAck,
    Form,
    Gap,
    Now,
    Pose,
    RemoteCue,
    Status,
    Up,
)

MESSAGES: dict[str, type[Struct]] = {
    "up": Up,
    "up-summary": Summary,
    "up-interval": Interval,
    "up-cue": CueGiven,
    "up-audit": AuditTold,
    "up-clock_fix": ClockFix,
    "up-gap": Gap,
    "ack": Ack,
    "status": Status,
    "now": Now,
    "cmd": Cmd,
    "cmd-ack": CmdAck,
    "form": Form,
    "pose": Pose,
    "cue": RemoteCue,
    "cue-ack": CueAck,
    "aggregate": Aggregate,
}
"""File name to type; up-KIND is the body of an up message of that kind."""
FOLDER = Path(__file__).parent


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one message."""
    kind = MESSAGES[name]
    made = msgspec.json.schema(kind)
    if issubclass(kind, Message):  # a line of the ride: the envelope tells its type and time
        body = made["$defs"][kind.__name__]
        del body["properties"]["type"], body["properties"]["t_s"]
        body["required"] = [field for field in body["required"] if field not in ("type", "t_s")]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **made}
