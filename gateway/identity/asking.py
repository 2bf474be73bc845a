"""How a box asks its studio: for a certificate with a claim code, for the next with the last one.

Whoever is at the other end proves who it is: by knowing the code, or by a certificate that the
box's own authorities signed. So the way there need not be trusted, and plain http serves a gym that
has no certificate for its studio's web.
"""

from datetime import datetime
from typing import Any

import httpx
import msgspec
from cryptography import x509
from msgspec import Struct

from firmware_app.errors import BadInput, PartLost
from gateway.identity.claim import Asked, Code, Granted, RenewalAsked, Sealed, is_genuine, seal
from gateway.identity.device import Device

PATIENCE_S = 15.0


def claim(studio: str, code: Code, device: Device) -> tuple[Granted, x509.Certificate]:
    """Turn a claim into this box's certificate; raise BadInput or PartLost with what to do."""
    asked = seal(code, "box", Asked(request=device.ask()))
    answer = _post(studio, "/api/identity/claim", asked)
    try:
        sealed = msgspec.json.decode(answer, type=Sealed)
        genuine = is_genuine(sealed, code, "studio")
        granted = msgspec.json.decode(sealed.body, type=Granted) if genuine else None
    except msgspec.MsgspecError as error:
        raise BadInput(f"{studio}: an answer that is not a studio's ({error})") from error
    if granted is None:
        raise BadInput(
            f"{studio} answers, but does not know this code: somebody is in between, or it is"
            " another gym's studio. Nothing was changed"
        )
    made = device.take(granted.certificate, granted.chain, granted.box)
    device.remember_claim(code.number)
    return granted, made


def renew(studio: str, device: Device) -> x509.Certificate:
    """Get the next certificate for a new key; raise BadInput or PartLost with what to do."""
    old = device.certificate()
    if old is None:
        raise BadInput(f"{device.folder}: no certificate there yet; claim the box first")
    request = device.ask()
    asked = RenewalAsked(
        serial=f"{old.serial_number:x}", request=request, signature=device.sign(request)
    )
    answer = _post(studio, "/api/identity/renew", asked).decode("ascii", "replace")
    box = old.subject.rfc4514_string().removeprefix("CN=")
    return device.take(answer, f"{_after_the_first(answer)}{device.root()}", box)


def clock_is_off(granted: Granted, now: datetime) -> str:
    """Return a warning when this box's clock is far from the studio's; empty: it is not."""
    try:
        apart = (now - datetime.fromisoformat(granted.at_utc)).total_seconds()
    except (ValueError, TypeError):
        return ""
    if abs(apart) < 3600:
        return ""
    which = "ahead of" if apart > 0 else "behind"
    return (
        f"this box's clock is {abs(apart) / 3600:.0f} h {which} the studio's; beyond a day it"
        " cannot trust the broker: timedatectl tells"
    )


def _post(studio: str, path: str, body: Struct) -> bytes:
    url = studio.rstrip("/") + path
    try:
        answer = httpx.post(
            url,
            content=msgspec.json.encode(body),
            headers={"Content-Type": "application/json"},
            timeout=PATIENCE_S,
            trust_env=False,
            verify=False,  # noqa: S501 - what it says is proven by its seal or its signature
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise PartLost(
            f"no studio at {studio}: {error or type(error).__name__}; is it running, is the address"
            " right, and is the network there?"
        ) from error
    if answer.status_code == 200:
        return answer.content
    raise BadInput(f"{studio} refuses: {_words(answer)}")


def _after_the_first(certificates: str) -> str:
    """Return the issuers that came with a certificate: the issuer may be another by now."""
    end = "-----END CERTIFICATE-----\n"
    return certificates.partition(end)[2]


def _words(answer: httpx.Response) -> str:
    try:
        told: Any = answer.json()
        return str(told["detail"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.status_code} from something that is not a studio"
