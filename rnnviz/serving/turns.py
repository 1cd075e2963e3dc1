"""Turns for the kernels of a class: a kernel says how long it can wait, gets a byte, and ends its turn by leaving."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

from ..engine.batching import available_cores

ADDRESS = "RNNVIZ_TURNS"  # the environment variable that tells kernels where the socket is
AHEAD = 5.0  # seconds for which something short is waited for


class Turns:
    """So many turns at a time, by default one for each core.

    The next one goes to whoever has to have it first, then to whoever asked first.
    """

    def __init__(self, at_a_time: int | None = None):
        self.free = at_a_time or available_cores()
        self.short = asyncio.Semaphore(self.free)
        self.waiting: list[tuple[float, int, asyncio.Future]] = []
        self.numbers = count()

    async def take(self, seconds: float) -> None:
        """Wait for a turn, which should come within some seconds."""
        loop = asyncio.get_running_loop()
        granted = loop.create_future()
        heapq.heappush(self.waiting, (loop.time() + seconds, next(self.numbers), granted))
        self.hand_on()
        await granted

    def give_back(self) -> None:
        """End a turn."""
        self.free += 1
        self.hand_on()

    def hand_on(self) -> None:
        """Let the next ones have what is free."""
        while self.free > 0 and self.waiting:
            granted = heapq.heappop(self.waiting)[-1]
            if not granted.done():
                self.free -= 1
                granted.set_result(None)

    @asynccontextmanager
    async def ahead(self, seconds: float = AHEAD) -> AsyncIterator[None]:
        """Let something short go ahead of all who wait for a turn: there is one turn less while it lasts, or waits.

        As much of it as there are turns goes on at a time. After some seconds, nobody waits for it any longer.
        """
        self.free -= 1
        with ExitStack() as turn:
            turn.callback(self.give_back)
            await self.short.acquire()
            turn.callback(self.short.release)
            asyncio.get_running_loop().call_later(seconds, turn.close)
            yield

    async def listen(self, path: Path) -> asyncio.Server:
        """Hand out turns at a Unix socket."""
        return await asyncio.start_unix_server(self.serve, path)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Give a kernel its turn, which ends with the connection: also that of a kernel that has died."""
        try:
            await self.take(float(await reader.readline()))
            try:
                writer.write(b"!")
                await writer.drain()
                await reader.read()
            finally:
                self.give_back()
        except (ConnectionError, ValueError):  # ValueError: whoever connected has left, or is no kernel of ours
            pass
        finally:
            writer.close()
