"""What passes through a wall: every message between two processes of this box, and no others.

    vision  -> ride      PoseFrame, CameraState               vision.sock, one JSON line each
    ride    -> vision    Touch: the rider's camera switch    vision.sock
    ride    -> player    Hud, Say, Prepare, Debrief           ride.sock
    ride    -> player    Aim: the rider as lines, while the camera is aimed; to nobody else
    player  -> ride      CueOutcome, Touch, PlayerState       ride.sock
    ride    -> gateway   Live, PoseFeatures, CueAnswer, Lexicon  ride.sock, never stored
    ride    -> gateway   CameraState, as vision said it       ride.sock, for health and metrics
    gateway -> ride      SyncState, Command, Offer, Claim     ride.sock
    ride    -> gateway   RideStarted ... RideEnded            gateway.sock, from the journal

The camera's picture is not among them. A picture cannot leave vision because there is no
message to put it in; tests/test_privacy.py keeps it so.

Fields are only ever added, with defaults: an updated gateway must understand yesterday's bike.
"""

from types import UnionType
from typing import Annotated, Generic, Literal, NewType, TypeVar

import msgspec
from msgspec import Meta, Struct

from firmware_app.errors import WireError

RideId = NewType("RideId", str)
"""Sortable and unique without a network: "<box>-<epoch>-<count>", segments of [A-Za-z0-9_]."""
Share = Annotated[float, Meta(ge=0, le=1)]
RuleState = Literal["ok", "fault", "unseen"]
View = Literal["front", "oblique", "side"]
Band = tuple[float, float]
"""Lowest and highest cadence, rpm."""


class Profile(Struct, frozen=True, kw_only=True):
    """What a rider has said of themselves; nothing in it is found out."""

    left_handed: bool = False
    """The buttons stand on the left of the screen."""
    without: tuple[str, ...] = ()
    """Rules that are not for this body, an injury perhaps: neither judged nor told."""
    seated_only: bool = False
    """Stays in the saddle: standing is put right, as a fault is."""
    voice: bool = True
    """False: the coach is read only."""
    style: Literal["", "quiet", "normal", "more"] = ""
    """How often the coach speaks; empty: as the bike is set."""


class Message(Struct, frozen=True, tag=True, kw_only=True):
    """Something that happened at one moment."""

    t_s: float
    """Monotonic seconds; see clock.py."""


# vision -> ride ---------------------------------------------------------------------------------


class Landmark(Struct, frozen=True, array_like=True):
    """One of BlazePose's 33 points in the picture, in pixels of the camera's frame."""

    x_px: float
    y_px: float
    z_px: float
    """Depth relative to the hips, in the scale of x_px; nearer the camera is smaller."""
    visibility: float
    """0 (guessed) to 1 (seen), as the model reports it. Says nothing about darkness."""
    presence: float
    """0 to 1: is the point inside the picture at all."""


class WorldPoint(Struct, frozen=True, array_like=True):
    """One of the 33 points in metres around the middle of the hips."""

    x_m: float
    y_m: float
    z_m: float


class PoseFrame(Message, frozen=True, kw_only=True):
    """The rider as 33 points, at the moment the picture was taken.

    The richest thing that ever leaves vision.
    """

    frame: int
    """Counts the camera's frames from its start; a gap is a frame that was skipped."""
    width_px: int
    height_px: int
    landmarks: tuple[Landmark, ...]
    """33 points (numbering of BlazePose), or empty: nobody is seen."""
    world: tuple[WorldPoint, ...] = ()
    """33 points, or empty when landmarks is."""
    snr_db: float | None = None
    """Newest picture signal-to-noise ratio; None before the first estimate."""
    too_dark: bool = False
    """The picture is too poor to judge by; has hysteresis (below 24 dB on, above 27 dB off)."""
    framing: str = ""
    """Why the rider is not framed well, in a few words: "head out of the picture"."""
    jumped: bool = False
    """This is probably not the rider: suddenly elsewhere, or of another size."""


STAGE_BOUNDS_S = tuple(2**n / 1000 for n in range(8))
"""Of a stage's histogram: 1, 2, 4, ... 128 ms."""


class CameraState(Message, frozen=True, kw_only=True):
    """How the camera and the model are doing; once a second and at each change."""

    ok: bool
    why: str = ""
    """In a few words for the screen when not ok: "camera unplugged"."""
    model: str = ""
    model_why: str = ""
    """Why this model, for the technician; empty when the settings name it."""
    fps: float = 0.0
    """Poses a second over the last seconds."""
    skipped: int = 0
    """Frames overtaken by a newer one since the start."""
    late: int = 0
    """Poses thrown away because they were older than two frame intervals."""
    p95_ms: float = 0.0
    """Capture to pose sent, 95th percentile of the last seconds."""
    stages_ms: dict[str, float] = {}
    """Mean of each stage over the last seconds: capture, decode, wait, detect, landmark, send."""
    stages_histogram: dict[str, tuple[int, ...]] = {}
    """Poses since the start by what each stage took, up to each of STAGE_BOUNDS_S and beyond."""
    stages_total_s: dict[str, float] = {}
    """What each stage took in all of them."""
    snr_db: float | None = None
    """Of the newest picture; None before the first."""
    lux: float | None = None
    """Light at the rider's seat; None unless this very camera was calibrated and tells its
    exposure."""


FromVision = PoseFrame | CameraState

# provisioning <-> vision ------------------------------------------------------------------------

CODE_BEGINS = ("WIFI:", "BIKEBOX:")
LONGEST_CODE = 300


class LookForCode(Message, frozen=True, kw_only=True):
    """Asks vision to look for a technician's QR code for a while; the box has no name yet."""

    for_s: Annotated[float, Meta(gt=0, le=300)]


class CodeShown(Message, frozen=True, kw_only=True):
    """The words of a code that was held to the camera; told to who asked, and to nobody else."""

    text: Annotated[str, Meta(max_length=LONGEST_CODE, pattern="^(WIFI|BIKEBOX):")]


# ride -> player ---------------------------------------------------------------------------------


class Say(Message, frozen=True, kw_only=True):
    """One sentence of the coach."""

    cue: int
    """Counts the cues of this ride, from 1; 0: not a cue."""
    rule: str
    kind: Literal["correct", "praise", "remote", "message"]
    """message: what the gym writes to its riders; shown only, and in no ride's records."""
    text: str
    """What is spoken, and the banner's first line."""
    hint: str = ""
    """The banner's second line; never spoken."""
    until_s: float
    """Not spoken when it cannot start by this monotonic second; then it is only shown."""
    voice: bool = True
    """False: shown only."""


class Prepare(Message, frozen=True, kw_only=True):
    """Sentences that may be needed in this ride; rendered ahead of need at low priority."""

    language: str
    texts: tuple[str, ...]


class Hud(Message, frozen=True, kw_only=True):
    """All that the screen shows of the ride; five times a second and at each change."""

    phase: Literal["waiting", "riding", "paused", "ended"]
    rider: str = ""
    elapsed_s: float = 0.0
    """Riding time without the pauses."""
    cadence_rpm: float | None = None
    """None: there is no crank sensor to ask."""
    target_rpm: tuple[float, float] | None = None
    """The class's cadence band."""
    states: dict[str, RuleState] = {}
    """Rule id to state; empty before anything can be judged."""
    unseen_why: str = ""
    """In a few words for the screen, why the coach cannot judge: "too dark", "knees hidden"."""
    learning: Share | None = None
    """How much of the rider's baseline is learnt; None when it stands."""
    camera: Literal["ok", "lost", "dark", "nobody", "off"] = "ok"
    crank: Literal["ok", "lost"] = "ok"
    sync: Literal["ok", "waiting", "offline", "lost"] = "waiting"
    """ok: the studio has all; waiting: on its way; offline: no broker; lost: no gateway."""
    parts: dict[str, str] = {}
    """While nobody rides: part to "ok" or what is wrong with it, for console and updater."""
    update: str = ""
    """Why the last update of this box went back; for the waiting room."""
    claim_url: str = ""
    """While the bike waits: where a phone says who rides, good once and for a minute or two."""
    left_handed: bool = False
    """The rider wishes the buttons on the left."""
    heart_bpm: float | None = None
    """None: no sensor tells it."""
    power_w: float | None = None
    class_title: str = ""
    """What the studio calls the class; empty: as the settings say."""
    starts_s: float | None = None
    """Monotonic second at which the class begins; None: nobody has said."""
    ends_s: float | None = None


class Debrief(Message, frozen=True, kw_only=True):
    """The ride in one screen, when it is over."""

    rider: str
    duration_s: float
    cadence_mean_rpm: float | None
    in_position_share: Share | None
    """None when nobody could be watched."""
    strength: str
    next_thing: str
    timeline: tuple[str, ...] = ()
    """One of ok, fault, unseen, off for each of up to 60 equal slices of the ride."""


class Check(Struct, frozen=True, kw_only=True):
    """One thing that must be right before a ride can be coached."""

    name: Literal["head", "hands", "knees", "place", "light", "crank"]
    state: Literal["ok", "mend", "wait", "free"]
    """free: not needed from where this camera stands, and not seen."""
    said: str
    """Key of the words for it: "seen", "out", "far", "tilted", "dark", "pedal", "half" ..."""
    figure: float | None = None
    """What was measured: rpm of the crank, dB of the light."""


class Aim(Message, frozen=True, kw_only=True):
    """What the camera sees of who sits before it, while it is aimed.

    Told to the screen that asked, five times a second, and to nobody else; never kept.
    """

    view: View
    points: tuple[tuple[float, float, bool], ...] = ()
    """BlazePose's 33 points as shares of the picture's width and height, and whether each is in
    the picture; empty: nobody is seen."""
    aspect: float = 4 / 3
    """Of the camera's picture, width over height."""
    checks: tuple[Check, ...] = ()


# player -> ride ---------------------------------------------------------------------------------


class CueOutcome(Message, frozen=True, kw_only=True):
    """What became of a Say."""

    cue: int
    outcome: Literal["spoken", "shown", "dropped"]
    """spoken: heard and shown; shown: on the screen only; dropped: neither."""
    why: str = ""


class Touch(Message, frozen=True, kw_only=True):
    """The rider touched a button on the screen."""

    action: Literal[
        "start",
        "pause",
        "resume",
        "end",
        "quieter",
        "more",
        "camera_off",
        "camera_on",
        "aim",
        "aimed",
    ]


class PlayerState(Message, frozen=True, kw_only=True):
    """How the class and the speaker are doing; once a second and at each change."""

    class_state: Literal["off", "connecting", "waiting", "playing", "reconnecting", "refused"]
    why: str = ""
    """In a few words what is wrong, and what to do."""
    video_fps: float = 0.0
    """Class pictures newly shown a second."""
    screen_fps: float = 0.0
    speaker: Literal["ok", "lost"] = "ok"
    voice: str = ""
    """The engine that speaks: "piper", "espeak-ng", or "" when none can."""


FromPlayer = CueOutcome | Touch | PlayerState

# ride -> gateway, the live lane -----------------------------------------------------------------


class Live(Message, frozen=True, kw_only=True):
    """How the rider sits now; 1 Hz, forwarded to the class's live topic, never stored."""

    ride: RideId
    class_id: str
    rider_pseudonym: str
    """Made for one ride; means nothing outside it."""
    phase: str
    cadence_rpm: float | None
    states: dict[str, RuleState]
    parts: dict[str, str] = {}
    """Part to "ok" or what is wrong with it, for the console: camera, crank, class, speaker."""
    name: str = ""
    """The rider's name, only when the rider agreed that the instructor's board shows it."""


class PoseFeatures(Message, frozen=True, kw_only=True):
    """The rider as a remote coach may know them: relative to their own baseline, never pixels.

    Sent only where a gym has asked for it ([mqtt] pose_hz), at most five times a second.
    """

    ride: RideId
    class_id: str
    rider_pseudonym: str
    view: View
    cadence_rpm: float | None
    learning: Share | None
    """How much of the baseline is learnt; None when it stands. Nothing is told before."""
    features: dict[str, float] = {}
    """How far from the rider's own baseline, in shoulder widths (from the side trunk lengths) and
    hundreds of degrees; form/posture.py says which."""
    evidence: dict[str, float] = {}
    """Rule to how strongly it shows: 0 is the baseline, 1 begins a fault."""


class CueAnswer(Message, frozen=True, kw_only=True):
    """What became of a cue that somebody far away has worded."""

    command: str
    given: bool
    """The coach says it; whether it was heard is in the ride's records."""
    why: str = ""


class CueWords(Struct, frozen=True, kw_only=True):
    """What may be said about one rule."""

    say: tuple[str, ...]
    """The cue book's own sentences."""
    about: tuple[str, ...]
    """A sentence must use one of these ..."""
    words: tuple[str, ...]
    """... and no word that is not among these."""


class Lexicon(Message, frozen=True, kw_only=True):
    """The cue book as whoever words cues ahead of need must know it; at the begin of a ride."""

    ride: RideId
    language: str
    rules: dict[str, CueWords]


# gateway -> ride --------------------------------------------------------------------------------


class SyncState(Message, frozen=True, kw_only=True):
    """How far the studio has confirmed; once a second and at each change."""

    sync: Literal["ok", "waiting", "offline"]
    unsynced: int = 0
    why: str = ""
    update: str = ""
    """Why the last update of this box went back; empty when none did."""


class Command(Message, frozen=True, kw_only=True):
    """Something the studio asks of the bike."""

    command: str
    kind: Literal["start_class", "message", "drain", "cue", "forget", "wording", "interval"]
    """message: the text stands on the screen for a moment. forget: what this bike has kept of the
    rider whose name is the text. wording: other words for a rule's next cue, to be rendered before
    they are needed. interval: a part of the class. drain is the gateway's own."""
    text: str = ""
    rule: str = ""
    language: str = ""
    """Of a cue's text; empty: the rider's."""
    target_rpm: tuple[float, float] | None = None
    expires_s: float = 0.0
    """Monotonic second after which it is not carried out."""
    starts_s: float = 0.0
    """start_class, interval: the monotonic second it begins at; 0: now. text is its title."""
    lasts_s: float = 0.0
    """start_class, interval: how long it lasts; 0: nobody has said."""
    effort: Literal["", "easy", "steady", "hard", "sprint"] = ""
    """interval: what is ridden; in a sprint the coach is silent."""


class Offer(Message, frozen=True, kw_only=True):
    """Where the next rider may say who they are, from the phone; sent anew before it expires."""

    url: str
    """Goes on the waiting screen as a QR code; empty: nothing is offered."""
    until_s: float
    """Monotonic second after which it is no longer shown."""


class Claim(Message, frozen=True, kw_only=True):
    """The next ride is this rider's. Ends with the ride: a bike is shared, and forgets."""

    rider: Annotated[str, Meta(min_length=1, max_length=24)]
    name_on_board: bool = False
    """The rider agreed that the instructor's board shows the name."""
    remember: bool = False
    """The rider agreed that this bike keeps, in numbers, how they sit and what their profile is."""
    phone: Annotated[str, Meta(max_length=64)] = ""
    """A word that the rider's phone keeps for this bike: it tells two riders of one name apart."""
    profile: Profile | None = None
    """None: as it is remembered."""
    rides: int = 0
    """Rides before this one, on any bike; 0: what this bike remembers."""


FromGateway = SyncState | Command | Offer | Claim
ToRide = FromPlayer | FromGateway
FromRide = (
    Hud | Say | Prepare | Debrief | Live | PoseFeatures | CueAnswer | Lexicon | Aim | CameraState
)

# ride -> journal -> gateway: the durable lane ---------------------------------------------------


class RideStarted(Message, frozen=True, kw_only=True):
    """A rider began to pedal in a class, or on their own."""

    ride: RideId
    box: str
    boot_id: str
    wall_utc: str
    """ISO 8601. When this box believed it was; corrected once NTP has spoken."""
    wall_synced: bool = False
    rider: str = ""
    """Name as the rider gave it; stays in the gym's own system."""
    name_on_board: bool = False
    """The rider agreed that the instructor's board shows the name."""
    rider_pseudonym: str = ""
    class_id: str = ""
    view: View = "front"
    software: str = ""


class Interval(Message, frozen=True, kw_only=True):
    """Up to thirty seconds of a ride, the finest grain that is kept; all figures add up."""

    ride: RideId
    n: int
    """Counts from 0; the same interval told twice is one interval."""
    from_s: float
    """Monotonic; t_s is its end."""
    riding_s: float
    """Without pauses."""
    turns: float
    """Crank revolutions completed."""
    pedalling_s: float
    """Time these turns took; turns over it is the mean cadence."""
    watched_s: float
    """Time in which at least one posture rule could be judged."""
    in_position_s: float
    """Watched time with no fault standing."""
    fault_s: dict[str, float]
    """Rule to the time its fault stood."""
    episodes: dict[str, int]
    """Rule to the faults that began in this interval."""
    unseen_s: dict[str, float]
    """Rule to the time it could not be judged."""
    rpm: tuple[int | None, ...] = ()
    """Cadence in each second from from_s on; None where nobody rode or the sensor was silent."""
    form: tuple[int | None, ...] = ()
    """In each second: 1 in position, 0 with a fault standing, None unseen."""


class CueGiven(Message, frozen=True, kw_only=True):
    """The coach said one sentence, or showed it."""

    ride: RideId
    cue: int
    rule: str
    kind: str
    words: str
    outcome: str
    """spoken, shown or dropped; see CueOutcome."""
    why: str = ""
    ride_s: float = 0.0
    """Seconds since the ride began."""


class RideEnded(Message, frozen=True, kw_only=True):
    """The rider stopped, the class ended, or the power is going."""

    ride: RideId
    intervals: int
    why: str = ""
    strength: str = ""
    next_thing: str = ""


class Audit(Message, frozen=True, kw_only=True):
    """Somebody or something changed what the box does."""

    what: str
    who: str = "box"
    detail: str = ""


ToGateway = RideStarted | Interval | CueGiven | RideEnded | Audit

Line = FromVision | LookForCode | CodeShown | ToRide | FromRide | ToGateway
"""Every message there is; tests walk it."""

_encoder = msgspec.json.Encoder()
M = TypeVar("M")


def encode(message: Message) -> bytes:
    """Write a message as one line."""
    return _encoder.encode(message) + b"\n"


class Reader(Generic[M]):
    """Reads lines of one union of messages: Reader(FromVision)."""

    def __init__(self, kind: type[M] | UnionType) -> None:
        self._decoder: msgspec.json.Decoder[M] = msgspec.json.Decoder(kind)

    def read(self, line: bytes) -> M:
        """Read one line; raise WireError if it is not one of these messages."""
        try:
            return self._decoder.decode(line)
        except msgspec.MsgspecError as wrong:
            raise WireError(f"{wrong}: {line[:120]!r}") from wrong
        except RecursionError as wrong:
            raise WireError(f"nested too deep: {line[:120]!r}") from wrong
