"""The page where a rider who said who rides finds the ride afterwards, and takes it along.

The address is the key: only the phone that claimed the ride has it. It is good for a day and
forgotten when the gateway restarts; the ride itself stays where rides are kept.
"""

import hmac
import secrets
from collections.abc import Sequence
from html import escape
from typing import NamedTuple, Protocol

from fastapi import FastAPI, Request, Response

from firmware_app.clock import Clock
from firmware_app.wire import RideStarted, ToGateway
from gateway.patience import NOT_LOCKED, Patience
from gateway.rides import RideRow
from gateway.web.api import fit_file, health_file
from gateway.web.frame import page, span_text
from gateway.web.signing_in import source_of, too_often

GOOD_S = 86400.0
MOST = 200
"""Keys at a time; a bike has fewer riders a day."""
BEGINS_S = 240.0
"""A claimed ride begins within this, or the claim was for nothing: the page says three minutes."""


class Rides(Protocol):
    """What the page asks of the service; called in its thread."""

    def rides(self) -> Sequence[RideRow]:
        """Return the newest rides, newest first."""
        ...

    def told(self, ride: str) -> Sequence[ToGateway]:
        """Return all that a ride told; empty when it is not there."""
        ...


class Key(NamedTuple):
    """One claim."""

    rider: str
    at_s: float


class RideKeys:
    """The keys that are good. Pure."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    def issue(self, rider: str, now_s: float) -> str:
        """Return a new key for who claims the next ride."""
        alive = [(word, key) for word, key in self._keys.items() if now_s - key.at_s < GOOD_S]
        self._keys = dict(alive[-MOST + 1 :])
        word = secrets.token_urlsafe(18)
        self._keys[word] = Key(rider, now_s)
        return word

    def find(self, word: str, now_s: float) -> Key | None:
        """Return the claim that this is the key of."""
        for known, key in self._keys.items():
            if hmac.compare_digest(known.encode(), word.encode()) and now_s - key.at_s < GOOD_S:
                return key
        return None


def ride_of(key: Key, rides: Rides) -> RideRow | None:
    """Return the ride that was claimed; None before it begins."""
    found = None
    for row in rides.rides():
        if row.summary.rider != key.rider:
            continue
        starts = [
            told.t_s for told in rides.told(row.summary.ride) if isinstance(told, RideStarted)
        ]
        if starts and key.at_s - 1.0 <= min(starts) <= key.at_s + BEGINS_S:
            found = row  # the first one after the claim; rows come newest first
    return found


def add_my_ride(app: FastAPI, keys: RideKeys, rides: Rides, clock: Clock) -> None:
    """Serve the page and its two files."""
    patience = Patience(NOT_LOCKED)

    def look(word: str, request: Request) -> tuple[Response | None, RideRow | None]:
        """Return the answer for who may not go on, or else the ride if it has begun."""
        source, now_s = source_of(request), clock.monotonic()
        if wait_s := patience.wait_s(source, now_s):
            return too_often(wait_s), None
        key = keys.find(word, now_s)
        if key is None:
            patience.wrong(source, now_s)
            words = "It is good for a day. The gym still has the ride."
            return _sorry("This address is no longer good", words), None
        return None, ride_of(key, rides)

    @app.get("/mine/{word}", include_in_schema=False)
    async def mine(word: str, request: Request) -> Response:
        refused, row = look(word, request)
        return refused or _page(word, row)

    @app.get("/mine/{word}/ride.fit", include_in_schema=False)
    async def as_fit(word: str, request: Request) -> Response:
        refused, row = look(word, request)
        return refused or (_page(word, row) if row is None else fit_file(rides, row.summary.ride))

    @app.get("/mine/{word}/health.json", include_in_schema=False)
    async def as_workout(word: str, request: Request) -> Response:
        refused, row = look(word, request)
        if refused is None and row is not None:
            return health_file(rides, row.summary.ride)
        return refused or _page(word, row)


def _page(word: str, row: RideRow | None) -> Response:
    if row is None or not row.summary.complete:
        return page(
            "Your ride",
            '<section class="narrow"><h1>Your ride will be here</h1><p class="sub">Load this page '
            "again when it is over.</p></section>",
        )
    ride, base = row.summary, f"/mine/{escape(word)}"
    rpm = "&ndash;" if ride.cadence_mean_rpm is None else f"{ride.cadence_mean_rpm:.0f}"
    share = "&ndash;" if ride.in_position_share is None else f"{ride.in_position_share:.0%}"
    return page(
        "Your ride",
        f'<section class="narrow"><p class="sub">{escape(ride.class_id)}</p><h1>Well ridden, '
        f"{escape(ride.rider)}</h1><table><tr><td>Time</td><td>{span_text(ride.duration_s)}</td>"
        f"</tr><tr><td>Cadence</td><td>{rpm} rpm</td></tr><tr><td>In form</td><td>{share}</td></tr>"
        f"</table><p><b>Your strength</b><br>{escape(ride.strength) or '&ndash;'}</p>"
        f"<p><b>One next thing</b><br>{escape(ride.next_thing) or '&ndash;'}</p>"
        f'<p><a class="button" href="{base}/ride.fit">FIT file</a></p><p class="sub">For Strava, '
        "Garmin Connect and other programs: save it and upload it there.</p>"
        f'<p><a href="{base}/health.json">Health data (JSON)</a></p><p class="sub">This page is '
        "for this phone alone, and is gone in a day.</p></section>",
    )


def _sorry(what: str, words: str) -> Response:
    answer = page(
        "Your ride",
        f'<section class="narrow"><h1>{escape(what)}</h1><p class="sub">{escape(words)}</p>'
        "</section>",
    )
    answer.status_code = 404
    return answer
