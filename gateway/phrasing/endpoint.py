"""One question to an OpenAI-compatible endpoint over HTTP, and what it answers."""

from pathlib import Path
from typing import Any

import httpx
import msgspec
from msgspec import Struct

from firmware_app.errors import PartLost
from firmware_app.settings import Phrasing

LONGEST_BYTES = 64 * 1024
MOST_TOKENS = 300


class Function(Struct):
    """A function the model calls."""

    name: str
    arguments: str = "{}"
    """JSON, as the model wrote it."""


class Call(Struct):
    """One call, with the name its answer is to carry."""

    id: str
    function: Function


class Reply(Struct):
    """What the model says: words, calls, or both."""

    content: str | None = None
    tool_calls: list[Call] | None = None


class _Choice(Struct):
    message: Reply


class _Completion(Struct):
    choices: list[_Choice]


class Endpoint:
    """Speaks to one model."""

    def __init__(self, settings: Phrasing, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._client = client

    async def chat(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Reply:
        """Return the model's next message; raise PartLost with what went wrong."""
        settings = self._settings
        asked = {
            "model": settings.model,
            "messages": messages,
            "tools": tools,
            "max_tokens": MOST_TOKENS,
        }
        try:
            response = await self._client.post(
                f"{settings.url.rstrip('/')}/chat/completions",
                json=asked,
                headers=self._headers(),
                timeout=settings.deadline_s,
            )
        except httpx.HTTPError as error:
            raise PartLost(f"[phrasing] {settings.url}: {error or type(error).__name__}") from error
        if response.status_code != httpx.codes.OK:
            raise PartLost(
                f"[phrasing] {settings.url} answers {response.status_code}"
                f" {response.text[:120]!r}; look at url, model and key_file"
            )
        if len(response.content) > LONGEST_BYTES:
            raise PartLost(f"[phrasing] {settings.url} answers {len(response.content)} bytes")
        try:
            return msgspec.json.decode(response.content, type=_Completion).choices[0].message
        except (msgspec.MsgspecError, IndexError) as wrong:
            raise PartLost(
                f"[phrasing] {settings.url} does not answer as an OpenAI-compatible endpoint"
                f" does: {wrong}"
            ) from wrong

    def _headers(self) -> dict[str, str]:
        if not self._settings.key_file:
            return {}
        try:
            key = Path(self._settings.key_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise PartLost(f"[phrasing] key_file cannot be read: {error}") from error
        return {"Authorization": f"Bearer {key}"}
