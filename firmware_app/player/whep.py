"""What a class server's answer means: the decisions of a WHEP client, without a network.

    POST offer     201 answer + Location                 Answered: play
                   406 offer + Location                  Countered: PATCH our answer there
                   404 409 429 5xx, Retry-After          NoClass waiting: nobody teaches yet
                   401 403                               NoClass refused: a technician must act
                   anything else                         NoClass with what was seen

draft-ietf-wish-whep-04. Servers use the codes loosely (MediaMTX says 404 where the draft says
409), so whole classes of codes mean one thing here.
"""

import random
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

REFUSED_WAIT_S = 30.0
"""A wrong token does not mend itself; asking more often only fills the server's log."""
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8.0
AT_ONCE_S = 0.15
"""After a visit that played: only so that a gym's bikes do not come in one moment."""
UNREACHABLE_WAIT_S = 0.2
"""The rider sees the class again within two seconds of the network's return."""
LONGEST_RETRY_AFTER_S = 60.0
"""A server that asks for more is not believed: the class may start any moment."""
REDIRECTS = (307, 308)
"""The only ones a POST may follow with its body (section 4.1)."""

SDP = "application/sdp"


class IceServer(Struct, frozen=True):
    """A STUN or TURN server the class server recommends."""

    url: str
    username: str = ""
    credential: str = ""


class Answered(Struct, frozen=True):
    """The server took our offer."""

    sdp: str
    session: str
    """Address to PATCH and DELETE; empty when the server gave none."""
    ice_servers: tuple[IceServer, ...] = ()


class Countered(Struct, frozen=True):
    """The server makes an offer of its own; the answer goes to the session's address."""

    sdp: str
    session: str
    ice_servers: tuple[IceServer, ...] = ()


class Redirected(Struct, frozen=True):
    """Ask there instead."""

    url: str


class NoClass(Struct, frozen=True):
    """There is nothing to play now."""

    state: Literal["connecting", "waiting", "refused"]
    """As in wire.PlayerState."""
    why: str
    retry_after_s: float | None = None
    """What the server asked for, bounded."""
    unreachable: bool = False
    """Nobody answered: knocking again costs nobody anything."""


Outcome = Answered | Countered | Redirected | NoClass


def understand(status: int, headers: Mapping[str, str], body: bytes, url: str) -> Outcome:
    """Tell what the answer to a POST means; headers' names are lower case, url the one asked."""
    where = place(url)
    if status in REDIRECTS:
        if "location" in headers:
            return Redirected(urljoin(url, headers["location"]))
        return NoClass("connecting", f"{where} redirects ({status}) but does not say where to")
    if 300 <= status < 400:
        return NoClass("refused", f"{where} redirects by {status}; a class may only by 307 or 308")
    if 200 <= status < 300 or status == 406:  # some say 200 where the draft says 201
        sdp = _sdp(body)
        if sdp is not None:
            return _session(status, sdp, headers, url)
    if 200 <= status < 300:
        return NoClass("connecting", f"{where} does not speak WHEP: {status}, {_glance(body)}")
    return _rejected(status, headers, where)


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port: the token goes to no other."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def tellable(url: str) -> str:
    """Return an address as it may stand on a screen: without a password in it."""
    return re.sub(r"//[^/@]*@", "//", url)


def place(url: str) -> str:
    """Return host and port, as they may stand on a screen."""
    return urlsplit(tellable(url)).netloc


def address_fault(url: str) -> str:
    """Return what is wrong with a class's address, in words, or nothing."""
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if right:
        return ""
    return f"whep_url {tellable(url)!r} is not an address; it looks like https://host/whep/class"


def wait_s(failures: int, said: NoClass, chance: float | None = None) -> float:
    """Return how long to wait before the next POST.

    failures counts the visits without a picture; chance in 0..1 spreads the bikes of a gym over
    half to one and a half times the wait, so that they do not all come at once; None draws one.
    """
    if chance is None:
        chance = random.random()  # noqa: S311 - no secret
    if failures == 0:
        wait = AT_ONCE_S
    elif said.state == "refused":
        wait = REFUSED_WAIT_S
    elif said.unreachable:
        wait = UNREACHABLE_WAIT_S
    else:
        wait = min(FIRST_WAIT_S * 2 ** min(failures - 1, 10), LONGEST_WAIT_S)
    wait *= 0.5 + chance
    return wait if said.retry_after_s is None else max(wait, said.retry_after_s + chance)


def ice_servers(link: str) -> tuple[IceServer, ...]:
    """Read the ice-server entries of a Link header; what cannot be read is left out.

    Several Link headers come joined by commas. Seen in the field: no quotes, rel as a list, and
    URLs without the stun: scheme (left out, they say too little).
    """
    found = []
    for target, parameters in re.findall(r"<([^>]*)>((?:\"[^\"]*\"|[^,<])*)", link):
        said = {
            name.lower(): (quoted or plain).strip()
            for name, quoted, plain in re.findall(
                r";\s*([\w-]+)\s*=\s*(?:\"([^\"]*)\"|([^;,\"]*))", parameters
            )
        }
        if "ice-server" not in said.get("rel", "").lower().split():
            continue
        if is_ice_server(target):
            found.append(IceServer(target, said.get("username", ""), said.get("credential", "")))
    return tuple(found)


def is_ice_server(url: str) -> bool:
    """Tell whether an address names a STUN or TURN server (RFC 7064, RFC 7065)."""
    return bool(re.fullmatch(r"(stun|turns?):[\w.-]+(:\d{1,5})?(\?transport=(udp|tcp))?", url))


def _session(status: int, sdp: str, headers: Mapping[str, str], url: str) -> Outcome:
    where = place(url)
    location = headers.get("location", "")
    session = urljoin(url, location) if location else ""
    servers = ice_servers(headers.get("link", ""))
    if status == 406:
        if not session:
            return NoClass("connecting", f"{where} makes an offer but gives no Location to answer")
        return Countered(sdp, session, servers)
    # an answer has chosen its DTLS side; Janus 1.1.2 is known to send its offer with a 201
    if re.search(r"^a=setup:actpass", sdp, re.MULTILINE):
        return NoClass(
            "connecting", f"{where} answered our offer with an offer of its own (201, not 406)"
        )
    return Answered(sdp, session, servers)


def _rejected(status: int, headers: Mapping[str, str], where: str) -> NoClass:
    after_s = _retry_after_s(headers.get("retry-after", ""), headers.get("date", ""))
    if status == 401:
        return NoClass("refused", f"{where} does not take our token (401); set whep_token_file")
    if status == 403:
        return NoClass("refused", f"{where} does not let this bike in (403); check its token")
    if status in (404, 409):
        return NoClass("waiting", f"the class has not started ({status} from {where})", after_s)
    if status in (408, 425, 429) or status >= 500:
        return NoClass("waiting", f"{where} cannot serve the class now ({status})", after_s)
    return NoClass("refused", f"{where} does not take this player's offer ({status})", after_s)


def _sdp(body: bytes) -> str | None:
    try:
        text = body.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError:
        return None
    return text if text.startswith("v=0") and "\nm=" in text else None


def _retry_after_s(said: str, date: str) -> float | None:
    """Read a Retry-After: seconds, or a moment of the server's clock, which its Date tells too."""
    if re.fullmatch(r"\s*\d{1,9}\s*", said):
        return min(float(said), LONGEST_RETRY_AFTER_S)
    try:
        wait = parsedate_to_datetime(said) - parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError):  # TypeError: one of the two has no time zone
        return None
    return min(max(wait.total_seconds(), 0.0), LONGEST_RETRY_AFTER_S)


def _glance(body: bytes) -> str:
    """Say in a few words what a body holds that should have been SDP."""
    if not body.strip():
        return "an empty answer"
    text = body[:200].decode("utf-8", "replace").strip()
    if re.match(r"<(!doctype|html)", text, re.IGNORECASE):
        return "a web page"
    return f"an answer that begins {text[:24]!r}"
