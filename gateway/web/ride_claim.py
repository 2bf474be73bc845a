"""The page a rider's phone opens from the bike's screen: a name for this ride, and who may see it.

Never a password, and nothing that outlives the ride, but for who wants to be remembered: their
phone keeps a word for this bike, so that two riders of one name are not taken for one another. The
name goes to the ride; the audit has that somebody claimed it, not who.
"""

import re
import secrets
from html import escape
from typing import Protocol

from fastapi import FastAPI, Request, Response

from firmware_app.clock import Clock
from firmware_app.wire import Claim
from gateway.patience import NOT_LOCKED, Patience
from gateway.web.frame import page, read_form
from gateway.web.my_ride import RideKeys
from gateway.web.ride_code import RideCodes
from gateway.web.signing_in import Note, source_of, too_often

LONGEST_NAME = 24
PHONE, PHONE_S = "__Host-rider", 2 * 365 * 24 * 3600
"""The cookie with the phone's word, and how long it keeps it."""
WORD = re.compile(r"[\w-]{22}", re.ASCII)


class Saddle(Protocol):
    """What the page asks of the service; called in its thread."""

    @property
    def riding(self) -> bool:
        """Is somebody on the bike now."""
        ...

    def claim(self, claim: Claim) -> bool:
        """Tell the ride who rides next; False: there is no ride service to tell."""
        ...


def add_ride_claim(  # noqa: PLR0913, PLR0917 - what a page needs of its surroundings
    app: FastAPI,
    box: str,
    codes: RideCodes,
    saddle: Saddle,
    note: Note,
    keys: RideKeys,
    clock: Clock,
) -> None:
    """Serve the page."""
    patience = Patience(NOT_LOCKED)

    def check(code: str, request: Request) -> Response | None:
        """Return the answer for who may not go on."""
        source, now_s = source_of(request), clock.monotonic()
        if wait_s := patience.wait_s(source, now_s):
            return too_often(wait_s)
        if not codes.is_good(code, now_s):
            patience.wrong(source, now_s)
            return _sorry(
                box, "This code is used or too old", "Scan the one on the screen now.", 404
            )
        if saddle.riding:
            words = "When it is over, the screen shows a new code."
            return _sorry(box, "Somebody is riding this bike", words, 409)
        return None

    @app.get("/ride/{code}", include_in_schema=False)
    async def ask(code: str, request: Request) -> Response:
        return check(code, request) or _ask(box, code)

    @app.post("/ride/{code}", include_in_schema=False)
    async def take(code: str, request: Request) -> Response:
        form = await read_form(request)
        if (refused := check(code, request)) is not None:
            return refused
        name = plain_name(form.get("name", ""))
        if not name:
            return _ask(box, code, "Please write a name of letters, at most 24.")
        on_board, remember = form.get("board") == "yes", form.get("remember") == "yes"
        phone = _phone(request) if remember else ""
        claim = Claim(
            t_s=clock.monotonic(),
            rider=name,
            name_on_board=on_board,
            remember=remember,
            phone=phone,
        )
        if not saddle.claim(claim):
            words = "Just pedal: your ride is counted without a name."
            return _sorry(box, "The bike cannot take names just now", words, 503)
        codes.use_up()
        agreed = [word for word, yes in (("board", on_board), ("remembered", remember)) if yes]
        words = f"agreed to {', '.join(agreed) or 'nothing more'}, from {source_of(request)}"
        note("ride_claimed", "rider", words)
        return _keeps(_welcome(name, keys.issue(name, clock.monotonic()), on_board=on_board), phone)


def _keeps(answer: Response, phone: str) -> Response:
    """Give the phone its word to keep, if it is to keep one."""
    if phone:
        answer.set_cookie(
            PHONE, phone, PHONE_S, secure=True, httponly=True, samesite="strict", path="/"
        )
    return answer


def _phone(request: Request) -> str:
    """Return the word that this phone keeps, or a new one for it to keep."""
    kept = request.cookies.get(PHONE, "")
    return kept if WORD.fullmatch(kept) else secrets.token_urlsafe(16)


def plain_name(text: str) -> str:
    """Return a name as the coach can say it and the screen can show it; empty: it is none."""
    name = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    fits = 0 < len(name) <= LONGEST_NAME and any(c.isalpha() for c in name)
    return name if fits and not set(name) & set("{}<>\\/@") else ""


def offer_url(host: str, port: int, code: str) -> str:
    """Return the address that the screen shows as a QR code."""
    return f"https://{host}:{port}/ride/{code}"


def _ask(box: str, code: str, wrong: str = "") -> Response:
    said = f'<div class="card wrong" role="alert"><b>{escape(wrong)}</b></div>' if wrong else ""
    answer = page(
        f"Ride {box}",
        f'<section class="narrow"><p class="sub">{escape(box)}</p><h1>Who rides?</h1>{said}'
        f'<form method="post" action="/ride/{escape(code)}"><label>Your name, as the coach says it'
        f'<input name="name" maxlength="{LONGEST_NAME}" autocomplete="given-name" '
        "required autofocus>"
        '</label><label class="tick"><input type="checkbox" name="board" value="yes">'
        "<span>The instructor&rsquo;s board may show my name in this ride</span></label>"
        '<label class="tick"><input type="checkbox" name="remember" value="yes">'
        "<span>This bike may remember under this name how I sit, in numbers</span></label>"
        "<button>This is my ride</button></form>"
        '<p class="sub">The coach calls you by this name, and it stands in the ride&rsquo;s record '
        "at this gym. Without the second tick the bike forgets you after the ride; with it, this "
        "phone keeps a word that tells you from others of your name. No picture "
        "of you leaves the camera.</p></section>",
    )
    answer.status_code = 422 if wrong else 200
    return answer


def _welcome(name: str, key: str, *, on_board: bool) -> Response:
    board = "may show" if on_board else "does not show"
    return page(
        "Your ride",
        f'<section class="narrow"><h1>Have a good ride, {escape(name)}</h1>'
        f'<p class="sub">Pedal within three minutes. The instructor&rsquo;s board {board} your '
        f'name.</p><p><a class="button" href="/mine/{key}">Your ride, when it is over</a></p>'
        '<p class="sub">Keep this page open: it leads to your summary, and to a file for Strava, '
        "Garmin Connect and others.</p></section>",
    )


def _sorry(box: str, what: str, words: str, status: int) -> Response:
    answer = page(
        f"Ride {box}",
        f'<section class="narrow"><p class="sub">{escape(box)}</p><h1>{escape(what)}</h1>'
        f'<p class="sub">{escape(words)}</p></section>',
    )
    answer.status_code = status
    return answer
