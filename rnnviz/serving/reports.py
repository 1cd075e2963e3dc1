"""What the kernels of a class tell the server, each over one connection that also brings them the server's answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ADDRESS = "RNNVIZ_CLASS"  # the environment variable that tells kernels where the socket is
LONGEST = 2000  # bytes of a report


class Reports:
    """Reads reports, one JSON object a line, and answers them; ``receive`` returns the answer, {} for none."""

    def __init__(self, receive: Callable[[dict[str, Any]], dict[str, Any]]):
        self.receive = receive
        self.kernels: set[asyncio.StreamWriter] = set()

    async def listen(self, path: Path) -> asyncio.Server:
        """Listen at a Unix socket."""
        return await asyncio.start_unix_server(self.serve, path, limit=LONGEST)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a kernel's reports until it ends."""
        self.kernels.add(writer)
        try:
            while line := await reader.readline():
                report = json.loads(line)
                if answer := self.receive(report) if isinstance(report, dict) else {}:
                    writer.write(as_line(answer))
        except (ConnectionError, ValueError):
            pass
        finally:
            self.kernels.discard(writer)
            writer.close()

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message to all kernels."""
        for writer in self.kernels:
            writer.write(as_line(message))


def as_line(message: dict[str, Any]) -> bytes:
    """Return a message as one line."""
    return json.dumps(message).encode() + b"\n"
