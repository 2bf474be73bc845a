"""One file, gym.toml, read once at start into one frozen value."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from firmware_app.settings import Mqtt, Name, Port, Section


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
    """This machine only, unless a web server with TLS and a password stands in front."""
    port: Port = 8790
    few_below: Annotated[int, Meta(ge=0, le=100)] = 0
    """Fewer riders than this are "a few": nobody is singled out; 0: every count is shown."""
    names: tuple[str, ...] = ()
    """Names under which a browser may ask, beside this machine's own."""
    database: str = "/var/lib/bikebox-studio/studio.db"
    """A file, or postgresql://USER@HOST/DATABASE that several studios share."""
    mqtt: Mqtt = Mqtt(url="mqtt://127.0.0.1:1883")
    stream: Stream = Stream()
