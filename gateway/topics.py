"""What passes through the broker: every topic, and the message on it.

    fleet/v1/<box>/up        Up         durable lane, box to studio, QoS 1, from the outbox
    fleet/v1/<box>/ack       Ack        the studio's watermark, retained
    fleet/v1/<box>/status    Status     retained; the box's last will says offline
    fleet/v1/<box>/cmd       Cmd        studio to box
    fleet/v1/<box>/cmd/ack   CmdAck     box to studio
    fleet/v1/<box>/now       Now        for the house, 1 Hz, QoS 0, retained when it is idle
    fitness/class/<class>/form/<rider>  Form       live lane, 1 Hz, QoS 0, never stored
    fitness/class/<class>/pose/<rider>  Pose       the same, with [mqtt] pose_hz, at most 5 Hz
    fitness/class/<class>/cue/<rider>   RemoteCue  a remote coach to the bike, QoS 1
    fitness/class/<class>/cue/<rider>/ack  CueAck  and what became of it
    fitness/class/<class>/aggregate     Aggregate  the studio's counts, 1 Hz, QoS 0

Fields are only ever added, with defaults; gateway/schemas holds the same as JSON Schema.
Segments are [A-Za-z0-9_-]: a dot or a space in a topic makes some brokers hang up.
"""

import hashlib
import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from firmware_app.errors import WireError
from firmware_app.wire import RuleState, View

Segment = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Count = Annotated[int, Meta(ge=0, le=1 << 53)]
"""Whole in every JSON reader, and in a column of SQLite."""
Seq = Annotated[int, Meta(ge=1, le=1 << 53)]
States = Annotated[dict[Segment, RuleState], Meta(max_length=64)]
"""Rule to state."""

LONGEST_BYTES = 64 * 1024
"""No message is longer: half of what the strictest cloud broker takes (AWS IoT, 128 KB)."""
ALL_UP = "fleet/v1/+/up"
ALL_ACKS = "fleet/v1/+/ack"
ALL_STATUS = "fleet/v1/+/status"
ALL_ANSWERS = "fleet/v1/+/cmd/ack"
ALL_FORM = "fitness/class/+/form/+"


class Up(Struct, frozen=True, kw_only=True):
    """One record of the durable lane; (box, epoch, seq) names it for ever."""

    schema: str = "bikebox.up.1"
    box: Segment
    epoch: Segment
    """Made at random with the box's database; with a new database, seq begins anew."""
    seq: Seq
    low: Count = 0
    """The box holds nothing older: what is below is confirmed, or given up and told as a gap."""
    boot_id: str = ""
    """The boot that t_s counts from; empty when not known."""
    t_s: float
    wall_utc: str
    """When the box's store took the record, as the box believed."""
    wall_synced: bool = False
    kind: str
    """summary, interval, cue, audit, clock_fix or gap; what a studio does not know it keeps."""
    body: dict[str, Any]


class Gap(Struct, frozen=True, kw_only=True):
    """Body of kind gap: these records will never come."""

    upto: Seq
    """The last seq that is missing; the first is the gap's own."""
    records: Count
    why: str


class AuditTold(Struct, frozen=True, kw_only=True):
    """Body of kind audit: an entry of the box's chain, see gateway/audit.py."""

    what: str
    who: str = "box"
    detail: str = ""
    n: Count = 0
    """Counts the entries of the box, those too that stay there."""
    hash: str = ""
    """SHA-256 over the entry before and this one; empty from a box that did not chain yet."""


class ClockFix(Struct, frozen=True, kw_only=True):
    """Body of kind clock_fix: what the monotonic clock of a boot means."""

    boot_id: str
    offset_s: float
    """Add it to a t_s of that boot: UTC in seconds since 1970."""
    rides: Count = 0
    """Rides whose start had been wrong; their summaries follow."""


class Ack(Struct, frozen=True, kw_only=True):
    """Everything of this epoch up to here is on the studio's disk."""

    schema: str = "bikebox.ack.1"
    epoch: Segment
    upto: Count
    at_utc: str = ""
    """The studio's time."""
    digest: str = ""
    """Of the record `upto` as the studio has it, see fingerprint; empty when it is not one record.
    A box that has another record there is a copy of the one that sent it."""


class Status(Struct, frozen=True, kw_only=True):
    """Is the box there, and is it well."""

    schema: str = "bikebox.status.1"
    box: Segment
    online: bool
    version: str = ""
    wrong: dict[str, str] = {}
    """Part to what is wrong with it; empty when all is well."""
    life: str = ""
    """Made at random whenever the gateway starts: two lives at once are two boxes of one name."""


class Now(Struct, frozen=True, kw_only=True):
    """How the bike is used now, for a house and not for a class: no rider and no posture."""

    schema: str = "bikebox.now.1"
    box: Segment
    phase: str = "idle"
    """riding, paused, or idle when nobody rides."""
    cadence_rpm: float = 0.0


class Cmd(Struct, frozen=True, kw_only=True):
    """Something the studio asks of one bike."""

    schema: str = "bikebox.cmd.1"
    command: Segment
    """Names the command: the same one twice is carried out once."""
    kind: Literal["start_class", "message", "drain", "cue", "forget", "interval"]
    """message: the text, on the bike's screen for a moment. drain: send at once all that waits.
    forget: what the bike has kept of the rider whose name is the text. interval: a part of the
    class, with its own cadence band; the coach is silent around its ends and in a sprint."""
    text: Annotated[str, Meta(max_length=200)] = ""
    rule: str = ""
    target_rpm: tuple[float, float] | None = None
    ttl_s: Annotated[float, Meta(gt=0, le=3600)] = 30.0
    """From arrival on; a box that was away never sees it."""
    by: Annotated[str, Meta(max_length=64)] = ""
    """Who asked for it, as the studio knows them; the box's audit has it."""
    starts_in_s: Annotated[float, Meta(ge=0, le=86400)] = 0.0
    """start_class, interval: seconds from arrival, so that no clock need be right; text is the
    title."""
    lasts_s: Annotated[float, Meta(ge=0, le=86400)] = 0.0
    """start_class, interval: how long it lasts; 0: not told."""
    effort: Literal["", "easy", "steady", "hard", "sprint"] = ""
    """interval: what is ridden."""


class CmdAck(Struct, frozen=True, kw_only=True):
    """What became of a Cmd."""

    schema: str = "bikebox.cmd_ack.1"
    box: Segment
    command: Segment
    taken: bool
    """The ride has it; whether the rider saw it is in the ride's own records."""
    why: str = ""


class Form(Struct, frozen=True, kw_only=True):
    """How one rider sits now."""

    schema: str = "bikebox.form.1"
    box: Segment
    rider: Segment
    """A pseudonym made for one ride."""
    t_s: float
    states: States
    cadence_rpm: float | None = None
    phase: str = "riding"
    name: Annotated[str, Meta(max_length=24)] = ""
    """The rider's name, only when the rider agreed that the instructor's board shows it."""


class Pose(Struct, frozen=True, kw_only=True):
    """How one rider sits, measured against their own baseline; never pixels."""

    schema: str = "bikebox.pose.1"
    box: Segment
    rider: Segment
    """A pseudonym made for one ride."""
    t_s: float
    view: View
    cadence_rpm: float | None = None
    learning: float | None = None
    """Share of the baseline that is learnt; null when it stands."""
    features: dict[Segment, float] = {}
    evidence: dict[Segment, float] = {}
    """Rule to how strongly it shows; 1 begins a fault."""


class RemoteCue(Struct, frozen=True, kw_only=True):
    """A correction in a remote coach's words; said only if it is true now, and in plain words."""

    schema: str = "bikebox.cue.1"
    kind: Literal["cue"]
    text: Annotated[str, Meta(min_length=3, max_length=80)]
    issue: Annotated[str, Meta(pattern=r"^[a-z_]{1,32}$")]
    """What it is about, by the name in the form states."""
    ttl_s: Annotated[float, Meta(gt=0, le=30)]
    """From arrival on; later it is not said."""
    language: Annotated[str, Meta(pattern=r"^([a-z]{2})?$")] = ""
    """Empty: the rider's."""
    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""
    """Comes back in the answer."""


class CueAck(Struct, frozen=True, kw_only=True):
    """What became of a remote cue."""

    schema: str = "bikebox.cue_ack.1"
    box: Segment
    rider: Segment
    given: bool
    """The coach says it, within its caps; whether it was heard is in the ride's records."""
    id: str = ""
    why: str = ""
    """Why it is not given."""


class Aggregate(Struct, frozen=True, kw_only=True):
    """A class in counts; riders = out + ok + unknown, without those who are too few to be told."""

    schema: str = "bikebox.aggregate.1"
    class_id: Segment = msgspec.field(name="class")
    out_of_position: dict[str, Count]
    """Rule to riders; a rider with two faults is in both."""
    few: tuple[str, ...] = ()
    """Rules, and shares of the class, with riders too few to be told as a number."""
    out: Count = 0
    ok: Count
    unknown: Count
    """Not judged now: dark, hidden, paused, or silent for five seconds. Never counted as ok."""
    riders: Count


M = TypeVar("M", bound=Struct)
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,64}")


def box_topic(box: str, lane: str) -> str:
    """Return a box's topic: lane is up, ack, status, now, cmd or cmd/ack."""
    return f"fleet/v1/{box}/{lane}"


def form_topic(class_id: str, rider: str) -> str:
    """Return where a rider's states go; raise WireError for a name a broker might choke on."""
    return _rider_topic(class_id, rider, "form")


def pose_topic(class_id: str, rider: str) -> str:
    """Return where a rider's pose features go; raise WireError as form_topic does."""
    return _rider_topic(class_id, rider, "pose")


def cue_topic(class_id: str, rider: str) -> str:
    """Return where a rider's cues come from; raise WireError as form_topic does."""
    return _rider_topic(class_id, rider, "cue")


def _rider_topic(class_id: str, rider: str, lane: str) -> str:
    for segment in (class_id, rider):
        if not _SEGMENT.fullmatch(segment):
            raise WireError(f"{segment[:80]!r} cannot stand in a topic: only A-Z a-z 0-9 _ and -")
    return f"fitness/class/{class_id}/{lane}/{rider}"


def aggregate_topic(class_id: str) -> str:
    """Return the topic of a class's counts."""
    return f"fitness/class/{class_id}/aggregate"


def pack(message: Struct) -> bytes:
    """Write a message as JSON."""
    return msgspec.json.encode(message)


def fingerprint(kind: str, body: str) -> str:
    """Return a short hash of a record; body is JSON as msgspec writes it."""
    return hashlib.sha256(f"{kind}\n{body}".encode()).hexdigest()[:16]


def unpack(payload: bytes, kind: type[M]) -> M:
    """Read a message; raise WireError when it is not one of this kind, or too long."""
    if len(payload) > LONGEST_BYTES:
        raise WireError(f"{len(payload)} bytes where {LONGEST_BYTES} are the most")
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.MsgspecError as wrong:
        raise WireError(f"{wrong}: {payload[:120]!r}") from wrong
    except RecursionError as wrong:
        raise WireError(f"nested too deep: {payload[:120]!r}") from wrong
    except UnicodeDecodeError as wrong:
        raise WireError(f"not UTF-8: {payload[:120]!r}") from wrong
