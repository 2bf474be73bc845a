"""The servers that the box needs: can they be reached from where it stands."""

import socket
import ssl
from urllib.parse import urlsplit

from firmware_app.doctor.finding import Finding, bad, explain, ok, unused
from firmware_app.settings import Settings

PATIENCE_S = 3.0
PORTS = {"mqtt": 1883, "mqtts": 8883, "http": 80, "https": 443}
ENCRYPTED = ("mqtts", "https")


def look_at_broker(settings: Settings) -> Finding:
    """Tell whether the broker can be reached from here."""
    mqtt = settings.mqtt
    if not mqtt.url:
        return unused("broker", "none in [mqtt] url: rides stay on this box")
    return _look_at_address("broker", mqtt.url, mqtt.ca_file, "[mqtt] url", "[mqtt] ca_file")


def look_at_class(settings: Settings) -> Finding:
    """Tell whether the class's server can be reached from here."""
    player = settings.player
    if not player.whep_url:
        return unused("class", "none in [player] whep_url: a ride without a class")
    return _look_at_address(
        "class", player.whep_url, player.whep_ca_file, "[player] whep_url", "[player] whep_ca_file"
    )


def _look_at_address(part: str, url: str, ca_file: str, key: str, ca_key: str) -> Finding:
    try:
        address = urlsplit(url)
        scheme, host = address.scheme, address.hostname or ""
        port = address.port or PORTS[scheme]
    except (KeyError, ValueError):
        scheme, host, port = "", "", 0
    if not host:
        return bad(part, f'{key} = "{url}" is no address', "config/bikebox.toml shows one")
    try:
        with socket.create_connection((host, port), PATIENCE_S) as line:
            if scheme in ENCRYPTED:
                trust = ssl.create_default_context(cafile=ca_file or None)
                trust.wrap_socket(line, server_hostname=host).close()
    except ssl.SSLError as error:
        seen = f"{host}:{port}: {error.reason or error}"
        return bad(part, seen, f"is the clock right? A private authority goes into {ca_key}")
    except OSError as error:
        seen = f"{host}:{port}: {explain(error)}"
        return bad(part, seen, f"is the network there, is {key} right, does the server run?")
    return ok(part, f"{host}:{port} answers")
