"""Lets WebRTC meet on this machine: adds 127.0.0.1 to the addresses that ICE offers.

ICE leaves loopback out (RFC 8445 section 5.1.1.1), and aioice does too. Where the class and the
player share one machine, as in the demo, it is the only address that is certain to be there: with
no cable and no Wi-Fi there is no other.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

import aioice.ice

LOOPBACK = "127.0.0.1"

_host_addresses = aioice.ice.get_host_addresses


def offer_loopback() -> None:
    """Let every ICE connection of this process offer 127.0.0.1 first; may be called twice."""
    aioice.ice.get_host_addresses = _with_loopback


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def meets_on_loopback(url: str) -> bool:
    """Tell whether a URL's server runs on this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def _with_loopback(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    return [LOOPBACK, *_host_addresses(use_ipv4, use_ipv6)]
