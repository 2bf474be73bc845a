"""Serves the demo's class by WHEP until it is stopped.

The class is made on first use (a few seconds) and kept in the cache. --media takes any file with
H.264 without B-frames, a key frame at least every second, and Opus. The address is printed, and
written to --port-file once the class can be joined.
"""

import argparse
import asyncio
import signal
import socket
from pathlib import Path
from types import FrameType

import uvicorn

from firmware_app.clock import MachineClock
from firmware_app.errors import BadInput
from firmware_app.notify import notify
from firmware_app.player.loopback import is_loopback, offer_loopback
from firmware_app.settings import checkout_cache
from firmware_app.sim.class_loop import ClassLoop
from firmware_app.sim.class_media import make_class
from firmware_app.sim.class_server import WHEP_PATH, ClassServer


def arguments(parser: argparse.ArgumentParser) -> None:
    """Say where to serve, and what."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--token", default="", help="Bearer token a viewer must show")
    parser.add_argument("--media", type=Path, help="another class than the demo's")
    parser.add_argument(
        "--cache", type=Path, default=checkout_cache("class"), help="where it is kept"
    )
    parser.add_argument("--port-file", type=Path, help="gets the port number when ready")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    media: Path = args.media or make_class(args.cache)
    if is_loopback(args.host):
        offer_loopback()
    door = _listen(args.host, args.port)
    server = ClassServer(ClassLoop(media, MachineClock()), args.token)
    config = uvicorn.Config(
        server.app(), log_config=None, access_log=False, timeout_graceful_shutdown=2
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stopped)
    _announce(door, args.port_file)
    asyncio.run(uvicorn.Server(config).serve(sockets=[door]))
    return 0


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        raise BadInput(f"cannot listen on {host}:{port}: {error}; choose another port") from error


def _announce(door: socket.socket, port_file: Path | None) -> None:
    """Tell where the class is; the door already lets viewers queue."""
    host, port = door.getsockname()[:2]
    print(f"The class is at http://{host}:{port}{WHEP_PATH}", flush=True)  # noqa: T201 - for people
    if port_file is not None:
        half = port_file.with_suffix(".half")
        half.write_text(f"{port}\n", encoding="utf-8")
        half.rename(port_file)
    notify("READY=1")


def _stopped(_number: int, _frame: FrameType | None) -> None:
    """Let pass the signal that uvicorn raises once more when it is done."""
