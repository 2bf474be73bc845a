"""Words cues before they are needed; whatever goes wrong, the cue book's own words stand.

At the begin of a ride the agent asks a language model for other words, one rule after the other,
the ones that show first. Words are held to a schema and then, by the ride itself, to the cue book's
vocabulary; what is refused goes back to the model once, with the reason. One wording has a hard
deadline, tools and second try included. What was accepted is kept and given to the next rides at
once. Nothing in a ride ever waits for any of this.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

import httpx
import structlog

from firmware_app.clock import Clock
from firmware_app.settings import Phrasing
from firmware_app.wire import Command, CueAnswer, Lexicon, Live, PoseFeatures
from gateway.phrasing.endpoint import Endpoint, Reply
from gateway.phrasing.tools import Toolbox, schemas

log = structlog.get_logger()

MOST_ROUNDS = 6
"""Questions to the model for one wording."""
MOST_REFUSED = 2
"""The words, and one second try."""
ANSWER_S = 1.0
"""The ride answers within a tick; later it is not there."""
MOST_KEPT = 64
SYSTEM = (
    "You word spoken cues for a rider on an exercise bike. Call cue_library for the rule you are"
    " given: use only its words, at least one of `about`, at most seven in all, verb first, one"
    " thing, kind, no blame, no health claims. Write it in the language you are told. Hand it in"
    " with say; if it is refused, mend it as the reason says and hand it in once more."
)


class Agent:
    """Words the cues of one box's rides."""

    def __init__(
        self,
        settings: Phrasing,
        clock: Clock,
        tell_ride: Callable[[Command], bool],
        client: httpx.AsyncClient,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._tell_ride = tell_ride
        self._endpoint = Endpoint(settings, client)
        self._tools = Toolbox(self._hand_in)
        self._kept: dict[tuple[str, str], str] = {}
        """(language, rule) to words that a ride has accepted."""
        self._asked: dict[str, asyncio.Future[CueAnswer]] = {}
        self._lexicon: asyncio.Queue[Lexicon] = asyncio.Queue()

    def hear(self, told: Lexicon | Live | PoseFeatures | CueAnswer) -> None:
        """Take in what the ride tells."""
        match told:
            case Lexicon():
                if self._tools.lexicon is None or told.ride != self._tools.lexicon.ride:
                    self._lexicon.put_nowait(told)
                self._tools.lexicon = told
            case Live():
                self._tools.live = told
            case PoseFeatures():
                self._tools.pose = told
            case CueAnswer():
                waiting = self._asked.pop(told.command, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(told)

    async def run(self, worked: Callable[[], None]) -> None:
        """Word one ride after another for ever; raise PartLost when the endpoint fails."""
        while True:
            lexicon = await self._lexicon.get()
            for rule in self._first_what_shows(lexicon):
                if not self._lexicon.empty():
                    break  # the next rider is here
                await self.word(rule, lexicon.language)
                worked()

    async def word(self, rule: str, language: str) -> str:
        """Have a rule worded; return the words, empty: the cue book's own stand."""
        kept = self._kept.get((language, rule))
        if kept is not None:
            return kept if not await self._hand_in(rule, kept) else ""
        try:
            async with asyncio.timeout(self._settings.deadline_s):
                words = await self._converse(rule, language)
        except TimeoutError:
            log.info("wording_late", rule=rule, after_s=self._settings.deadline_s)
            return ""
        if words and len(self._kept) < MOST_KEPT:
            self._kept[language, rule] = words
        return words

    async def _converse(self, rule: str, language: str) -> str:
        messages: list[dict[str, Any]] = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": f"Word a cue about {rule}. Language: {language}."},
        ]
        refused = 0
        for _ in range(MOST_ROUNDS):
            reply = await self._endpoint.chat(messages, schemas())
            messages.append(_as_message(reply))
            if not reply.tool_calls:
                refused += 1
                messages.append({"role": "user", "content": "Hand the words in with say."})
            for call in reply.tool_calls or ():
                answer = await self._tools.call(call.function.name, call.function.arguments)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": answer.text})
                if answer.taken:
                    return answer.taken
                refused += answer.refused
            if refused >= MOST_REFUSED:
                break
        log.info("wording_refused", rule=rule)
        return ""

    async def _hand_in(self, rule: str, words: str) -> str:
        """Give words to the ride; return why it refuses them."""
        command = f"wording-{secrets.token_hex(4)}"
        waiting: asyncio.Future[CueAnswer] = asyncio.get_running_loop().create_future()
        self._asked[command] = waiting
        wish = Command(
            t_s=self._clock.monotonic(), command=command, kind="wording", rule=rule, text=words
        )
        try:
            if not self._tell_ride(wish):
                return "nobody rides"
            async with asyncio.timeout(ANSWER_S):
                answer = await waiting
        except TimeoutError:
            return "nobody rides"
        finally:
            self._asked.pop(command, None)
        return answer.why

    def _first_what_shows(self, lexicon: Lexicon) -> list[str]:
        evidence = self._tools.pose.evidence if self._tools.pose else {}
        return sorted(lexicon.rules, key=lambda rule: -evidence.get(rule, 0.0))


def _as_message(reply: Reply) -> dict[str, Any]:
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in reply.tool_calls or ()
    ]
    said: dict[str, Any] = {"role": "assistant", "content": reply.content or ""}
    return said | ({"tool_calls": calls} if calls else {})
