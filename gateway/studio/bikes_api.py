"""The bikes' page and API: how each is, and what may be asked of them."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from html import escape
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from msgspec import Meta

from firmware_app.errors import PartLost
from gateway.access import Person
from gateway.studio.bikes import MOST_BIKES
from gateway.studio.bikes_page import LONGEST_MESSAGE, WRITE, answers_body
from gateway.studio.yard import Yard
from gateway.topics import Cmd, Segment
from gateway.web.frame import page, read_body, read_form

Who = Callable[[Request], Awaitable[Person]]


OURS = frozenset({"schema", "command", "by"})
"""Fields of a Cmd that nobody but the studio fills."""
_CMD = msgspec.json.schema(Cmd)["$defs"]["Cmd"]["properties"]
MAY_ASK = _CMD.keys() - OURS
Boxes = Annotated[tuple[Segment, ...], Meta(max_length=MOST_BIKES)]
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "boxes: empty, every bike that is online; the rest is a Cmd",
                    "properties": {
                        "boxes": {"type": "array", "items": _CMD["command"]},
                        **{name: what for name, what in _CMD.items() if name in MAY_ASK},
                    },
                    "required": ["kind"],
                    "additionalProperties": False,
                }
            }
        },
    }
}
BOARD = '<a href="/">Board</a>'


def bikes_routes(yard: Yard, who: Who) -> APIRouter:
    """Return what tells of bikes and commands them; who tells who asks, or stops them."""
    routes = APIRouter()

    @routes.get("/bikes", include_in_schema=False)
    async def whole_page() -> HTMLResponse:
        return page("Bikes", yard.body(), poll="/bikes/now", foot=WRITE + BOARD)

    @routes.get("/bikes/now", include_in_schema=False)
    async def newest() -> HTMLResponse:
        return HTMLResponse(yard.body())

    @routes.post("/bikes", include_in_schema=False)
    async def write(request: Request, person: Annotated[Person, Depends(who)]) -> Response:
        form = await read_form(request)
        text = " ".join(form.get("text", "").split())[:LONGEST_MESSAGE]
        cmd = Cmd(command=_new_name(), kind="message", text=text, by=person.name)
        try:
            answers = await yard.ask((), cmd) if text else []
        except PartLost as lost:
            return page(
                "Bikes",
                f'<h1>Nothing was sent</h1><p class="sub">{escape(str(lost))}</p>',
                foot=BOARD,
            )
        return page("Bikes", answers_body(text, answers), foot=BOARD)

    @routes.get("/api/boxes")
    async def boxes() -> Any:
        """Tell of every bike whether it is online, what is wrong, and what is stored of it."""
        return [bike._asdict() for bike in yard.bikes()]

    @routes.post("/api/commands", openapi_extra=BODY, responses={409: {}, 413: {}, 422: {}})
    async def command(request: Request, person: Annotated[Person, Depends(who)]) -> Any:
        """Ask something of bikes that are online now; tell what each answered within 3 s."""
        try:
            boxes, cmd = _read(await read_body(request), person)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            return JSONResponse({"detail": str(wrong)}, status_code=422)
        try:
            answers = await yard.ask(boxes, cmd)
        except PartLost as lost:
            return JSONResponse({"detail": f"nothing was sent: {lost}"}, status_code=409)
        told_back = [{"box": a.box, "taken": a.taken, "why": a.why} for a in answers]
        return {"command": cmd.command, "answers": told_back}

    return routes


def _read(body: bytes, person: Person) -> tuple[Sequence[str], Cmd]:
    """Return which bikes are asked and what; raise msgspec's error, which names what is wrong."""
    asked = msgspec.json.decode(body, type=dict[str, Any])
    boxes = msgspec.convert(asked.pop("boxes", ()), Boxes)
    if unknown := sorted(asked.keys() - MAY_ASK):
        raise msgspec.ValidationError(f"no field {unknown[0]!r}; there are {sorted(MAY_ASK)}")
    return boxes, msgspec.convert(asked | {"command": _new_name(), "by": person.name}, Cmd)


def _new_name() -> str:
    return f"s-{secrets.token_hex(6)}"
