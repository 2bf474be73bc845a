"""Turns paho's wheels from asyncio: no thread of its own, so no lock of its to wait for.

What comes within two hundredths of a second, or longer if our owner says so, is read together: six
hundred bikes wake us fifty times a second, and not each time one of them speaks.
"""

import asyncio
import select
import socket
import ssl

import paho.mqtt.client as paho

AT_ONCE_BYTES = 1 << 16
GATHER_S = 0.02
LOOK_AFTER_S = 1.0
"""How often paho looks after its keep-alive."""


class Client(paho.Client):
    """paho asks the socket three times a message; here it is asked once for all that is there."""

    _came = b""
    _taken = 0

    @property
    def unread(self) -> bool:
        """Is something here that the socket has given and paho has not taken."""
        return self._taken < len(self._came)

    def _sock_recv(self, bufsize: int) -> bytes:
        if not self.unread:
            self._came, self._taken = super()._sock_recv(AT_ONCE_BYTES), 0
        piece = self._came[self._taken : self._taken + bufsize]
        self._taken += len(piece)
        return piece


class Pump:
    """Serves the socket of a client that has just been connected, until closed."""

    def __init__(self, client: Client) -> None:
        self.gather_s = GATHER_S
        """How long what comes is gathered before it is read."""
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket = client.socket()  # type: ignore[assignment] # no websocket
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fd = self._socket.fileno()
        self._ready = select.poll()
        self._ready.register(self._socket, select.POLLIN)
        self._read_s = 0.0
        self._reading: asyncio.TimerHandle | None = None
        self._looking_after: asyncio.TimerHandle | None = None
        client.on_socket_close = lambda *_: self._let_go()
        client.on_socket_register_write = lambda *_: self._loop.add_writer(
            self._fd, client.loop_write
        )
        client.on_socket_unregister_write = lambda *_: self._stop_writing()
        if client.want_write():
            self._loop.add_writer(self._fd, client.loop_write)
        self._loop.add_reader(self._fd, self._can_read)
        self._look_after()

    def close(self) -> None:
        """Say goodbye and hang up."""
        self._client.disconnect()
        self._let_go()
        self._socket.close()

    def _stop_writing(self) -> None:
        self._loop.remove_writer(self._fd)

    def _can_read(self) -> None:
        self._loop.remove_reader(self._fd)
        self._reading = self._loop.call_at(self._read_s + self.gather_s, self._read)

    def _read(self) -> None:
        self._read_s = self._loop.time()
        while self._client.socket() is self._socket and self._more():
            self._client.loop_read()
        if self._client.socket() is self._socket:
            self._loop.add_reader(self._fd, self._can_read)

    def _more(self) -> bool:
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0
        return self._client.unread or pending or bool(self._ready.poll(0))

    def _look_after(self) -> None:
        self._client.loop_misc()
        if self._client.socket() is self._socket:
            self._looking_after = self._loop.call_later(LOOK_AFTER_S, self._look_after)

    def _let_go(self) -> None:
        for handle in (self._reading, self._looking_after):
            if handle is not None:
                handle.cancel()
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
