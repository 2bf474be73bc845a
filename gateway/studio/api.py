"""The studio's pages and API: the instructor's board, a class in counts, the rides as stored."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any, Protocol
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)

from firmware_app.errors import PartLost
from gateway.access import Person
from gateway.studio.archive import RideStored
from gateway.studio.bikes_api import bikes_routes
from gateway.studio.board import MOST_PARTS, sentence
from gateway.studio.room import Counts
from gateway.studio.yard import Yard
from gateway.web.frame import make_app, not_found, page
from gateway.web.signing_in import REFUSALS, Door, add_door

STILL_S = 1.0
"""The board is sent this often although nothing changed: the page knows that it is not old."""


class Studio(Protocol):
    """What the API asks of the service; called in its thread."""

    yard: Yard

    def board(self, only: str = "") -> str:
        """Return the board's body: of one class, or of all."""
        ...

    def watching(self) -> AbstractContextManager[Callable[[], asyncio.Event]]:
        """Give what tells when the board may have changed after now."""
        ...

    def count(self, class_id: str) -> Counts:
        """Return one class in counts."""
        ...

    def rides(self) -> Sequence[RideStored]:
        """Return the newest rides, newest first."""
        ...

    def ride(self, box: str, ride: str) -> RideStored | None:
        """Return one ride."""
        ...

    def health(self) -> dict[str, Any]:
        """Return how the studio is doing; ok is among it."""
        ...


def make_studio_api(studio: Studio, hosts: list[str], door: Door | None = None) -> FastAPI:
    """Return the app that answers for this studio; door: who may see the class and the rides."""
    app = make_app("Bikebox studio", hosts, tls=door is not None and door.tls)
    if door:
        add_door(app, door)
    who = door.guard() if door else _whoever
    for routes in (_told_inside(studio), bikes_routes(studio.yard, who)):
        app.include_router(
            routes, dependencies=[Depends(who)], responses=REFUSALS if door else None
        )

    @app.exception_handler(PartLost)
    async def away(_request: Request, lost: PartLost) -> Response:
        return JSONResponse({"detail": str(lost)}, status_code=503)

    @app.get("/health")
    async def health() -> Any:
        """Tell whether the broker is there and how much is stored."""
        return studio.health()

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """Tell Prometheus."""
        return PlainTextResponse(_metrics(studio), media_type="text/plain; version=0.0.4")

    return app


async def _whoever(_request: Request) -> Person:
    """Let in who is on this machine, when nothing says who may look."""
    return Person("", "gym")


def _told_inside(studio: Studio) -> APIRouter:
    """Return what tells of the class and of riders."""
    routes = APIRouter()

    @routes.get("/", include_in_schema=False)
    async def whole_board(only: Annotated[str, Query(alias="class")] = "") -> HTMLResponse:
        events = f"/events?class={quote(only)}" if only else "/events"
        foot = '<a href="/bikes">Bikes</a>'
        return page("Class", studio.board(only), events=events, foot=foot)

    @routes.get("/events", include_in_schema=False)
    async def events(only: Annotated[str, Query(alias="class")] = "") -> StreamingResponse:
        return StreamingResponse(_boards(studio, only), media_type="text/event-stream")

    @routes.get("/api/class/{class_id}")
    async def one_class(class_id: str) -> Any:
        """Tell a class in counts; all zero when nobody rides in it."""
        counts = studio.count(class_id)
        told: dict[str, Any] = msgspec.to_builtins(counts.aggregate())
        most = list(counts.parts.items())[:MOST_PARTS]
        parts = {part: n for part, n in most if not counts.few(n)}
        return {**told, "parts": parts, "sentence": sentence(counts)}

    @routes.get("/api/rides")
    async def rides() -> Any:
        """Tell the newest two hundred rides, newest first."""
        return [_ride(stored) for stored in studio.rides()]

    @routes.get("/api/rides/{box}/{ride}", responses={404: {}})
    async def one_ride(box: str, ride: str) -> Any:
        """Tell one ride's summary as it is stored."""
        stored = studio.ride(box, ride)
        if stored is None:
            return not_found(f"no ride {ride} of {box} is stored here; see /api/rides")
        return _ride(stored)

    return routes


def _metrics(studio: Studio) -> str:
    health = studio.health()
    gauges = (
        ("records", "gauge", "Records of all boxes that are stored.", health["records"]),
        ("rides", "gauge", "Rides that are stored.", health["rides"]),
        ("unreadable_total", "counter", "Records that nobody can read.", health["unreadable"]),
        ("dropped_total", "counter", "Other messages that nobody can read.", health["dropped"]),
        ("riders", "gauge", "Riders in all classes now.", health["riders"]),
        ("bikes_online", "gauge", "Bikes that say that they are there.", health["bikes_online"]),
        ("bikes_wrong", "gauge", "Of these, with something wrong.", health["bikes_wrong"]),
        (
            "boxes_confirmed_elsewhere",
            "gauge",
            "Boxes of which records were confirmed and are not here.",
            health["elsewhere"],
        ),
        ("broker_ok", "gauge", "Is the broker there.", int(health["broker"] == "ok")),
        ("database_ok", "gauge", "Is the database there.", int(health["database"] == "ok")),
    )
    return "".join(
        f"# HELP bikebox_studio_{name} {words}\n# TYPE bikebox_studio_{name} {kind}\n"
        f"bikebox_studio_{name} {value}\n"
        for name, kind, words, value in gauges
    )


async def _boards(studio: Studio, only: str = "") -> AsyncIterator[str]:
    with studio.watching() as next_change:
        while True:
            change = next_change()
            yield f"data: {studio.board(only)}\n\n"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STILL_S):
                    await change.wait()


def _ride(stored: RideStored) -> dict[str, Any]:
    return {**stored.summary, "confirmed": True, "confirmed_utc": stored.stored_utc}
