"""One file, bikebox.toml, read once at start into one frozen value.

A setting carries its unit in its name, its bounds in its type and its reason in its docstring.
Unknown keys are errors: a misspelt setting that is silently ignored is the worst kind.
"""

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from firmware_app.errors import BadSetting
from firmware_app.wire import View

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
"""A topic segment: safe on every broker."""
IceUrl = Annotated[str, Meta(pattern=r"^(stun|turns?):[\w.-]+(:\d{1,5})?(\?transport=(udp|tcp))?$")]
"""A STUN or TURN server (RFC 7064, RFC 7065)."""
Port = Annotated[int, Meta(ge=0, le=65535)]


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One [section] of the file."""

    SAMPLE: ClassVar[str] = "config/bikebox.toml"
    """Where every setting is explained."""


S = TypeVar("S", bound=Section)


class Paths(Section, frozen=True, kw_only=True):
    """Where the services keep what they keep."""

    run: str = "/run/bikebox"
    """Unix sockets; gone at every boot."""
    state: str = "/var/lib/bikebox"
    """Journals, riders, store, voice cache; survives updates."""
    models: str = "/opt/bikebox/current/models"
    """Pose models as fetched and pruned at set-up."""


class Vision(Section, frozen=True, kw_only=True):
    """The camera and the pose model."""

    camera: str = "/dev/bikebox/camera"
    """A V4L2 device (udev names it), or a video file that plays once as if it were a camera."""
    view: Literal["front", "oblique", "side", "auto"] = "front"
    """Where the camera stands, as the technician confirmed it; decides what may be judged. auto: as
    it is found from who sits there."""
    model: Literal["auto", "lite", "full", "heavy"] = "full"
    """auto: the best that this box affords, timed at the start, lighter while frames are missed."""
    threads: Annotated[int, Meta(ge=1, le=4)] = 1
    """More than one costs the class more than it gives the coach."""
    width_px: Annotated[int, Meta(ge=160, le=1920)] = 640
    height_px: Annotated[int, Meta(ge=120, le=1080)] = 480
    fps: Annotated[float, Meta(ge=5, le=60)] = 30.0
    """Asked of the camera; more than 30 is more than the coach can use."""
    dark_below_snr_db: Annotated[float, Meta(ge=0, le=60)] = 24.0
    """The coach falls silent below this; keypoints degrade from here on."""
    light_above_snr_db: Annotated[float, Meta(ge=0, le=60)] = 27.0
    """And judges again above this."""
    lux_file: str = ""
    """What `bikebox calibrate` made of the camera; empty: no lux is told."""

    @property
    def known_view(self) -> View | None:
        """Where the camera stands; None: it is to be found."""
        return None if self.view == "auto" else self.view

    def __post_init__(self) -> None:
        """Refuse a picture that would be dark and light at once."""
        if self.light_above_snr_db < self.dark_below_snr_db:
            raise ValueError(
                f"light_above_snr_db {self.light_above_snr_db:g} is below"
                f" dark_below_snr_db {self.dark_below_snr_db:g}; it must be higher"
            )


class Crank(Section, frozen=True, kw_only=True):
    """The crank sensor."""

    gpio: Annotated[int, Meta(ge=0, le=27)] = 17
    """BCM number of the pin of the reed or hall sensor, closing to ground."""
    pulses_per_turn: Annotated[int, Meta(ge=1, le=60)] = 1
    """Magnets that pass the sensor in one turn of the crank."""
    sim_pulses: str = ""
    """A label file (NAME.json.gz) whose crank_pulses_s are played instead of the pin."""
    sim_rpm: Annotated[float, Meta(ge=0, le=200)] = 0.0
    """A steady simulated crank instead of the pin; 0 uses the pin."""


class Ride(Section, frozen=True, kw_only=True):
    """When a ride begins, rests and ends."""

    start_turns: Annotated[int, Meta(ge=2, le=20)] = 3
    """Pedalling this many turns starts a ride by itself."""
    pause_s: Seconds = 10.0
    """Without a pulse this long the ride is paused."""
    end_s: Seconds = 300.0
    """Paused this long the ride is over."""
    interval_s: Annotated[float, Meta(ge=5, le=30)] = 30.0
    """The journal is put on disk this often: all that a power cut can take."""


class Coaching(Section, frozen=True, kw_only=True):
    """How often and when the coach may speak."""

    quiet_s: Annotated[float, Meta(ge=30, le=3600)] = 30.0
    """Least time between two spoken cues; thirty seconds is the promise to riders."""
    same_fault_s: Annotated[float, Meta(ge=90, le=3600)] = 90.0
    """Least time between two cues about the same fault; the third waits twice as long."""
    fresh_s: Annotated[float, Meta(gt=0, le=10)] = 2.0
    """A cue that cannot start within this is shown, not spoken."""
    banner_s: Annotated[float, Meta(ge=2, le=20)] = 6.0
    """How long a cue stays on the screen."""
    baseline_s: Annotated[float, Meta(ge=5, le=60)] = 20.0
    """Steady seated riding from which the rider's own posture is learnt."""
    style: Literal["quiet", "normal", "more", "silent"] = "normal"
    """quiet: half as often; silent: screen only."""
    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$")] = "en"
    """Names a file in config/cues."""
    remote_first_s: Annotated[float, Meta(ge=0, le=5)] = 0.0
    """So long a remote coach has to word a fault first; where there is one."""
    target_rpm: tuple[float, float] | None = None
    """Cadence band when the class gives none; none: cadence is not judged."""

    def __post_init__(self) -> None:
        """Refuse a band that nobody can ride in."""
        if self.target_rpm and not 0 < self.target_rpm[0] < self.target_rpm[1] <= 200:
            low, high = self.target_rpm
            raise ValueError(
                f"target_rpm [{low:g}, {high:g}] is no band; lowest first, above 0, at most 200"
            )


class Player(Section, frozen=True, kw_only=True):
    """The class, the screen and the speaker."""

    whep_url: str = ""
    """Address of the class; empty: ride without a class."""
    whep_token_file: str = ""
    """File that holds the Bearer token; systemd's LoadCredential puts it there."""
    whep_ca_file: str = ""
    """Certificate authority of a private server, beside the system's."""
    ice_servers: tuple[IceUrl, ...] = ()
    """STUN and TURN servers, beside those that the class server names."""
    turn_username: str = ""
    turn_password_file: str = ""
    """File that holds the password of the TURN servers above."""
    decoder: Literal["software", "v4l2m2m"] = "software"
    """Who decodes H.264: the processor, or a Pi 4's own decoder where it works."""
    class_id: Name = "free"
    """Names the class in topics and summaries."""
    class_title: str = "Free ride"
    class_times: tuple[Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")], ...] = ()
    """When this bike's classes begin each day; the studio's own word counts before them."""
    class_minutes: Annotated[float, Meta(ge=5, le=240)] = 45.0
    """How long they last."""
    width_px: Annotated[int, Meta(ge=320, le=3840)] = 1280
    height_px: Annotated[int, Meta(ge=240, le=2160)] = 720
    fullscreen: bool = True
    volume: Annotated[float, Meta(ge=0, le=1)] = 0.8
    duck_db: Annotated[float, Meta(ge=0, le=40)] = 14.0
    """How far the class is turned down while the coach speaks."""


class Speech(Section, frozen=True, kw_only=True):
    """The coach's voice."""

    engine: Literal["auto", "piper", "espeak-ng"] = "auto"
    """auto: Piper when it is installed, else espeak-ng."""
    piper_python: str = ""
    """Python of the environment Piper lives in; empty: the release's, or that of <state>/piper."""
    words_per_minute: Annotated[int, Meta(ge=80, le=300)] = 165


class Gateway(Section, frozen=True, kw_only=True):
    """The local API and console."""

    host: Literal["127.0.0.1", "::1", "localhost"] = "127.0.0.1"
    """Loopback only; a technician comes by SSH."""
    port: Port = 8780
    lan: bool = False
    """Serve the gym's network too, by https, once the box has a certificate."""
    lan_port: Port = 8443
    lan_name: str = ""
    """Under which phones and laptops reach this box; empty: <box>.local."""
    lan_cert_file: str = ""
    """A certificate for lan_name that phones know already; empty: the box's own."""
    lan_key_file: str = ""
    access_file: str = ""
    """Hashes of the PIN and of the technicians' tokens; empty: nobody gets in from the network."""
    keep_mb: Annotated[int, Meta(ge=16, le=65536)] = 512
    """The store is kept below this; what goes first is told in gateway/README.md."""
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 365
    """Details of rides, and intervals that no studio ever took, are kept for so long."""


class Mqtt(Section, frozen=True, kw_only=True):
    """The broker between the box and the studio."""

    url: str = ""
    """mqtt://host:1883 or mqtts://host:8883; empty: keep everything here."""
    protocol: Literal["5", "3.1.1"] = "3.1.1"
    """Nothing relies on 5; NATS speaks 3.1.1 only."""
    username: str = ""
    password_file: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    live: bool = True
    """Send rule states once a second for the instructor's counts; never stored."""
    pose_hz: Annotated[float, Meta(ge=0, le=5)] = 0.0
    """Tell a remote coach how the rider sits, so often; 0: never."""
    home_assistant: bool = False
    """Tell a house's Home Assistant that there is a bike, and whether somebody rides it."""


class Phrasing(Section, frozen=True, kw_only=True):
    """A language model that words cues ahead of need; the cue book speaks where there is none."""

    url: str = ""
    """Where an OpenAI-compatible endpoint begins, up to /v1; empty: none."""
    model: str = ""
    """As the endpoint calls it."""
    key_file: str = ""
    """File that holds the endpoint's key; empty: it asks for none."""
    deadline_s: Annotated[float, Meta(ge=0.5, le=30)] = 8.0
    """For one wording, tools and second try included; then the cue book's own stands."""

    def __post_init__(self) -> None:
        """Refuse an address that is none."""
        if self.url and not re.match(r"https?://[^/\s]+", self.url):
            raise ValueError(f'url "{self.url}" is no address; write http://HOST:PORT/v1')


class Identity(Section, frozen=True, kw_only=True):
    """The box's own key and certificate, as `bikebox provision` made them."""

    studio: str = ""
    """The studio's address, which gave the certificate and renews it."""
    folder: str = "/etc/bikebox/identity"


class Settings(Section, frozen=True, kw_only=True):
    """Everything a technician may change on a box."""

    box: Name
    """Name painted on the frame, for example "row2-bike14"; unique in the fleet."""
    gym: str = ""
    """Shown in the waiting room."""
    rider: str = ""
    """Name used when nobody has claimed the bike; empty: the coach uses no name."""
    paths: Paths = Paths()
    vision: Vision = Vision()
    crank: Crank = Crank()
    ride: Ride = Ride()
    coach: Coaching = Coaching()
    player: Player = Player()
    speech: Speech = Speech()
    gateway: Gateway = Gateway()
    mqtt: Mqtt = Mqtt()
    phrasing: Phrasing = Phrasing()
    identity: Identity = Identity()

    @property
    def vision_socket(self) -> Path:
        """Where vision tells what it sees."""
        return Path(self.paths.run) / "vision.sock"

    @property
    def ride_socket(self) -> Path:
        """Where the ride tells its state and hears what is to be done."""
        return Path(self.paths.run) / "ride.sock"

    @property
    def gateway_socket(self) -> Path:
        """Where the gateway takes the journal's lines."""
        return Path(self.paths.run) / "gateway.sock"

    @property
    def journals(self) -> Path:
        """The folder of the rides' journals; the ride is its one writer."""
        return Path(self.paths.state) / "journals"

    @property
    def piper_python(self) -> Path:
        """The Python that Piper runs on; a release brings one, set-up makes one elsewhere."""
        shipped = Path(__file__).parents[1] / "speech/bin/python"
        ours = shipped if shipped.exists() else Path(self.paths.state) / "piper/bin/python"
        return Path(self.speech.piper_python) if self.speech.piper_python else ours

    @property
    def riders(self) -> Path:
        """The folder of what the bike keeps of riders who agreed to it; the ride writes it."""
        return Path(self.paths.state) / "riders"


def read_settings(text: str, source: str = "bikebox.toml") -> Settings:
    """Read bikebox.toml; raise BadSetting in words a technician can act on."""
    return read_as(Settings, text, source)


def load_settings(path: Path) -> Settings:
    """Read the file at path; raise BadSetting when it is not there or not right."""
    return load_as(Settings, path)


def read_as(kind: type[S], text: str, source: str) -> S:
    """Read the text of a settings file of this kind; raise BadSetting."""
    return convert(kind, read_toml(text, source), source)


def read_toml(text: str, source: str) -> dict[str, Any]:
    """Read TOML; raise BadSetting when it is not."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise BadSetting(f"{source}: {wrong}. Is a quote or a bracket missing there?") from wrong


def convert(kind: type[S], written: object, source: str) -> S:
    """Make settings of this kind of what was written; raise BadSetting."""
    try:
        return msgspec.convert(written, kind)
    except msgspec.ValidationError as wrong:
        raise BadSetting(f"{source}: {_explain(str(wrong), kind)}") from wrong


def load_as(kind: type[S], path: Path) -> S:
    """Read a settings file of this kind; raise BadSetting when it is not there or not right."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadSetting(
            f"{path}: {error.strerror or error}. Copy {kind.SAMPLE} there,"
            " or name another file with --config"
        ) from error
    except UnicodeDecodeError as error:
        raise BadSetting(f"{path}: not a text file ({error}); write it in UTF-8") from error
    return read_as(kind, text, str(path))


def checkout_cache(name: str) -> Path:
    """Return the folder of that name in the cache of the checkout this runs from.

    It holds what set-up fetched and made: models, class. A box names its folders in its settings.
    """
    return Path(__file__).parents[1] / ".cache" / name


def settings_path() -> Path:
    """Return the file a service reads when none is named: $BIKEBOX_CONFIG or the installed one."""
    return Path(os.environ.get("BIKEBOX_CONFIG", "/etc/bikebox/bikebox.toml"))


def sections(kind: type[Section] = Settings) -> dict[str, type[Struct]]:
    """Return each section's name ("" for the top) and its type; doctor and tests walk it."""
    found: dict[str, type[Struct]] = {"": kind}
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            found[field.name] = field.type
    return found


def _explain(wrong: str, kind: type[Section]) -> str:
    """Put msgspec's words into a technician's: where, what was seen, what to do."""
    where = re.search(r" - at `\$\.?(?:([^`]*))`", wrong)
    place = where.group(1).strip(".") if where else ""
    said = wrong.split(" - at `", maxsplit=1)[0]
    unknown = re.search(r"unknown field `([^`]+)`", said)
    if unknown:
        section = sections(kind).get(place, kind)
        names = [field.name for field in msgspec.structs.fields(section)]
        near = difflib.get_close_matches(unknown.group(1), names, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"known here: {', '.join(names)}"
        spot = f"[{place}] " if place else ""
        return f'{spot}no setting is called "{unknown.group(1)}"; {hint}'
    missing = re.search(r"missing required field `([^`]+)`", said)
    if missing:
        return f'"{missing.group(1)}" is missing; add it, {kind.SAMPLE} shows how'
    return f"{place or 'the file'}: {said}; {kind.SAMPLE} tells what may stand there"
