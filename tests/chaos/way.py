"""The way to the broker: a TCP relay that can be cut, and can swallow everything."""

import asyncio
import contextlib
import threading


class Way:
    """Relays one loopback port to the first of several that answers, in a thread of its own."""

    def __init__(self, ports):
        self._ports = ports
        self._open = True
        self._mute = False
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._visit, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]

    def cut(self):
        """Hang up on everybody, and on whoever comes."""
        self._do(self._cut())

    def mute(self):
        """Carry nothing more, and say nothing about it: a cable out behind the switch."""
        self._mute = True

    def mend(self):
        """Carry again; what was swallowed stays lost, so those connections are hung up."""
        muted, self._mute, self._open = self._mute, False, True
        if muted:
            self._do(self._hang_up())

    def close(self):
        self.cut()
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _cut(self):
        self._open = False
        await self._hang_up()

    async def _hang_up(self):
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _visit(self, reader, writer):
        there = await self._broker() if self._open else None
        if there is None:
            writer.transport.abort()
            return
        self._writers |= {writer, there[1]}
        back = asyncio.ensure_future(self._carry(there[0], writer))
        await self._carry(reader, there[1])
        for end in (writer, there[1]):
            end.transport.abort()
            self._writers.discard(end)
        await back

    async def _broker(self):
        for port in self._ports():
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None

    async def _carry(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                if not self._mute:
                    writer.write(data)
                    await writer.drain()
        writer.transport.abort()
