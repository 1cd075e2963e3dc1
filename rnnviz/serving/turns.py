"""Turns for the kernels of a class: a kernel says how long it can wait, gets a byte, and ends its turn by leaving."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from pathlib import Path

from ..engine.batching import available_cores

ADDRESS = "RNNVIZ_TURNS"  # the environment variable that tells kernels where the socket is


class Turns:
    """So many turns at a time; the next one goes to whoever has to have it first, then to whoever asked first."""

    def __init__(self, at_a_time: int):
        self.free = at_a_time
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
        while self.free and self.waiting:
            granted = heapq.heappop(self.waiting)[-1]
            if not granted.done():
                self.free -= 1
                granted.set_result(None)


async def hand_out(path: Path, at_a_time: int | None = None) -> asyncio.Server:
    """Hand out turns at a Unix socket, by default one for each core; a kernel that ends gives its turn back."""
    turns = Turns(at_a_time or available_cores())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await turns.take(float(await reader.readline()))
            try:
                writer.write(b"!")
                await writer.drain()
                await reader.read()
            finally:
                turns.give_back()
        except (ConnectionError, ValueError):  # ValueError: whoever connected has left, or is no kernel of ours
            pass
        finally:
            writer.close()

    return await asyncio.start_unix_server(serve, path)
