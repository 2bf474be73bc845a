"""Where boxes come for their certificates, over HTTP; grants.py decides.

Not behind the board's PIN: a box proves itself by its claim code or its old certificate. Who keeps
being refused must wait.
"""

from collections.abc import Callable

import msgspec
from cryptography import x509
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from msgspec import Struct

from firmware_app.clock import Clock
from firmware_app.errors import BadInput, WireError
from gateway.identity.authority import pem
from gateway.identity.claim import Granted, RenewalAsked, Sealed, seal
from gateway.patience import Patience
from gateway.studio.grants import Grants, Refused
from gateway.topics import unpack
from gateway.web.frame import read_body
from gateway.web.signing_in import source_of, too_often

MOST_REFUSED = 1000
"""In a quarter of an hour: each is written down, so beyond that nobody is answered for a while."""


class Gym(Struct, frozen=True, kw_only=True):
    """What a box is told with its first certificate."""

    name: str
    broker_url: str
    authorities: tuple[x509.Certificate, ...]
    """The issuer, then the root."""


def add_enrolment(app: FastAPI, grants: Grants, gym: Gym, clock: Clock) -> None:
    """Serve both questions."""
    patience = Patience(MOST_REFUSED)

    async def answer(request: Request, grant: Callable[[bytes, str], Response]) -> Response:
        source = source_of(request)
        if wait_s := patience.wait_s(source, clock.monotonic()):
            return too_often(wait_s)
        asked = await read_body(request)
        try:
            granted = grant(asked, source)
        except Refused as no:
            patience.wrong(source, clock.monotonic())
            return JSONResponse({"detail": str(no)}, status_code=403)
        except (BadInput, WireError) as error:
            patience.wrong(source, clock.monotonic())
            return JSONResponse({"detail": str(error)}, status_code=422)
        patience.right(source)
        return granted

    def first(asked: bytes, source: str) -> Response:
        code, box, made = grants.grant(unpack(asked, Sealed), source)
        told = Granted(
            box=box,
            certificate=pem(made),
            chain=pem(*gym.authorities),
            broker_url=gym.broker_url,
            gym=gym.name,
            at_utc=clock.wall().isoformat(timespec="seconds"),
        )
        sealed = msgspec.json.encode(seal(code, "studio", told))
        return Response(sealed, media_type="application/json")

    def following(asked: bytes, source: str) -> Response:
        made = grants.renew(unpack(asked, RenewalAsked), source)
        return PlainTextResponse(pem(made, *gym.authorities[:-1]))

    @app.post("/api/identity/claim", responses={403: {}, 413: {}, 422: {}, 429: {}})
    async def claim(request: Request) -> Response:
        """Give a box its first certificate, for a claim code."""
        return await answer(request, first)

    @app.post("/api/identity/renew", responses={403: {}, 413: {}, 422: {}, 429: {}})
    async def renew(request: Request) -> Response:
        """Give a box its next certificate, for the last one."""
        return await answer(request, following)
