"""One visit to a class: from the offer to the DELETE, with aiortc's peer connection inside."""

import asyncio
from collections.abc import Callable

import av
from aioice.stun import TransactionError
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError, OperationError

from firmware_app.player.decoding import Decoded
from firmware_app.player.ice_path import carries, is_ours
from firmware_app.player.receiver import ClassReceiver, use_our_receiver
from firmware_app.player.sdp_given import (
    offer_all_we_can,
    parameter_sets,
    readable_answer,
    readable_offer,
)
from firmware_app.player.stream_clock import Moment
from firmware_app.player.whep import Answered, Countered, IceServer, NoClass
from firmware_app.player.whep_http import Whep

NOT_SDP = (
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    InvalidStateError,
    InvalidAccessError,
    OperationError,
)
"""aiortc's reader of SDP raises whatever it stumbles over; RuntimeError is a StopIteration."""
NO_ICE = (OSError, OverflowError, TransactionError)
"""A STUN or TURN server that is not there, or does not want us."""

TakePicture = Callable[[av.VideoFrame, Moment | None], None]
TakeSound = Callable[[av.AudioFrame, Moment | None], None]
"""Take a decoded frame and when it was captured; None: nobody knows."""


class ClassSession:
    """A peer connection that receives one class."""

    def __init__(
        self,
        whep: Whep,
        take_picture: TakePicture,
        take_sound: TakeSound,
        servers: tuple[IceServer, ...] = (),
        *,
        hardware: bool = False,
    ) -> None:
        use_our_receiver()
        offer_all_we_can()
        self._whep = whep
        self._take_picture = take_picture
        self._take_sound = take_sound
        self._hardware = hardware
        self.servers = servers
        """STUN and TURN servers, and those that the class server names too once it has answered."""
        self.knows_more = False
        """It named some that our offer did not have: another visit may find a way by them."""
        self._session = ""
        self._left = False
        self._peer = self._new_peer()
        self.ended = asyncio.Event()
        """The connection failed, or the server hung up."""

    async def open(self) -> NoClass | None:
        """Join the class by whichever flow the server wants; None when media may come."""
        try:
            self._peer.addTransceiver("audio", "recvonly")
            self._peer.addTransceiver("video", "recvonly")
            await self._peer.setLocalDescription(await self._peer.createOffer())
            said = await self._whep.join(self._peer.localDescription.sdp)
            if isinstance(said, NoClass):
                return said
            self._session = said.session
            more = tuple(one for one in said.ice_servers if one not in self.servers)
            self.servers += more
            self.knows_more = bool(more) and isinstance(said, Answered)
            return await self._take(said)
        except NO_ICE as error:
            self.servers = ()
            return NoClass("connecting", f"the class's STUN or TURN server fails: {error}")

    async def _take(self, said: Answered | Countered) -> NoClass | None:
        try:
            if isinstance(said, Countered):
                return await self._take_counter_offer(said)
            self._hear(said.sdp)
            answer = readable_answer(said.sdp, self._peer.localDescription.sdp)
            await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        except NOT_SDP as wrong:
            return NoClass("connecting", f"the class server's SDP cannot be used: {wrong}")
        return None

    @property
    def moved(self) -> bool:
        """This machine has lost the address that the class is sent to."""
        return not is_ours(self._peer)

    async def reachable(self) -> bool:
        """Tell whether somebody listens at the server's address; takes up to half a second."""
        return await self._whep.knock()

    async def forgotten(self) -> bool:
        """Tell whether the server is there but no longer knows us; takes up to two seconds."""
        if await carries(self._peer) or not await self._whep.knock():
            return False  # the server knows us, or the network is gone: waiting is right
        return not await carries(self._peer)

    async def close(self) -> None:
        """Leave: give nothing any more, DELETE the session, within a second, and hang up."""
        self._left = True
        self._peer.remove_all_listeners()
        try:
            await self._whep.leave(self._session)
        finally:
            self._session = ""
            await self._peer.close()

    async def _take_counter_offer(self, said: Countered) -> NoClass | None:
        ours, self._peer = self._peer, self._new_peer()
        await ours.close()
        offer = readable_offer(said.sdp)
        await self._peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        self._hear(said.sdp)
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        return await self._whep.answer(said.session, self._peer.localDescription.sdp)

    def _new_peer(self) -> RTCPeerConnection:
        servers = [
            RTCIceServer(one.url, one.username or None, one.credential or None)
            for one in self.servers
        ]
        peer = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))

        def changed() -> None:
            if peer is self._peer and peer.connectionState in {"failed", "closed"}:
                self.ended.set()

        peer.on("connectionstatechange", changed)
        return peer

    def _hear(self, sdp: str) -> None:
        """Take the first picture and the first sound of what the server has, and no other."""
        heard = set()
        sets = parameter_sets(sdp)
        for transceiver in self._peer.getTransceivers():
            if not isinstance(transceiver.receiver, ClassReceiver) or transceiver.kind in heard:
                transceiver.direction = "inactive"
                continue
            heard.add(transceiver.kind)
            transceiver.receiver.give_to(self._give, hardware=self._hardware, parameter_sets=sets)

    def _give(self, frame: Decoded, moment: Moment | None) -> None:
        if self._left:
            return
        if isinstance(frame, av.VideoFrame):
            self._take_picture(frame, moment)
        else:
            self._take_sound(frame, moment)
