"""The door to everything that is not for everybody: PIN, token, session, and who may pass.

A person types the gym's PIN or a token once and gets a session; a program sends its token with
each request. Who guesses is slowed down, then locked out; a right token is let in all the same, for
it was not guessed. Each sign-in, refusal and lock is in the audit with where it came from.
"""

import asyncio
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from firmware_app.clock import Clock
from gateway.access import Access, Person, Role
from gateway.patience import Patience
from gateway.web.frame import page, read_form, span_text
from gateway.web.sessions import COOKIE, LASTS, PLAIN_COOKIE, Sessions

REFUSALS: dict[int | str, dict[str, Any]] = {401: {}, 403: {}, 429: {}}
"""What an API's description says of routes behind the door."""
Note = Callable[[str, str, str], None]
"""Puts an entry into the audit: what, who, detail."""


class _Stop(Exception):  # noqa: N818 - carries an answer, no error
    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


class Door:
    """Guards an app; guard(role) is a dependency for the routes behind it."""

    def __init__(
        self, access: Access, note: Note, clock: Clock, *, tls: bool, kept: Path | None = None
    ) -> None:
        """Guard by this access; kept: a file that keeps the gym's sessions over a restart."""
        self._access = access
        self._note = note
        self._clock = clock
        self.tls = tls
        self._sessions = Sessions(access, kept)
        self._patience = Patience()
        self._one_at_a_time = asyncio.Semaphore(1)
        """A PIN takes 16 MB to check, and a hundred tries at once are a hundred tries."""

    def guard(self, role: Role = "gym") -> Callable[[Request], Awaitable[Person]]:
        """Return a dependency that lets in who has this role, and tells who it is."""

        async def check(request: Request) -> Person:
            person = self._who(request)
            if person is None:
                raise _Stop(self._ask(request))
            if role == "technician" and person.role != role:
                words = "This is for technicians: sign in with a token."
                raise _Stop(JSONResponse({"detail": words}, status_code=403))
            return person

        return check

    def _who(self, request: Request) -> Person | None:
        now_s = self._clock.monotonic()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            person = self._access.by_token(token.strip())
            if person is None:
                source = source_of(request)
                if wait_s := self._patience.wait_s(source, now_s):
                    raise _Stop(too_often(wait_s))
                self._refuse(source, "token")
            return person
        cookie = request.cookies.get(COOKIE if self.tls else PLAIN_COOKIE, "")
        return self._sessions.who(cookie, self._clock.wall()) if cookie else None

    def _ask(self, request: Request) -> Response:
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse(f"/sign-in?to={quote(request.url.path)}", status_code=303)
        return JSONResponse(
            {"detail": "sign in at /sign-in, or send Authorization: Bearer TOKEN"},
            status_code=401,
            headers={"WWW-Authenticate": "Bearer"},
        )

    async def sign_in(self, request: Request) -> Response:
        """Take in what was typed; open a session, or say why not."""
        form = await read_form(request)
        secret, to = form.get("secret", "").strip(), form.get("to", "")
        source = source_of(request)
        async with self._one_at_a_time:
            now_s = self._clock.monotonic()
            person = self._access.by_token(secret)
            if person is None:
                if wait_s := self._patience.wait_s(source, now_s):
                    words = f"Too many wrong tries. Wait {span_text(wait_s)}."
                    return _form(to, words, status=429, wait_s=wait_s)
                person = await asyncio.to_thread(self._access.by_pin, secret[:64])
            if person is None:
                self._refuse(source, "PIN" if secret.isdecimal() else "token")
                return _form(to, "That is not the PIN, nor a token of this machine.", status=403)
        self._patience.right(source)
        self._note("signed_in", person.name, f"{person.role}, from {source}")
        answer = RedirectResponse(_local(to), status_code=303)
        answer.set_cookie(
            COOKIE if self.tls else PLAIN_COOKIE,
            self._sessions.open(person, self._clock.wall()),
            max_age=int(LASTS[person.role].total_seconds()),
            secure=self.tls,
            httponly=True,
            samesite="strict",
        )
        return answer

    def sign_out(self, request: Request) -> Response:
        """End the session."""
        name = COOKIE if self.tls else PLAIN_COOKIE
        cookie = request.cookies.get(name, "")
        person = self._sessions.who(cookie, self._clock.wall())
        if person is not None:
            self._sessions.close(cookie)
            self._note("signed_out", person.name, f"from {source_of(request)}")
        answer = RedirectResponse("/sign-in", status_code=303)
        answer.delete_cookie(name, secure=self.tls, httponly=True, samesite="strict")
        return answer

    def _refuse(self, source: str, kind: str) -> None:
        self._note("sign_in_refused", "somebody", f"wrong {kind}, from {source}")
        if self._patience.wrong(source, self._clock.monotonic()):
            self._note("locked", "box", f"too many wrong tries, the last from {source}")


def add_door(app: FastAPI, door: Door) -> None:
    """Serve the sign-in page, and let the door answer for what it stops."""

    @app.exception_handler(_Stop)
    async def stop(_request: Request, error: Exception) -> Response:
        return error.answer if isinstance(error, _Stop) else Response(status_code=403)

    @app.get("/sign-in", include_in_schema=False)
    async def ask(to: str = "/") -> Response:
        return _form(to)

    @app.post("/sign-in", include_in_schema=False)
    async def answer(request: Request) -> Response:
        return await door.sign_in(request)

    @app.post("/sign-out", include_in_schema=False)
    async def leave(request: Request) -> Response:
        return door.sign_out(request)


def signed_in_as(person: Person) -> str:
    """Return the line of a page that tells who looks, and lets go."""
    return (
        '<form class="who" method="post" action="/sign-out">'
        f"<span>Signed in as {escape(person.name)}</span><button>Sign out</button></form>"
    )


def source_of(request: Request) -> str:
    """Return where a request comes from."""
    return request.client.host if request.client else "nowhere"


def too_often(wait_s: float) -> Response:
    """Answer 429, in words."""
    return JSONResponse(
        {"detail": f"too many wrong tries; wait {span_text(wait_s)}"},
        status_code=429,
        headers={"Retry-After": f"{wait_s + 1:.0f}"},
    )


def _form(to: str, wrong: str = "", *, status: int = 200, wait_s: float = 0.0) -> Response:
    said = f'<div class="card wrong" role="alert"><b>{escape(wrong)}</b></div>' if wrong else ""
    answer = page(
        "Sign in",
        '<section class="narrow"><h1>Sign in</h1>'
        '<p class="sub">With the gym&rsquo;s PIN, or a technician&rsquo;s token.</p>'
        f'{said}<form method="post" action="/sign-in"><label>PIN or token'
        '<input name="secret" type="password" autocomplete="current-password" required autofocus>'
        f'</label><input type="hidden" name="to" value="{escape(_local(to))}">'
        "<button>Sign in</button></form></section>",
    )
    answer.status_code = status
    if wait_s:
        answer.headers["Retry-After"] = f"{wait_s + 1:.0f}"
    return answer


def _local(to: str) -> str:
    """Return where to go after signing in: a page of ours, whatever was asked for."""
    return (
        to if to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() else "/"
    )
