"""A network between pages and a server, which a test cuts and mends."""

from __future__ import annotations

import asyncio
import contextlib
from threading import Thread
from urllib.parse import urlsplit

from conftest import PATIENCE


class Wire:
    """Passes on what pages send to a server; ``url`` is the server's address over this wire."""

    def __init__(self, url: str):
        address = urlsplit(url)
        self.target = address.hostname, address.port
        self.loop, self.open_ends = asyncio.new_event_loop(), set()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.listening = self.run(self.listen(0))
        self.port = self.listening.sockets[0].getsockname()[1]
        self.url = address._replace(netloc=f"{address.hostname}:{self.port}").geturl()

    def run(self, work):
        """Run a coroutine in the wire's own thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    async def listen(self, port: int) -> asyncio.Server:
        return await asyncio.start_server(self.connect, "127.0.0.1", port)

    async def connect(self, reader, writer) -> None:
        """Pass on both directions of one connection until an end closes it."""
        try:
            there = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, there[1]}
        self.open_ends |= ends
        await asyncio.gather(self.pass_on(reader, there[1]), self.pass_on(there[0], writer))
        self.open_ends -= ends

    async def pass_on(self, reader, writer) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def hang_up(self) -> None:
        self.listening.close()
        for end in self.open_ends:
            end.transport.abort()

    async def finish(self) -> None:
        passing = asyncio.all_tasks() - {asyncio.current_task()}
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        await asyncio.sleep(0)  # the ends that were aborted are closed in the loop's next turn

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self.run(self.hang_up())

    def mend(self) -> None:
        """Let new connections through again."""
        self.listening = self.run(self.listen(self.port))

    def close(self) -> None:
        """End the wire for good."""
        self.cut()
        self.run(self.finish())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()
