"""What the screen says, in the rider's language: config/screen/<language>.toml."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from firmware_app.errors import BadSetting

WORDS_FOLDER = Path(__file__).resolve().parents[2] / "config" / "screen"


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every text of the screen; what stands in {braces} is filled in."""

    direction: Literal["ltr", "rtl"]
    """Which way the script runs: the whole screen follows it."""

    # the ride
    cadence: str
    rpm: str
    target: str
    no_crank: str
    crank_lost: str
    left: str
    """What remains of the class."""
    heart_unit: str
    power_unit: str
    form: str
    form_ok: str
    form_learning: str
    form_off: str
    faults: dict[str, str]
    """Rule id to the fault's name under the figure."""
    why: dict[str, str]
    """Why a part of the body cannot be judged: the coach's own words to this language's."""
    # what is missing
    camera: dict[str, str]
    sync: dict[str, str]
    speaker_lost: str
    coach_starting: str
    coach_gone: str
    coach_gone_hint: str
    # the class
    connecting: str
    connecting_hint: str
    waiting: str
    waiting_hint: str
    reconnecting: str
    reconnecting_hint: str
    refused: str
    refused_hint: str
    update_back: str
    no_class: str
    live_class: str
    """The class's title when nobody named it."""
    starts_in: str
    # aiming the camera
    aim: str
    aim_line: str
    aim_nobody: str
    aim_done: str
    aim_names: dict[str, str]
    """A check's name, wire.Check.name, as it stands in its row."""
    aim_said: dict[str, str]
    """What was found, wire.Check.said; {figure} is what was measured."""
    # before, between, after
    welcome: str
    welcome_nobody: str
    begin: str
    begin_hint: str
    claim: str
    touch: str
    touch_hint: str
    paused: str
    paused_hint: str
    ended: str
    ended_nobody: str
    ended_hint: str
    strength: str
    next_thing: str
    timeline: str
    in_form: str
    ride_time: str
    legend: dict[str, str]
    # the buttons
    start: str
    pause: str
    resume: str
    end: str
    quieter: str
    more: str
    volume: str

    @property
    def rtl(self) -> bool:
        """Tell whether the script runs from the right."""
        return self.direction == "rtl"


def read_words(language: str, folder: Path = WORDS_FOLDER) -> Words:
    """Read the screen's texts, English where the language has none; raise BadSetting."""
    path = folder / f"{language}.toml"
    if not path.exists():
        path = folder / "en.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Words)
    except OSError as error:
        raise BadSetting(
            f"{path}: {error.strerror or error}. It comes with every release; install it again"
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadSetting(f"{path}: {error}; config/screen/en.toml shows how") from error
