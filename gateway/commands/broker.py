"""Run the demo's own MQTT broker: small, forgetful, on this machine only.

For the demo and for trying things out. A gym runs mosquitto or NATS; anybody who can reach this
one may read and write everything, so it serves loopback addresses and no others.
"""

import argparse
import asyncio
import importlib
import ipaddress
import logging
import warnings
from pathlib import Path

from firmware_app.errors import BadInput, MissingPart
from firmware_app.notify import notify
from firmware_app.running import run_until_stopped
from gateway.web.serve import bind, write_port


def arguments(parser: argparse.ArgumentParser) -> None:
    """Take the address to serve."""
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free (default)")
    parser.add_argument("--port-file", type=Path, metavar="FILE", help="write the port here")


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    try:
        loopback = ipaddress.ip_address(args.host).is_loopback
    except ValueError:
        loopback = args.host == "localhost"
    if not loopback:
        raise BadInput(
            f"--host {args.host}: this broker asks nobody for a password, so it serves 127.0.0.1"
            " only; for a network run mosquitto"
        )
    asyncio.run(run_until_stopped(_serve(args.host, args.port, args.port_file)))
    return 0


async def _serve(host: str, port: int, port_file: Path | None) -> None:
    try:
        amqtt = importlib.import_module("amqtt.broker")  # only the demo brings it
    except ImportError as error:
        raise MissingPart(
            'the demo\'s broker is not installed; try: pip install "bikebox[demo]",'
            " or name a real one with --broker"
        ) from error
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # it shouts when a client just goes
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    door = bind(host, port, "--port")  # the broker cannot say which port it was given
    number = door.getsockname()[1]
    door.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, about its own settings
        broker = amqtt.Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{host}:{number}"}},
                "plugins": {
                    "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
                },
            }
        )
    await broker.start()
    if port_file is not None:
        write_port(number, port_file)
    notify("READY=1")
    try:
        await asyncio.Event().wait()
    finally:
        await broker.shutdown()
