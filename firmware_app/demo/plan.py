"""What a demo is made of: its settings file and its processes."""

import json
from pathlib import Path
from typing import NamedTuple

from firmware_app.settings import checkout_cache

BOX = "demo-bike"
CLASS_ID = "threshold-thursday"
CLASS_TITLE = "Threshold Thursday"
GYM = "Riverside Cycling"
TARGET_RPM = (70.0, 95.0)
LEAVES = ("screen-*.png", "speech.wav", "summary.json", "ride.fit", "journal.jsonl")
"""What a demo leaves in its folder beside its logs, as patterns of file names."""


class Wish(NamedTuple):
    """What was asked for on the command line."""

    out: Path
    seconds: float
    headless: bool
    video: Path
    crank: Path | None
    rpm: float
    view: str
    rider: str
    models: Path
    media: Path | None
    """The embedded class; None when a real one is named."""
    whep: str
    token: str
    broker: str
    record: Path | None


class Ports(NamedTuple):
    """Free TCP ports on loopback."""

    broker: int
    studio: int
    gateway: int
    klass: int


class Part(NamedTuple):
    """One process."""

    name: str
    words: tuple[str, ...]
    """What follows `bikebox`."""
    vital: bool = False
    """The demo is over when it ends by itself."""


def settings_text(wish: Wish, ports: Ports, folder: Path) -> str:
    """Return the bikebox.toml of the demo's bike; folder holds sockets, state and the token."""
    whep = wish.whep or f"http://127.0.0.1:{ports.klass}/whep"
    broker = wish.broker or f"mqtt://127.0.0.1:{ports.broker}"
    sections: dict[str, dict[str, object]] = {
        "": {"box": BOX, "gym": GYM, "rider": wish.rider},
        "paths": {
            "run": str(folder / "run"),
            "state": str(folder / "state"),
            "models": str(wish.models),
        },
        "vision": {"camera": str(wish.video), "view": wish.view},
        "crank": {"sim_pulses": str(wish.crank)} if wish.crank else {"sim_rpm": wish.rpm},
        "coach": {"target_rpm": list(TARGET_RPM)},
        "speech": {"piper_python": str(checkout_cache("piper") / "bin" / "python")},
        "player": {
            "whep_url": whep,
            "whep_token_file": str(folder / "token") if wish.token else "",
            "class_id": CLASS_ID,
            "class_title": CLASS_TITLE,
            "fullscreen": False,
        },
        "gateway": {"port": ports.gateway},
        "mqtt": {"url": broker},
    }
    lines: list[str] = []
    for name, keys in sections.items():
        if name:
            lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def parts(wish: Wish, ports: Ports, folder: Path, start_at_s: float) -> list[Part]:
    """Return the processes in the order in which they start."""
    config = ("--config", str(folder / "bikebox.toml"))
    start = ("--start-at", f"{start_at_s:.3f}")
    broker = wish.broker or f"mqtt://127.0.0.1:{ports.broker}"
    player = ["player", *config]
    player += ["--screens", str(wish.out), "--speech-wav", str(wish.out / "speech.wav")]
    if wish.headless:
        player.append("--headless")
    if wish.record is not None:
        player += ["--record", str(wish.record)]
    cast = [Part("vision", ("vision", *config, *start))]
    if not wish.whep:
        media = ("--media", str(wish.media)) if wish.media else ()
        words = ("class-server", "--port", str(ports.klass), f"--token={wish.token}", *media)
        cast.append(Part("class-server", words))
    cast.append(Part("player", tuple(player), vital=not wish.headless))
    cast.append(Part("ride", ("ride", *config, *start)))
    if not wish.broker:
        cast.append(Part("broker", ("broker", "--port", str(ports.broker))))
    cast.append(Part("gateway", ("gateway", *config)))
    studio = ("--broker", broker, "--port", str(ports.studio), "--db", str(folder / "studio.db"))
    cast.append(Part("studio", ("studio", *studio)))
    return cast
