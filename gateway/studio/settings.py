"""One file, gym.toml, read once at start into one frozen value."""

from typing import Annotated, ClassVar

from msgspec import Meta

from firmware_app.settings import Mqtt, Name, Port, Section


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
    mqtt: Mqtt = Mqtt(url="mqtt://127.0.0.1:1883")
