"""The way ICE found between this bike and the class server: does it still carry, is it still ours.

aiortc tells a broken way after thirty seconds (RFC 7675's consent, six times five seconds); a rider
is not to wait that long when the server was restarted or the bike has got another address.
"""

from typing import Any

import aioice.ice
from aioice.stun import TransactionError
from aiortc import RTCPeerConnection


async def carries(peer: RTCPeerConnection) -> bool:
    """Ask the server by STUN over every chosen pair, once; True where there is none yet."""
    connection = _connection(peer)
    if connection is None or connection.remote_password is None:
        return True
    key = connection.remote_password.encode()
    for pair in list(connection._nominated.values()):  # noqa: SLF001 - aioice has no public way
        ask = connection.build_request(pair, nominate=False)
        try:
            await pair.protocol.request(ask, pair.remote_addr, integrity_key=key, retransmissions=0)
        except (TransactionError, OSError, AttributeError):  # AttributeError: its socket is closed
            return False
    return True


def is_ours(peer: RTCPeerConnection) -> bool:
    """Tell whether this machine still has the address that the way begins at."""
    connection = _connection(peer)
    if connection is None:
        return True
    ours = aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=True)
    begins = [pair.local_candidate for pair in connection._nominated.values()]  # noqa: SLF001
    hosts = {one.related_address or one.host for one in begins if one.type != "relay"}
    return all(host in ours for host in hosts)


def _connection(peer: RTCPeerConnection) -> Any:
    """Return aioice's connection under a bundled peer connection; None before there is one."""
    for receiver in peer.getReceivers():
        if receiver.transport is not None:
            return receiver.transport.transport._connection  # noqa: SLF001 - as above
    return None
