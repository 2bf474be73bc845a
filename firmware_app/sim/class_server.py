"""A WHEP server with one class, for the demo and the tests: the 201 flow, whole and real.

    POST   /whep               an SDP offer; 201 with the answer and the session's Location
    DELETE /whep/session/<id>  leave; 200
    401 a wrong or no token · 404 another path or session · 400/415 not an offer · 503 full

draft-ietf-wish-whep; the media are those of class_loop.py, sent by aiortc.
"""

import hmac
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import structlog
from aiortc import (
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError, OperationError
from fastapi import FastAPI, Request, Response

from firmware_app.sim.class_loop import ClassLoop, LoopTrack, Viewing

log = structlog.get_logger()

MOST_VIEWERS = 32
LARGEST_OFFER_BYTES = 64 << 10
RETRY_AFTER_S = 5
WHEP_PATH = "/whep"
CODEC: dict[Literal["audio", "video"], str] = {"audio": "opus", "video": "H264"}


class ClassServer:
    """Everybody who watches one class."""

    def __init__(self, loop: ClassLoop, token: str = "") -> None:
        self._loop = loop
        self._token = token
        self._viewers: dict[str, RTCPeerConnection] = {}
        self.left = 0
        """Viewers that said good-bye with a DELETE."""

    @property
    def viewers(self) -> int:
        """Sessions now open."""
        return len(self._viewers)

    def app(self) -> FastAPI:
        """Return the ASGI application; closing it hangs up on everybody."""

        @asynccontextmanager
        async def life(_app: FastAPI) -> AsyncIterator[None]:
            yield
            for session in list(self._viewers):
                await self._close(session)

        app = FastAPI(lifespan=life, openapi_url=None)
        app.post(WHEP_PATH)(self._join)
        app.delete(WHEP_PATH + "/session/{session}")(self._leave)
        return app

    async def _join(self, request: Request) -> Response:
        if not self._allowed(request):
            return _no(401, "this class wants its Bearer token", {"WWW-Authenticate": "Bearer"})
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/sdp":
            return _no(415, "send an SDP offer as application/sdp")
        if len(self._viewers) >= MOST_VIEWERS:
            return _no(503, "the class is full", {"Retry-After": str(RETRY_AFTER_S)})
        offer = b""
        async for part in request.stream():
            offer += part
            if len(offer) > LARGEST_OFFER_BYTES:
                return _no(413, "no offer is that large")
        viewer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            answer = await self._answer(viewer, offer.decode())
        except (ValueError, InvalidStateError, OperationError) as wrong:
            await viewer.close()
            return _no(400, f"this is not an offer to receive H.264 and Opus: {wrong}")
        session = secrets.token_urlsafe(12)
        self._viewers[session] = viewer

        async def changed() -> None:
            if viewer.connectionState in {"failed", "closed"}:
                await self._close(session)

        viewer.on("connectionstatechange", changed)
        log.info("viewer_came", viewers=self.viewers)
        headers = {"Location": f"{WHEP_PATH}/session/{session}", "ETag": f'"{session}"'}
        return Response(answer, 201, headers, media_type="application/sdp")

    async def _answer(self, viewer: RTCPeerConnection, offer: str) -> str:
        viewing = Viewing(self._loop)
        for kind, codec in CODEC.items():
            sender = viewer.addTransceiver(LoopTrack(kind, viewing), "sendonly")
            can = RTCRtpSender.getCapabilities(kind).codecs
            sender.setCodecPreferences([one for one in can if one.name in (codec, "rtx")])
        await viewer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await viewer.setLocalDescription(await viewer.createAnswer())
        return viewer.localDescription.sdp

    async def _leave(self, request: Request, session: str) -> Response:
        if not self._allowed(request):
            return _no(401, "this class wants its Bearer token", {"WWW-Authenticate": "Bearer"})
        if session not in self._viewers:
            return _no(404, "no such session")
        self.left += 1
        await self._close(session)
        return Response(status_code=200)

    def _allowed(self, request: Request) -> bool:
        said = request.headers.get("authorization", "")
        return not self._token or hmac.compare_digest(
            said.encode(), f"Bearer {self._token}".encode()
        )

    async def _close(self, session: str) -> None:
        viewer = self._viewers.pop(session, None)
        if viewer is not None:
            await viewer.close()
            log.info("viewer_left", viewers=self.viewers)


def _no(status: int, why: str, headers: dict[str, str] | None = None) -> Response:
    return Response(f"{why}\n", status, headers, media_type="text/plain")
