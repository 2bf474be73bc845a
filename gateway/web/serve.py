"""Serves an app on one socket until cancelled, and says at which port."""

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from firmware_app.errors import BadSetting

MOST_AT_ONCE = 256
"""Connections; a gym's boards and technicians are few, and what comes beyond is told to wait."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the service, which has more to close than this."""
        yield


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Open the door; raise BadSetting naming the setting when that is not possible."""
    try:
        return socket.create_server((host, port), backlog=64)
    except OSError as error:
        raise BadSetting(
            f"{setting}: nothing can be served at {host}:{port}: {error.strerror or error};"
            " choose another port (0: any that is free)"
        ) from error


def write_port(port: int, path: Path) -> None:
    """Tell other programs the port, in one line, all at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(f"{port}\n", encoding="ascii")
    fresh.replace(path)


def check_tls(cert_file: str, key_file: str) -> str:
    """Return why nothing can be served with this certificate and key; empty: it can."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert_file, key_file)
    except (OSError, ValueError) as error:
        return f"{cert_file} and its key cannot be used: {error}"
    return ""


async def serve(app: FastAPI, door: socket.socket, tls: tuple[str, str] | None = None) -> None:
    """Serve until cancelled; tls: the files of the certificate and of its key."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=tls is None,
        server_header=False,
        limit_concurrency=MOST_AT_ONCE,
        timeout_graceful_shutdown=1,
        ssl_certfile=tls[0] if tls else None,
        ssl_keyfile=tls[1] if tls else None,
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[door])
    finally:
        door.close()
