"""The services of the box, asked at their own doors: systemd, sockets, health."""

import json
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from firmware_app.doctor.finding import Finding, bad, explain, ok, unused
from firmware_app.errors import WireError
from firmware_app.settings import Settings
from firmware_app.wire import CameraState, FromRide, FromVision, Hud, Message, Reader

PATIENCE_S = 3.0
"""Vision tells its state once a second, the ride five times."""
MOST_LINES = 200
WAITED_S = 3600.0
"""A studio that is there confirms within seconds."""


def look_at_unit(service: str, root: Path) -> Finding:
    """Tell whether systemd keeps this service going."""
    unit = f"bikebox-{service}.service"
    systemctl = shutil.which("systemctl")
    if systemctl is None or not (root / "run/systemd/system").exists():
        return unused(unit, "no systemd here to ask")
    said = subprocess.run(  # noqa: S603 - a fixed question
        [systemctl, "show", unit, "--property=LoadState,ActiveState,Result,NRestarts"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    state = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    if state.get("LoadState") != "loaded":
        return bad(unit, "not installed", "install the units, then: systemctl daemon-reload")
    if state.get("ActiveState") == "active":
        return ok(unit, f"running, {state.get('NRestarts', '0')} restarts")
    seen = f"{state.get('ActiveState', 'unknown')} ({state.get('Result', 'unknown')})"
    return bad(unit, seen, f"journalctl -u {unit} -n 20 tells why; then systemctl restart {unit}")


def look_at_vision(settings: Settings) -> Finding:
    """Tell whether vision sees, and how fast."""
    door = settings.vision_socket
    try:
        for message in _hear(door, Reader(FromVision)):
            if isinstance(message, CameraState):
                seen = f"{message.model}, {message.fps:.0f} poses/s, p95 {message.p95_ms:.0f} ms"
                if message.lux is not None:
                    seen += f", {message.lux:.0f} lux"
                if message.model_why:
                    seen += f"; {message.model} is {message.model_why}"
                if message.ok:
                    return ok("vision", seen)
                return bad("vision", message.why, "see the camera's line above")
    except OSError as error:
        return _closed("vision", door, error)
    return bad("vision", f"{door}: no word of the camera", "systemctl restart bikebox-vision")


def look_at_ride(settings: Settings) -> Finding:
    """Tell whether the ride lives, and hears the crank."""
    door = settings.ride_socket
    try:
        for message in _hear(door, Reader(FromRide)):
            if isinstance(message, Hud):
                if message.crank == "lost":
                    return bad("ride", "no pulses", "turn the crank; check magnet, gap and cable")
                rpm = "" if message.cadence_rpm is None else f", {message.cadence_rpm:.0f} rpm"
                return ok("ride", f"{message.phase}{rpm}, camera {message.camera}")
    except OSError as error:
        return _closed("ride", door, error)
    return bad("ride", f"{door}: no word of the ride", "systemctl restart bikebox-ride")


def look_at_gateway(settings: Settings) -> Iterator[Finding]:
    """Tell the gateway's own opinion of its health, and whether rides reach the studio."""
    port = settings.gateway.port or _written(Path(settings.paths.run) / "gateway.port")
    host = f"[{settings.gateway.host}]" if ":" in settings.gateway.host else settings.gateway.host
    url = f"http://{host}:{port}/health"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            health = json.load(answer)
        parts, waiting = dict(health["parts"]), int(health["unsynced"])
        age_s, last = float(health["oldest_age_s"]), health["last_confirmed_utc"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = explain(error) if isinstance(error, OSError) else "an answer that is not a health"
        yield bad("gateway", f"{url}: {why}", "journalctl -u bikebox-gateway -n 20 tells why")
        return
    wrong = [f"{part}: {words}" for part, words in parts.items() if words != "ok"]
    if wrong:
        yield bad("gateway", "; ".join(wrong), f"see these parts' lines here; {url} has it all")
    else:
        yield ok("gateway", "all parts well")
    yield _sync(settings, waiting, age_s, last)


def _sync(settings: Settings, waiting: int, age_s: float, last_utc: str | None) -> Finding:
    """Tell whether rides reach the studio."""
    if not settings.mqtt.url:
        return unused("sync", f"no broker: {waiting} records are kept here")
    if waiting and age_s > WAITED_S:
        return bad(
            "sync",
            f"{waiting} records wait, the oldest for {age_s / 3600:.0f} h",
            "nothing is lost; does the studio run, and at this broker? bikebox gateway status",
        )
    when = f", the last {last_utc[:16]} UTC" if last_utc else ""
    return ok("sync", f"{waiting} records still to be confirmed{when}")


def _hear(door: Path, reader: Reader[Message]) -> Iterator[Message]:
    """Yield what a socket tells for a few seconds; raise OSError when nobody serves it."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE_S)
        line.connect(str(door))
        with line.makefile("rb") as lines:
            for _ in range(MOST_LINES):
                try:
                    told = lines.readline()
                except TimeoutError:
                    return
                if not told:
                    return
                try:
                    yield reader.read(told)
                except WireError:
                    continue  # from another version; the next line may be for us


def _closed(service: str, door: Path, error: OSError) -> Finding:
    remedy = (
        "ask as root: sudo bikebox doctor"
        if isinstance(error, PermissionError)
        else f"systemctl restart bikebox-{service}; journalctl -u bikebox-{service} tells why"
    )
    return bad(service, f"{door}: {explain(error)}", remedy)


def _written(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
