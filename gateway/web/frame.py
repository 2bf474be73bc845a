"""The frame of every page we serve: one look, one line of script, nothing from elsewhere.

A page is HTML made here, in Python, and is whole without script; live.js only puts the newest
body in its place.
"""

from collections.abc import Awaitable, Callable
from html import escape
from importlib.resources import files

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

_HERE = files("gateway.web")
_SAFE = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def make_app(title: str, hosts: list[str]) -> FastAPI:
    """Return an app that serves the look, to requests that name one of these hosts.

    Without that check any page in a browser could read us through a name of its own.
    """
    app = FastAPI(title=title, docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)

    @app.middleware("http")
    async def close_doors(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        response = await answer(request)
        for name, value in _SAFE.items():
            response.headers.setdefault(name, value)
        return response

    @app.get("/look.css", include_in_schema=False)
    async def look() -> Response:
        return Response(_HERE.joinpath("look.css").read_bytes(), media_type="text/css")

    @app.get("/live.js", include_in_schema=False)
    async def live() -> Response:
        return Response(_HERE.joinpath("live.js").read_bytes(), media_type="text/javascript")

    return app


def page(title: str, body: str, *, poll: str = "", events: str = "") -> HTMLResponse:
    """Frame a body of safe HTML, renewed each second from poll or at each event of events."""
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/look.css">'
        '<script src="/live.js" defer></script></head>'
        f'<body data-poll="{escape(poll)}" data-events="{escape(events)}">'
        f'<main id="live">{body}</main><p id="away" hidden></p></body></html>'
    )


def not_found(what: str) -> JSONResponse:
    """Answer 404 in one sentence."""
    return JSONResponse({"detail": what}, status_code=404)


def span_text(seconds: float) -> str:
    """Write a time for people: 8 s, 12 min, 3 h 05."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d}"
