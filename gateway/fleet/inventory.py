"""One file, fleet.toml: gyms and their bikes, who may change them, and how an update spreads.

A bike is named once in the whole fleet. Wherever a command asks for bikes, the name of a bike, a
gym or a group will do, so these names are of one kind and none may be used for two things.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct, field

from firmware_app.errors import BadInput, BadSetting
from firmware_app.settings import Name, Seconds, Section, convert, read_toml
from gateway.identity.device import NAMELESS

FINGERPRINT = r"SHA256:[A-Za-z0-9+/]{43}"
HostKey = Annotated[str, Meta(pattern=rf"^$|^{FINGERPRINT}$|^ssh-ed25519 [A-Za-z0-9+/=]+( .*)?$")]
"""As `ssh-keygen -lf` or the box's own .pub file write it; empty: not met yet."""
_KINDS = r"ssh-ed25519|ecdsa-sha2-nistp256|sk-ssh-ed25519@openssh\.com"
PublicKey = Annotated[str, Meta(pattern=rf"^({_KINDS}) [A-Za-z0-9+/=]+( [^\n]*)?$")]
ReleaseKey = Annotated[str, Meta(pattern=r"^RW[A-Za-z0-9+/=]{54}$")]
"""The second line of minisign's public key file."""
Login = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,30}$")]
Wave = Annotated[str, Meta(pattern=r"^([1-9][0-9]*%?|rest)$")]


class RolloutRules(Section, frozen=True, kw_only=True):
    """How an update spreads."""

    waves: Annotated[tuple[Wave, ...], Meta(min_length=1)] = ("1", "10%", "rest")
    """Bikes, or a share of those that need it; the first wave is the canary."""
    soak_s: Annotated[float, Meta(ge=0, le=86400)] = 60.0
    """After each wave but the last, this long nothing may go back to its old release."""
    at_once: Annotated[int, Meta(ge=1, le=100)] = 16
    """Bikes that are sent to at the same time; a gym's uplink is shared by its bikes."""
    patience_s: Seconds = 900.0
    """A bike that has not finished after this long has failed."""


class BikeEntry(Section, frozen=True, kw_only=True):
    """One line under [gyms.NAME.bikes]."""

    SAMPLE: ClassVar[str] = "config/fleet.toml"

    address: Annotated[str, Meta(min_length=1)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 22
    host_key: HostKey = ""
    groups: tuple[Name, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    """Goes into this bike's bikebox.toml, over the gym's."""


class GymEntry(Section, frozen=True, kw_only=True):
    """One [gyms.NAME]."""

    SAMPLE: ClassVar[str] = "config/fleet.toml"

    title: str = ""
    """Shown in the bikes' waiting room."""
    studio: Annotated[str, Meta(pattern=r"^$|^https?://")] = ""
    """Who gives the gym's bikes their certificates."""
    credentials: str = ""
    """A folder beside this file: what lies in it goes into /etc/bikebox/credentials."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Goes into every bikebox.toml of this gym."""
    bikes: dict[str, Any] = field(default_factory=dict)


class FleetFile(Section, frozen=True, kw_only=True):
    """The file as it is written; bikes are read one by one, so that errors name them."""

    SAMPLE: ClassVar[str] = "config/fleet.toml"

    rollout: RolloutRules = RolloutRules()
    technicians: dict[Login, PublicKey] = field(default_factory=dict)
    release_keys: dict[Name, ReleaseKey] = field(default_factory=dict)
    gyms: dict[Name, Any] = field(default_factory=dict)


class Bike(Struct, frozen=True, kw_only=True):
    """One bike of the fleet, as its technician wrote it down."""

    name: str
    gym: str
    address: str
    port: int
    host_key: str
    groups: tuple[str, ...]
    studio: str = ""
    credentials: str = ""
    settings: dict[str, Any]
    """What its bikebox.toml shall say beside the defaults."""


class Inventory(Struct, frozen=True, kw_only=True):
    """The whole fleet."""

    bikes: dict[str, Bike]
    technicians: dict[str, str]
    release_keys: dict[str, str] = {}
    rollout: RolloutRules
    nameless: dict[str, Bike] = {}
    """Gym to what a box of it is before it is claimed."""

    def choose(self, words: Sequence[str]) -> list[Bike]:
        """Return the bikes that these bikes, gyms and groups name, all when there are no words.

        Raise BadInput for a word that names nothing.
        """
        if not words:
            return list(self.bikes.values())
        chosen: dict[str, Bike] = {}
        for word in words:
            found = {bike.name: bike for bike in self.bikes.values() if word in _words_for(bike)}
            if not found:
                known = sorted({name for bike in self.bikes.values() for name in _words_for(bike)})
                raise BadInput(
                    f"no bike, gym or group is called {word}; the fleet has {_some(known)}"
                )
            chosen |= found
        return [bike for bike in self.bikes.values() if bike.name in chosen]

    def nameless_of(self, gym: str) -> Bike:
        """Return what a box of this gym is before it is claimed; raise BadInput."""
        if gym not in self.nameless:
            raise BadInput(f"no gym is called {gym}; the fleet has {_some(sorted(self.nameless))}")
        return self.nameless[gym]


def read_inventory(text: str, source: str = "fleet.toml") -> Inventory:
    """Read fleet.toml; raise BadSetting in words a technician can act on."""
    file = convert(FleetFile, read_toml(text, source), source)
    bikes: dict[str, Bike] = {}
    nameless: dict[str, Bike] = {}
    for gym_name, written in file.gyms.items():
        gym = convert(GymEntry, written, f"{source}: [gyms.{gym_name}]")
        nameless[gym_name] = Bike(
            name=NAMELESS,
            gym=gym_name,
            address="",
            port=22,
            host_key="",
            groups=(),
            studio=gym.studio,
            credentials=gym.credentials,
            settings=merged({"gym": gym.title}, gym.settings, {"box": NAMELESS}),
        )
        for name, line in gym.bikes.items():
            place = f"{source}: [gyms.{gym_name}.bikes] {name}"
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name):
                raise BadSetting(f"{place}: a bike's name has at most 32 of A-Z a-z 0-9 _ -")
            if name == NAMELESS:
                raise BadSetting(f"{place}: so is every box called that has no name yet")
            if name in bikes:
                raise BadSetting(f"{place}: {bikes[name].gym} has a bike of that name; rename one")
            entry = convert(BikeEntry, line, place)
            bikes[name] = Bike(
                name=name,
                gym=gym_name,
                address=entry.address,
                port=entry.port,
                host_key=entry.host_key,
                groups=entry.groups,
                studio=gym.studio,
                credentials=gym.credentials,
                settings=merged({"gym": gym.title}, gym.settings, entry.settings, {"box": name}),
            )
    _refuse_doubles(bikes.values(), source)
    return Inventory(
        bikes=bikes,
        technicians=file.technicians,
        release_keys=file.release_keys,
        rollout=file.rollout,
        nameless=nameless,
    )


def load_inventory(path: Path) -> Inventory:
    """Read the file at path; raise BadSetting when it is not there or not right."""
    try:
        return read_inventory(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise BadSetting(
            f"{path}: {error.strerror or error}. Copy config/fleet.toml there,"
            " or name another file with --fleet"
        ) from error
    except UnicodeDecodeError as error:
        raise BadSetting(f"{path}: not a text file ({error}); write it in UTF-8") from error


def merged(*layers: dict[str, Any]) -> dict[str, Any]:
    """Lay settings over one another, section by section; the last one wins."""
    whole: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = whole.get(key)
            both = isinstance(below, dict) and isinstance(value, dict)
            whole[key] = merged(below, value) if both else value  # type: ignore[arg-type]  # both
    return whole


def same_host(pinned: str, fingerprint: str) -> bool:
    """Tell whether a host that shows this SHA256 fingerprint is the one that was pinned."""
    return bool(pinned) and fingerprint_of(pinned) == fingerprint


def fingerprint_of(key: str) -> str:
    """Return "SHA256:..." of a public key's line; a fingerprint stays what it is."""
    if key.startswith("SHA256:"):
        return key
    try:
        blob = base64.b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error) as error:
        raise BadInput(f"{key[:40]}...: no public key; it reads ssh-ed25519 AAAA...") from error
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _words_for(bike: Bike) -> set[str]:
    return {bike.name, bike.gym, *bike.groups}


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _refuse_doubles(bikes: Iterable[Bike], source: str) -> None:
    used: dict[str, str] = {}
    doors: dict[tuple[str, int], str] = {}
    for bike in bikes:
        words = ((bike.name, "bike"), (bike.gym, "gym"), *((g, "group") for g in bike.groups))
        for word, kind in words:
            if used.setdefault(word, kind) != kind:
                raise BadSetting(
                    f"{source}: {word} is a {used[word]} and a {kind}; rename one of them"
                )
        door = (bike.address, bike.port)
        if doors.setdefault(door, bike.name) != bike.name:
            raise BadSetting(
                f"{source}: {doors[door]} and {bike.name} have one address, {bike.address}"
            )
