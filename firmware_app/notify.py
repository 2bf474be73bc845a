"""Tells systemd that a service is ready, alive or stopping; silent where there is no systemd.

The watchdog must be fed by real progress only (a frame seen, a tick taken), never by a timer of
its own: a timer stays alive in a process that has stopped working.
"""

import os
import socket


def notify(state: str) -> None:
    """Send one sd_notify(3) datagram, for example "READY=1", "WATCHDOG=1" or "STATUS=...".

    Does nothing when NOTIFY_SOCKET is not set; a socket that has gone away is not our trouble.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        try:
            door.sendto(state.encode(), address)
        except OSError:
            return
