"""Lets a box join a wireless network: a file for NetworkManager, which Raspberry Pi OS runs."""

import os
import subprocess
from pathlib import Path

from firmware_app.errors import MissingPart
from gateway.identity.shown import Wifi

FILE = Path("/etc/NetworkManager/system-connections/bikebox.nmconnection")
RELOAD = (("rfkill", "unblock", "wifi"), ("nmcli", "connection", "reload"),
          ("nmcli", "connection", "up", "bikebox"))  # fmt: skip


def connection(wifi: Wifi) -> str:
    """Return the file; the name as numbers, for it may hold any byte."""
    name = "".join(f"{byte};" for byte in wifi.name.encode())
    lines = [
        "[connection]", "id=bikebox", "type=wifi", "autoconnect=true", "",
        "[wifi]", "mode=infrastructure", f"ssid={name}", *["hidden=true"] * wifi.hidden, "",
    ]  # fmt: skip
    if wifi.key_management:
        lines += [
            "[wifi-security]",
            f"key-mgmt={wifi.key_management}",
            f"psk={_escaped(wifi.password)}",
            "",
        ]
    return "\n".join([*lines, "[ipv4]", "method=auto", "", "[ipv6]", "method=auto", ""])


def join(wifi: Wifi, file: Path = FILE) -> None:
    """Write it for root alone, and let NetworkManager use it; raise MissingPart."""
    if not file.parent.is_dir():
        raise MissingPart(f"{file.parent}: not there; this system has no NetworkManager")
    fresh = file.with_name(f".{file.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(connection(wifi))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    for words in RELOAD:
        try:
            subprocess.run(words, check=False, capture_output=True, timeout=60)  # noqa: S603 - fixed words
        except (OSError, subprocess.TimeoutExpired):
            continue  # the next start reads the file


def _escaped(value: str) -> str:
    """Write a value as GLib's key files do."""
    text = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return "\\s" * (len(text) - len(text.lstrip(" "))) + text.lstrip(" ")
