"""Records out of a JetStream stream that several studios share, each given to one of them.

Boxes speak MQTT to any server of the cluster; the stream takes in what they send, on as many disks
as it has copies, and keeps it until a studio has stored it. A studio that dies with records in its
hands leaves them to the others. The watermark goes back to the boxes by MQTT, as ever.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import NamedTuple

import nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, RetentionPolicy, StreamConfig
from nats.js.errors import NotFoundError

from firmware_app.errors import PartLost
from gateway.studio.archive import Came
from gateway.studio.settings import Stream

NAME, STUDIOS, SUBJECT = "BIKEBOX_UP", "bikebox-studio", "fleet.v1.*.up"
A_BOX_AT_ONCE = 40
"""Records of one box that wait in the stream: two windows. The box sends older ones again."""
AT_ONCE = 500
IN_HANDS = 2000
"""Records that the studios together have and have not stored."""
IN_HANDS_S = 5.0
"""A record that was not stored for so long is given to another studio."""
ANSWER_S = 5.0
LOOK_S = 5.0
"""When it has been silent for so long: is the stream there."""
ALIVE_S = 3


class Letter(NamedTuple):
    """One record as the stream has it."""

    came: Came
    told: Msg

    async def stored(self) -> None:
        """Let the stream forget it."""
        await self.told.ack()


class Flow:
    """A connection that stands; letters() raises PartLost once it does not."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Msg | None] = asyncio.Queue()

    async def put(self, told: Msg) -> None:
        """Take in a message."""
        self._waiting.put_nowait(told)

    async def end(self) -> None:
        """Hear that the connection is gone."""
        self._waiting.put_nowait(None)

    async def letters(self, wait_s: float) -> list[Letter]:
        """Return what came, waiting this long for the first."""
        found: list[Letter] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                found.append(_opened(await self._waiting.get()))
        while not self._waiting.empty() and len(found) < AT_ONCE:
            found.append(_opened(self._waiting.get_nowait()))
        return found


@contextlib.asynccontextmanager
async def flowing(stream: Stream) -> AsyncIterator[Flow]:
    """Connect to one of the servers, make the stream when there is none, and take our share."""
    flow = Flow()
    where = ", ".join(stream.servers)
    try:
        async with asyncio.timeout(ANSWER_S):
            client = await nats.connect(
                list(stream.servers),
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
                connect_timeout=2,
                ping_interval=ALIVE_S,
                error_cb=_nothing,
                closed_cb=flow.end,
                user_credentials=stream.credentials_file or None,
                tls=ssl.create_default_context(cafile=stream.ca_file) if stream.ca_file else None,
            )
    except (nats.errors.Error, OSError) as error:
        raise PartLost(f"no NATS at {where}: {error or 'no answer'}") from error
    try:
        jetstream = client.jetstream(timeout=ANSWER_S)
        await _subscribe(jetstream, stream, flow)
        looking = asyncio.create_task(_look_after(jetstream, flow))
        try:
            yield flow
        finally:
            looking.cancel()
    except (nats.errors.Error, TimeoutError) as error:
        raise PartLost(f"JetStream at {where}: {str(error) or 'no answer'}") from error
    finally:
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            await client.close()


async def _subscribe(jetstream: JetStreamContext, stream: Stream, flow: Flow) -> None:
    try:
        await jetstream.stream_info(NAME)
    except NotFoundError:
        await jetstream.add_stream(
            StreamConfig(
                name=NAME,
                subjects=[SUBJECT],
                retention=RetentionPolicy.WORK_QUEUE,
                max_msgs_per_subject=A_BOX_AT_ONCE,
                num_replicas=stream.copies,
            )
        )
    await jetstream.subscribe(
        SUBJECT,
        queue=STUDIOS,
        stream=NAME,
        cb=flow.put,
        manual_ack=True,
        config=ConsumerConfig(ack_wait=IN_HANDS_S, max_ack_pending=IN_HANDS),
    )


async def _look_after(jetstream: JetStreamContext, flow: Flow) -> None:
    """Notice that the stream is gone, with all its disks; nobody would say so."""
    with contextlib.suppress(nats.errors.Error, TimeoutError):
        while True:
            await asyncio.sleep(LOOK_S)
            await jetstream.consumer_info(NAME, STUDIOS)
    await flow.end()


async def _nothing(_error: Exception) -> None:
    """Leave it to closed_cb."""


def _opened(told: Msg | None) -> Letter:
    if told is None:
        raise PartLost("NATS hung up, or its stream is gone")
    return Letter(Came(told.subject.replace(".", "/"), told.data), told)
