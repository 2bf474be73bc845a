"""The box's local API: health, rides, the live state, metrics and the console.

Read only: what changes a box comes by file or by the studio's commands. On loopback it is open to
who is on this machine, which takes SSH; on the network, lan.py puts a door before what names
riders.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, PlainTextResponse, Response

from firmware_app.errors import BadInput
from firmware_app.wire import Live, ToGateway
from gateway.export.fit import fit_of
from gateway.export.health import health_of
from gateway.export.track import track_of
from gateway.rides import RideRow
from gateway.web.console import Health, console
from gateway.web.frame import make_app, not_found, page
from gateway.web.metrics import metrics

FIT = "application/vnd.ant.fit"
HOSTS = ["127.0.0.1", "localhost", "[::1]"]


class Teller(Protocol):
    """Who knows what a ride told."""

    def told(self, ride: str) -> Sequence[ToGateway]:
        """Return all that a ride told; empty when it is not there."""
        ...


class Box(Teller, Protocol):
    """What the API asks of the service; called in its thread."""

    def health(self) -> Health:
        """Return how the box is doing."""
        ...

    def live(self) -> Live | None:
        """Return the newest live word of the ride; None when nobody rides."""
        ...

    def rides(self) -> Sequence[RideRow]:
        """Return the newest rides, newest first."""
        ...

    def ride(self, ride: str) -> RideRow | None:
        """Return one ride."""
        ...


def make_api(box: Box) -> FastAPI:
    """Return the app that answers for this box on loopback."""
    app = make_app("Bikebox", HOSTS)
    app.include_router(told_to_everybody(box))
    app.include_router(told_inside(box))

    @app.get("/", include_in_schema=False)
    async def whole_console() -> HTMLResponse:
        return page("Bikebox", console_of(box), poll="/console")

    return app


def console_of(box: Box) -> str:
    """Return the console's body as it is now."""
    return console(box.health(), box.rides(), box.live())


def told_to_everybody(box: Box) -> APIRouter:
    """Return what says how the box is, and names nobody."""
    routes = APIRouter()

    @routes.get("/health")
    async def health() -> Any:
        """Tell each part, what waits for the studio, and since when."""
        return msgspec.to_builtins(box.health())

    @routes.get("/metrics", response_class=PlainTextResponse)
    async def prometheus() -> Response:
        """Tell Prometheus."""
        return PlainTextResponse(metrics(box.health()), media_type="text/plain; version=0.0.4")

    return routes


def told_inside(box: Box) -> APIRouter:
    """Return what tells of riders."""
    routes = APIRouter()

    @routes.get("/console", include_in_schema=False)
    async def newest_console() -> HTMLResponse:
        return HTMLResponse(console_of(box))

    @routes.get("/api/rides")
    async def rides() -> Any:
        """Tell the newest fifty rides, newest first."""
        return [_ride(row) for row in box.rides()]

    @routes.get("/api/rides/{ride}", responses={404: {}})
    async def one_ride(ride: str) -> Any:
        """Tell one ride; it is added up as it goes."""
        row = box.ride(ride)
        return not_found(f"no ride is called {ride}; see /api/rides") if row is None else _ride(row)

    @routes.get(
        "/api/rides/{ride}/ride.fit",
        response_class=Response,
        responses={200: {"content": {FIT: {}}}, 404: {"content": {"application/json": {}}}},
    )
    async def ride_as_fit(ride: str) -> Any:
        """Give one ride as a FIT activity, for Strava, Garmin Connect and the like."""
        return fit_file(box, ride)

    @routes.get("/api/rides/{ride}/health.json", responses={404: {}})
    async def ride_as_workout(ride: str) -> Any:
        """Give one ride as a workout, for what keeps health records on a phone."""
        return health_file(box, ride)

    @routes.get("/api/live")
    async def live() -> Any:
        """Tell how the rider sits now; live is null when nobody rides."""
        newest = box.live()
        return {"live": msgspec.to_builtins(newest) if newest else None}

    return routes


def fit_file(box: Teller, ride: str) -> Response:
    """Return a ride as a file to download, or why not."""
    if not (told := box.told(ride)):
        return not_found(f"no ride is called {ride}; see /api/rides")
    try:
        content = fit_of(track_of(told))
    except BadInput as error:
        return not_found(str(error))
    return _file(content, FIT, "ride.fit")


def health_file(box: Teller, ride: str) -> Response:
    """Return a ride as a workout to download, or why not."""
    if not (told := box.told(ride)):
        return not_found(f"no ride is called {ride}; see /api/rides")
    try:
        content = msgspec.json.encode(health_of(track_of(told)))
    except BadInput as error:
        return not_found(str(error))
    return _file(content, "application/json", "health.json")


def _file(content: bytes, kind: str, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'
    return Response(content, media_type=kind, headers={"Content-Disposition": disposition})


def _ride(row: RideRow) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(row.summary)
    confirmed = row.confirmed_utc is not None
    return {**told, "confirmed": confirmed, "confirmed_utc": row.confirmed_utc}
