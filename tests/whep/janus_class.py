"""Janus with a WHEP server in front: installed by a lock, configured and started."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.whep.island import Island, need

HERE = Path(__file__).parent / "janus"
PATH = ":17090/whep/endpoint/class42"
VIDEO_PORT, AUDIO_PORT = 15004, 15002


def start_janus(island: Island, folder: Path) -> None:
    """Start both; the class is at PATH once a teacher sends RTP to the two ports on loopback."""
    if shutil.which("janus") is None and _codename() != "bookworm":
        pytest.skip("this Debian has no Janus")
    janus, node, front = need("janus", "janus"), need("node", "nodejs npm"), _front()
    settings = folder / "janus"
    _write_settings(settings)
    island.start("janus", [janus, "-F", str(settings), "-o"])
    island.wait_for("janus", "WebSockets thread started")
    island.start("front", [node, str(front / "server.js")])
    island.wait_for("front", "READY")


def _codename() -> str:
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def _front() -> Path:
    """Install the WHEP server in front of Janus, once, by its lock."""
    home = Path(".cache/janus-whep").absolute()
    home.mkdir(parents=True, exist_ok=True)
    lock = HERE / "package-lock.json"
    done = home / "node_modules" / ".installed"
    shutil.copytree(HERE, home, dirs_exist_ok=True)
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        words = [
            *(need("npm", "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
            "--omit=optional",
        ]
        made = subprocess.run(
            words, cwd=home, check=False, capture_output=True, text=True, timeout=240
        )
        if made.returncode:
            pytest.fail(f"npm could not install janus-whep-server: {made.stderr[-1500:]}")
        done.write_bytes(lock.read_bytes())
    return home


def _write_settings(folder: Path) -> None:
    """Copy Janus' settings to a folder, with its places filled in."""
    plugins = next(Path("/usr/lib").glob("*/janus/plugins"), None)
    if plugins is None:
        pytest.fail("Janus has no plugins: apt-get install -y --no-install-recommends janus")
    folder.mkdir()
    for settings in HERE.glob("*.jcfg"):
        text = settings.read_text().replace("@HERE@", str(folder))
        (folder / settings.name).write_text(text.replace("@JANUS@", str(plugins.parent)))
