"""One connection to the broker, with nothing decided in it.

paho's callbacks hold its locks (publishing from one of them freezes the client for ever), so they
only put what happened into a mailbox; one asyncio task owns the rest.
Every connection is a new client: nothing of the last one is sent again behind our back.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from firmware_app.errors import BadSetting, PartLost
from firmware_app.settings import Mqtt
from gateway.pump import Client, Pump

MAILBOX = 4096
"""Messages heard and not yet taken; what does not fit is dropped, and its sender tries again."""
ANSWER_S = 5.0
KEEP_ALIVE_S = 15
SESSION_S = 86400
"""How long a broker keeps for a studio that is away, MQTT 5; 3.1.1 has no limit of its own."""


class Address(NamedTuple):
    """Where the broker is."""

    host: str
    port: int
    tls: bool

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Heard(NamedTuple):
    """A message that came."""

    topic: str
    payload: bytes
    retained: bool


class Will(NamedTuple):
    """What the broker says for us, retained, when we are gone."""

    topic: str
    payload: bytes


def read_address(url: str) -> Address:
    """Read mqtt://host[:port] or mqtts://host[:port]; raise BadSetting."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadSetting(f'[mqtt] url = "{url}": {error}; write mqtt://HOST:1883') from error
    if parts.scheme not in ("mqtt", "mqtts") or not host or parts.path.strip("/"):
        raise BadSetting(
            f'[mqtt] url = "{url}": write mqtt://HOST:1883, or mqtts://HOST:8883 with TLS'
        )
    if parts.username or parts.password:
        raise BadSetting("[mqtt] url: the name goes in username, the password in password_file")
    tls = parts.scheme == "mqtts"
    return Address(host, port or (8883 if tls else 1883), tls)


class Line:
    """A connection that stands; heard() raises PartLost once it does not."""

    def __init__(self, client: Client, address: Address) -> None:
        self._client = client
        self._address = address
        self._mailbox: list[Heard | ReasonCode | None] = []
        self._came = asyncio.Event()
        self.pump: Pump
        """Its owner may let it gather longer."""
        self.dropped = 0
        """Messages that found the mailbox full."""
        self.refused = ""
        """Why the broker refuses what we publish (MQTT 5 only; 3.1.1 cannot say)."""

    def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """Send a message, or queue what the network does not take; returns at once."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    def subscribe(self, topic: str) -> None:
        """Hear a topic from now on, at QoS 1; ends with the connection."""
        self._client.subscribe(topic, qos=1)

    def unsubscribe(self, topic: str) -> None:
        """Hear it no more."""
        self._client.unsubscribe(topic)

    async def heard(self, wait_s: float) -> list[Heard]:
        """Return what came, waiting this long for the first; raise PartLost when it is cut."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._came.wait()
        came, self._mailbox = self._mailbox, []
        self._came.clear()
        found = []
        for letter in came:
            if isinstance(letter, Heard):
                found.append(letter)
            elif letter is None:
                raise PartLost(f"the broker at {self._address} hung up")
            else:
                self.refused = f"the broker refuses our records ({letter}); look at its access list"
        return found

    def _put(self, letter: Heard | ReasonCode | None) -> None:
        if isinstance(letter, Heard) and len(self._mailbox) >= MAILBOX:
            self.dropped += 1
            return
        self._mailbox.append(letter)
        self._came.set()


@contextlib.asynccontextmanager
async def connected(
    mqtt: Mqtt,
    client_id: str,
    topics: tuple[tuple[str, int], ...],
    *,
    will: Will | None = None,
    keep_session: bool = False,
) -> AsyncIterator[Line]:
    """Connect, subscribe to (topic, QoS) and give the line; raise PartLost with what to do.

    keep_session: the broker keeps QoS 1 messages for us while we are away.
    """
    address = read_address(mqtt.url)
    client = _client(mqtt, address, client_id, will, keep_session)
    answer: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()
    line = Line(client, address)

    def on_connect(
        _client: paho.Client, _data: object, _flags: object, code: ReasonCode, _more: object
    ) -> None:
        if not answer.done():
            answer.set_result(code)

    def on_disconnect(*_: object) -> None:
        if not answer.done():
            answer.set_exception(_hung_up(address, mqtt))
        line._put(None)  # noqa: SLF001 - the line's own callbacks

    def on_message(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        heard = Heard(message.topic, bytes(message.payload), message.retain)
        line._put(heard)  # noqa: SLF001 - the line's own callbacks

    def on_publish(
        _client: paho.Client, _data: object, _mid: int, code: ReasonCode, _more: object
    ) -> None:
        if code.is_failure:
            line._put(code)  # noqa: SLF001 - the line's own callbacks

    await _connect(client, address, mqtt, keep_session)
    if client.socket() is None:
        raise _hung_up(address, mqtt)
    client.on_connect = on_connect
    client.on_disconnect = on_disconnect
    client.on_message = on_message
    client.on_publish = on_publish
    pump = line.pump = Pump(client)
    try:
        await _shake_hands(address, answer)
        if topics:
            client.subscribe(list(topics))
        yield line
    finally:
        pump.close()


async def _connect(client: Client, address: Address, mqtt: Mqtt, keep_session: bool) -> None:
    more: dict[str, Any] = {}
    if mqtt.protocol == "5":
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's own
        properties.SessionExpiryInterval = SESSION_S if keep_session else 0
        more = {"clean_start": not keep_session, "properties": properties}
    try:
        await asyncio.to_thread(client.connect, address.host, address.port, KEEP_ALIVE_S, **more)
    except ssl.SSLCertVerificationError as error:
        raise PartLost(
            f"the broker at {address} shows a certificate that is not trusted"
            f" ({error.verify_message}); {_remedy(error.verify_code)}"
        ) from error
    except (ssl.SSLError, ConnectionResetError) as error:
        raise PartLost(
            f"no TLS with {address} ({error.strerror or error}); does it speak TLS at that port?"
        ) from error
    except OSError as error:
        raise PartLost(f"no broker at {address}: {error.strerror or error}") from error


def _remedy(verify_code: int) -> str:
    """Return what a technician looks at; the codes are OpenSSL's X509_V_ERR."""
    if verify_code in (9, 10):  # not yet valid, has expired
        return "is this machine's clock right (timedatectl)? If it is, the broker needs a new one"
    if verify_code in (62, 64):  # host name, address
        return "it is for another name; write that name in [mqtt] url"
    return "look at [mqtt] ca_file: it must be the authority that signed it"


def _hung_up(address: Address, mqtt: Mqtt) -> PartLost:
    if not address.tls:
        why = "does it want TLS there? Then write mqtts://"
    elif mqtt.cert_file:
        why = (
            f"it may refuse {mqtt.cert_file}: expired, of another authority, or is a clock wrong"
            " (timedatectl)?"
        )
    else:
        why = "does it want a client certificate? [mqtt] cert_file and key_file name one"
    return PartLost(f"the broker at {address} hung up before it said anything; {why}")


async def _shake_hands(address: Address, answer: asyncio.Future[ReasonCode]) -> None:
    try:
        async with asyncio.timeout(ANSWER_S):
            code = await answer
    except TimeoutError as error:
        raise PartLost(
            f"{address} took the connection and said nothing; is that an MQTT broker?"
        ) from error
    if code.is_failure:
        raise PartLost(
            f"the broker at {address} refuses us: {code};"
            " look at [mqtt] username, password_file and protocol"
        )


def _client(
    mqtt: Mqtt, address: Address, client_id: str, will: Will | None, keep_session: bool
) -> Client:
    five = mqtt.protocol == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id,
        clean_session=None if five else not keep_session,
        protocol=paho.MQTTv5 if five else paho.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = ANSWER_S
    client.max_inflight_messages_set(64)
    try:
        if mqtt.username:
            password = Path(mqtt.password_file).read_text(encoding="utf-8").strip()
            client.username_pw_set(mqtt.username, password)
        if address.tls:
            client.tls_set(mqtt.ca_file or None, mqtt.cert_file or None, mqtt.key_file or None)
    except (OSError, ValueError) as error:
        raise PartLost(
            f"[mqtt] a password or certificate file cannot be used: {error};"
            " look at password_file, ca_file, cert_file and key_file"
        ) from error
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=True)
    return client
