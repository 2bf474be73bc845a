"""The frame of every page we serve: one look, one line of script, nothing from elsewhere.

A page is HTML made here, in Python, and is whole without script; live.js only puts the newest
body in its place.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from html import escape
from importlib.resources import files
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.requests import ClientDisconnect

_HERE = files("gateway.web")
_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
_TLS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
LONGEST_BODY_BYTES = 16 * 1024
"""Of what is sent to us: a form, or a box's request for a certificate."""

BODY_S = 10.0


class TooLong(Exception):  # noqa: N818 - reads as what it is where it is raised
    """What was sent is longer than anything we ask for."""


def make_app(title: str, hosts: Iterable[str], *, tls: bool = False) -> FastAPI:
    """Return an app that serves the look to requests that name one of these hosts, or an address.

    Without that check any page in a browser could read us through a name of its own (a name that
    it points at us); an address cannot be pointed elsewhere.
    """
    app = FastAPI(title=title, docs_url=None, redoc_url=None)
    known = frozenset(host.lower() for host in hosts)

    @app.middleware("http")
    async def close_doors(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        if not _is_known(request.headers.get("host", ""), known):
            response: Response = PlainTextResponse("Not a name of this machine.", status_code=400)
        elif request.method not in ("GET", "HEAD") and not _is_from_here(request):
            response = PlainTextResponse("Sent by another site's page.", status_code=403)
        else:
            response = await answer(request)
        for name, value in (_SAFE | _TLS_ONLY if tls else _SAFE).items():
            response.headers.setdefault(name, value)
        return response

    @app.exception_handler(TooLong)
    async def too_long(_request: Request, _error: Exception) -> Response:
        return JSONResponse({"detail": "longer than anything asked for here"}, status_code=413)

    @app.get("/look.css", include_in_schema=False)
    async def look() -> Response:
        return Response(_HERE.joinpath("look.css").read_bytes(), media_type="text/css")

    @app.get("/live.js", include_in_schema=False)
    async def live() -> Response:
        return Response(_HERE.joinpath("live.js").read_bytes(), media_type="text/javascript")

    return app


def page(
    title: str, body: str, *, poll: str = "", events: str = "", foot: str = ""
) -> HTMLResponse:
    """Frame a body of safe HTML, renewed each second from poll or at each event of events.

    foot: more of it, which stays as it is.
    """
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/look.css">'
        '<script src="/live.js" defer></script></head>'
        f'<body data-poll="{escape(poll)}" data-events="{escape(events)}">'
        f'<main id="live">{body}</main>{f"<footer>{foot}</footer>" if foot else ""}'
        '<p id="away" hidden></p></body></html>'
    )


def not_found(what: str) -> JSONResponse:
    """Answer 404 in one sentence."""
    return JSONResponse({"detail": what}, status_code=404)


async def read_body(request: Request) -> bytes:
    """Return what was sent; raise TooLong when it is longer, or takes longer, than what we ask."""
    body = b""
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                body += part
                if len(body) > LONGEST_BODY_BYTES:
                    raise TooLong
    except (ClientDisconnect, TimeoutError) as error:
        raise TooLong from error  # nobody is there to read the answer, or nobody in earnest
    return body


async def read_form(request: Request) -> dict[str, str]:
    """Return a form's fields, the last of a name; raise TooLong."""
    text = (await read_body(request)).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, max_num_fields=20))
    except ValueError:
        return {}


def span_text(seconds: float) -> str:
    """Write a time for people: 8 s, 12 min, 3 h 05."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d}"


def _is_known(host: str, known: frozenset[str]) -> bool:
    name = _host_of(f"//{host}")
    if name in known:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_from_here(request: Request) -> bool:
    """Tell whether a request that changes something comes from our own page, or from no browser.

    Browsers tell where a request comes from in Sec-Fetch-Site or at least in Origin, and no page
    can change that; who sends neither is a program, and has no cookie that it did not mean to send.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
