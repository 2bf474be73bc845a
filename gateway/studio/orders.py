"""What the studio asks of bikes: a command down to each, and the answers that came in time.

A command is for bikes that are there: no broker keeps it, and one that was away never sees it.
"""

import asyncio
from collections.abc import Iterable

from firmware_app.errors import WireError
from gateway.mqtt import Line
from gateway.topics import Cmd, CmdAck, box_topic, pack, unpack

ANSWER_S = 3.0
"""A bike on the gym's network answers in milliseconds."""


class Orders:
    """Commands on their way."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, str], asyncio.Future[CmdAck]] = {}

    def hear(self, topic: str, payload: bytes) -> None:
        """Take in a bike's answer; raise WireError when it is none, or on another box's topic."""
        answer = unpack(payload, CmdAck)
        if topic != box_topic(answer.box, "cmd/ack"):
            raise WireError(f"{answer.box} speaks on another box's topic")
        waiting = self._asked.get((answer.box, answer.command))
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    async def give(
        self, line: Line, cmd: Cmd, online: Iterable[str], away: Iterable[str]
    ) -> list[CmdAck]:
        """Send it, and return what became of it at each bike; who is away is not waited for."""
        here, gone = list(online), list(away)
        loop = asyncio.get_running_loop()
        answers = {(box, cmd.command): loop.create_future() for box in here}
        self._asked |= answers
        try:
            for box in (*here, *gone):
                line.publish(box_topic(box, "cmd"), pack(cmd), qos=1)
            if answers:
                await asyncio.wait(answers.values(), timeout=ANSWER_S)
        finally:
            for key in answers:
                del self._asked[key]
        silent = f"it did not answer within {ANSWER_S:.0f} s"
        return [
            *(
                told.result() if told.done() else _no(box, cmd, silent)
                for (box, _), told in answers.items()
            ),
            *(_no(box, cmd, "it is offline") for box in gone),
        ]


def _no(box: str, cmd: Cmd, why: str) -> CmdAck:
    return CmdAck(box=box, command=cmd.command, taken=False, why=why)
