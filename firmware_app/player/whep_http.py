"""Speaks WHEP over HTTP: sends what the player offers, bounded in time, size and redirects.

The token goes with every request, and to the class's own origin only.
"""

import asyncio
import contextlib
import ssl
from types import TracebackType
from typing import Self

import httpx

from firmware_app.player.whep import (
    SDP,
    Answered,
    Countered,
    NoClass,
    Redirected,
    address_fault,
    origin,
    place,
    tellable,
    understand,
)

ANSWER_S = 10.0
LEAVE_S = 1.0
CONNECT_S = 1.0
"""Longer than any network that can carry a class; a lost first packet is sent again after that."""
KNOCK_S = 0.4
LARGEST_BODY_BYTES = 256 << 10
"""A generous answer is 10 kB."""
MOST_REDIRECTS = 3


class Whep:
    """One class server, as a client sees it."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca_file: str = "",
        patience_s: float = ANSWER_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Ask nothing yet; transport replaces the network in tests.

        patience_s is the longest a whole answer may take, body and all.
        """
        self._url = url
        self._token = token
        self._ca_file = ca_file
        self._patience_s = patience_s
        self._transport = transport
        self._http: httpx.AsyncClient | None = None
        self._reached: tuple[str, int] | None = None
        """Where the class's server was last; a network that is gone has no names either."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def join(self, offer: str) -> Answered | Countered | NoClass:
        """POST an offer and follow redirects; never raises for what a server or network does."""
        fault = address_fault(self._url)
        if fault:
            return NoClass("refused", fault)
        url = self._url
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._ask("POST", url, offer)
            if isinstance(answer, NoClass):
                return answer
            status, headers, body = answer
            outcome = understand(status, headers, body, url)
            if not isinstance(outcome, Redirected):
                return outcome
            url = outcome.url
            fault = address_fault(url)
            if fault:
                return NoClass("connecting", f"{place(self._url)} redirects to {tellable(url)!r}")
        return NoClass("connecting", f"{place(self._url)} redirects in circles")

    async def answer(self, session: str, sdp: str) -> NoClass | None:
        """PATCH our answer to the server's counter-offer; None when it was taken."""
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._ask("PATCH", session, sdp)
            if isinstance(answer, NoClass):
                return answer
            status, headers, body = answer
            if 200 <= status < 300:
                return None
            outcome = understand(status, headers, body, session)
            if isinstance(outcome, NoClass):
                return outcome
            if not isinstance(outcome, Redirected) or address_fault(outcome.url):
                break
            session = outcome.url
        return NoClass("connecting", f"{place(session)} took no answer")

    async def leave(self, session: str) -> None:
        """DELETE the session, within a second, whether the server hears it or not."""
        if not session or self._http is None:
            return
        with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError):
            async with asyncio.timeout(LEAVE_S):
                await self._http.delete(session, headers=self._headers(session))

    async def knock(self) -> bool:
        """Tell whether somebody listens where the class was, within half a second."""
        host, port = self._reached or origin(self._url)[1:]
        try:
            async with asyncio.timeout(KNOCK_S):
                _, writer = await asyncio.open_connection(host, port)
        except (OSError, ValueError, TimeoutError):
            return False
        writer.close()
        return True

    def _headers(self, url: str) -> dict[str, str]:
        if self._token and origin(url) == origin(self._url):
            return {"Authorization": f"Bearer {self._token}"}
        return {}

    async def _ask(
        self, method: str, url: str, sdp: str
    ) -> tuple[int, dict[str, str], bytes] | NoClass:
        where = place(url)
        try:
            self._http = self._http or self._open()
        except OSError as error:  # ssl.SSLError among them
            why = f"whep_ca_file {self._ca_file}: {error.strerror or error}"
            return NoClass("refused", why)
        headers = {**self._headers(url), "Content-Type": SDP, "Accept": SDP}
        body = b""
        try:
            async with (
                asyncio.timeout(self._patience_s),
                self._http.stream(method, url, content=sdp, headers=headers) as answer,
            ):
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > LARGEST_BODY_BYTES:
                        return NoClass(
                            "connecting", f"{where} does not speak WHEP: its answer has no end"
                        )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return NoClass("connecting", _explain(error, where), unreachable=True)
        except (TimeoutError, httpx.TimeoutException):
            return NoClass("connecting", f"{where} did not answer within {self._patience_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            return NoClass("connecting", _explain(error, where))
        self._remember(answer, url)
        return answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body

    def _remember(self, answer: httpx.Response, url: str) -> None:
        if origin(url) == origin(self._url) and "network_stream" in answer.extensions:
            where = answer.extensions["network_stream"].get_extra_info("server_addr")
            self._reached = (where[0], where[1]) if where else None

    def _open(self) -> httpx.AsyncClient:
        trust = ssl.create_default_context()
        if self._ca_file:
            trust.load_verify_locations(self._ca_file)
        return httpx.AsyncClient(
            transport=self._transport,
            verify=trust,
            timeout=httpx.Timeout(self._patience_s, connect=CONNECT_S),
            limits=httpx.Limits(max_keepalive_connections=0),  # a kept one may have lost its way
            trust_env=False,
            follow_redirects=False,
        )


def _explain(error: Exception, where: str) -> str:
    """Put a network error into a few words for the screen."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"{where} has a certificate this box does not trust; set whep_ca_file"
    if "SSL" in text or "TLS" in text:
        return f"{where} does not speak TLS as asked; is it http:// rather than https://?"
    if "Name or service not known" in text or "name resolution" in text or "No address" in text:
        return f"nobody knows the name {where}; check whep_url and the network"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"nobody answers at {where}; is the class server running?"
    return f"{where} hung up in mid-answer"
