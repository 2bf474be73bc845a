"""The box as the gym's network sees it: the console behind a door, the rider's page before it.

Opened only on a box that has a certificate of its own, and only when the settings say so.
"""

from collections.abc import Sequence
from html import escape
from typing import Annotated, Protocol

from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse

from firmware_app.clock import Clock
from gateway.access import Access, Person
from gateway.audit import Noted
from gateway.web.api import Box, console_of, told_inside, told_to_everybody
from gateway.web.frame import make_app, page
from gateway.web.my_ride import RideKeys, add_my_ride
from gateway.web.ride_claim import Saddle, add_ride_claim
from gateway.web.ride_code import RideCodes
from gateway.web.signing_in import REFUSALS, Door, add_door, signed_in_as


class LanBox(Box, Saddle, Protocol):
    """What the pages ask of the service; called in its thread."""

    name: str

    def note(self, what: str, who: str, detail: str) -> None:
        """Put an entry into the audit."""
        ...

    def audit(self) -> Sequence[Noted]:
        """Return the newest entries, newest first."""
        ...


def make_lan_api(
    box: LanBox, access: Access, codes: RideCodes, hosts: Sequence[str], clock: Clock
) -> FastAPI:
    """Return the app that answers for this box on the network."""
    app = make_app("Bikebox", hosts, tls=True)
    door = Door(access, box.note, clock, tls=True)
    add_door(app, door)
    keys = RideKeys()
    add_ride_claim(app, box.name, codes, box, box.note, keys, clock)
    add_my_ride(app, keys, box, clock)
    app.include_router(told_to_everybody(box))
    app.include_router(told_inside(box), dependencies=[Depends(door.guard())], responses=REFUSALS)

    @app.get("/", include_in_schema=False)
    async def whole_console(person: Annotated[Person, Depends(door.guard())]) -> HTMLResponse:
        more = '<a href="/audit">Audit</a>' if person.role == "technician" else ""
        return page("Bikebox", console_of(box), poll="/console", foot=more + signed_in_as(person))

    @app.get("/audit", include_in_schema=False)
    async def audit(
        person: Annotated[Person, Depends(door.guard("technician"))],
    ) -> HTMLResponse:
        body = _audit(box.name, box.audit())
        return page("Audit", body, foot='<a href="/">Console</a>' + signed_in_as(person))

    return app


def _audit(name: str, entries: Sequence[Noted]) -> str:
    rows = "".join(
        f"<tr><td>{escape(entry.wall_utc[:19].replace('T', ' '))}</td><td>{escape(entry.what)}</td>"
        f"<td>{escape(entry.who)}</td><td>{escape(entry.detail)}</td></tr>"
        for entry in entries
    )
    return (
        f'<h1>Audit</h1><p class="sub">{escape(name)}, newest first; times in UTC</p>'
        f"<table><tr><th>When</th><th>What</th><th>Who</th><th>More</th></tr>{rows}</table>"
    )
