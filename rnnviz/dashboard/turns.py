"""Turns: of all kernels that a server has started, only a few compute something large at a time.

Thirty students who move a slider at once would otherwise share two cores evenly, and all wait for all. The server that
started this kernel hands the turns out (see `rnnviz.serving.turns`); without one, every turn comes at once.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress

ADDRESS = "RNNVIZ_TURNS"  # the environment variable that names the server's socket


@asynccontextmanager
async def turn(seconds: float) -> AsyncIterator[None]:
    """Wait for this kernel's turn, which should come within some seconds, and end it with the block.

    Nobody waits for a server that is gone.
    """
    with ExitStack() as end:
        with suppress(OSError):
            if address := os.environ.get(ADDRESS):
                reader, writer = await asyncio.open_unix_connection(address)
                end.callback(writer.close)
                writer.write(b"%g\n" % seconds)
                await reader.read(1)
        yield
