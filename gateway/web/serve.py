"""Serves an app on one socket until cancelled, and says at which port."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from firmware_app.errors import BadSetting


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


async def serve(app: FastAPI, door: socket.socket) -> None:
    """Serve until cancelled."""
    config = uvicorn.Config(
        app, lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[door])
    finally:
        door.close()
