"""One file, gym.toml, read once at start into one frozen value."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from firmware_app.errors import BadSetting
from firmware_app.settings import Mqtt, Name, Port, Section
from gateway.web.serve import check_tls

ProgramName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$")]
"""With a dot, for a box's name has none: no box can be claimed under it."""


class Authority(Section, frozen=True, kw_only=True):
    """Whether this studio gives boxes their certificates."""

    ca_file: str = ""
    """ca.pem of `bikebox studio ca init`; empty: no."""
    key_file: str = ""
    folder: str = "/var/lib/bikebox-studio"
    """The register with its audit, and what the broker reads of it."""
    broker_url: str = ""
    """As boxes reach the broker."""
    days: Annotated[float, Meta(ge=1, le=825)] = 365.0
    """How long a box's certificate is good; it is renewed after two thirds."""
    programs: tuple[ProgramName, ...] = ()
    """Common names of other certificates that may hear and say everything at the broker."""


class Stream(Section, frozen=True, kw_only=True):
    """A JetStream cluster that several studios take the boxes' records from."""

    SAMPLE: ClassVar[str] = "config/gym.toml"

    servers: tuple[str, ...] = ()
    """nats://HOST:4222; empty: records come from the broker, to this studio alone."""
    copies: Literal[1, 3, 5] = 3
    """Servers that hold each record until it is stored."""
    credentials_file: str = ""
    ca_file: str = ""


class GymSettings(Section, frozen=True, kw_only=True):
    """Everything a gym may change about its studio."""

    SAMPLE: ClassVar[str] = "config/gym.toml"

    studio: Name = "studio"
    """Names the studio to the broker; two studios with one name throw each other out."""
    gym: str = ""
    """Shown on the instructor's board."""
    host: str = "127.0.0.1"
    """This machine only, unless access_file says who may look."""
    port: Port = 8790
    few_below: Annotated[int, Meta(ge=0, le=100)] = 0
    """Fewer riders than this are "a few": nobody is singled out; 0: every count is shown."""
    names: tuple[str, ...] = ()
    """Names under which a browser may ask, beside this machine's own."""
    access_file: str = ""
    """Hashes of the board's PIN and of tokens; empty: whoever is on this machine may look."""
    tls_cert_file: str = ""
    """The board by https; empty: plain http."""
    tls_key_file: str = ""
    database: str = "/var/lib/bikebox-studio/studio.db"
    """A file, or postgresql://USER@HOST/DATABASE that several studios share."""
    mqtt: Mqtt = Mqtt(url="mqtt://127.0.0.1:1883")
    stream: Stream = Stream()
    identity: Authority = Authority()

    @property
    def tls(self) -> tuple[str, str] | None:
        """Certificate and key of the board's https; None: plain http."""
        return (self.tls_cert_file, self.tls_key_file) if self.tls_cert_file else None

    @property
    def keeps_register(self) -> bool:
        """Whether there is anything to be noted: boxes let in, or people."""
        return bool(self.access_file or self.identity.ca_file)

    @property
    def register(self) -> Path:
        """Which boxes belong to the gym."""
        return Path(self.identity.folder) / "identity.db"

    @property
    def broker_folder(self) -> Path:
        """What the broker reads of them."""
        return Path(self.identity.folder) / "broker"


def check_doors(settings: GymSettings) -> None:
    """Raise BadSetting when the board would stand open, or its certificate cannot be used."""
    if settings.host not in ("127.0.0.1", "::1", "localhost") and not settings.access_file:
        raise BadSetting(
            f'host = "{settings.host}": the network may look only with a PIN or a token; set'
            " access_file, `bikebox access --file FILE pin` writes it"
        )
    if settings.tls and (wrong := check_tls(*settings.tls)):
        raise BadSetting(f"tls_cert_file: {wrong}")
