"""Turns for the kernels of a class: who connects waits for one byte, and has a turn until the connection ends."""

from __future__ import annotations

import asyncio
from pathlib import Path

ADDRESS = "RNNVIZ_TURNS"  # the environment variable that tells kernels where the socket is
AT_A_TIME = 2  # large computations on the whole machine


async def hand_out(path: Path, at_a_time: int = AT_A_TIME) -> asyncio.Server:
    """Hand out turns at a Unix socket, first come first served; a kernel that ends gives its turn back."""
    places = asyncio.Semaphore(at_a_time)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with places:
                writer.write(b"!")
                await writer.drain()
                await reader.read()
        except ConnectionError:
            pass
        finally:
            writer.close()

    return await asyncio.start_unix_server(serve, path)
