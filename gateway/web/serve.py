"""Serves an app on one socket until cancelled, and says at which port."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from firmware_app.errors import BadSetting

MOST_AT_ONCE, MOST_OF_ONE = 256, 32
"""Connections from the network, of all and of one address: who holds many open holds up nobody."""
HEAD_S = 10.0
"""Who connects and asks nothing is hung up on."""


class _Prompt(H11Protocol):
    """One connection; hangs up on who only holds it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        if self._too_many():
            transport.abort()
        else:
            self.loop.call_later(HEAD_S, self._hang_up)

    def _too_many(self) -> bool:
        if self.client is None or ipaddress.ip_address(self.client[0]).is_loopback:
            return False
        others = [
            one.client[0]
            for one in self.connections
            if isinstance(one, _Prompt) and one.client is not None
        ]
        return len(others) > MOST_AT_ONCE or others.count(self.client[0]) > MOST_OF_ONE

    def _hang_up(self) -> None:
        if self.cycle is None:
            self.transport.abort()


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
        http=_Prompt,
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=tls is None,
        server_header=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=tls[0] if tls else None,
        ssl_keyfile=tls[1] if tls else None,
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[door])
    finally:
        door.close()
