"""Pages that wait for a class: the first notebook as it opens, each with a kernel that draws its pictures ahead."""

from __future__ import annotations

import asyncio
import locale
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from jupyter_core.utils import ensure_async
from tornado.httpclient import AsyncHTTPClient

from . import access, gallery, languages

PATIENCE = 300.0  # seconds for a page
LATER = 5.0  # seconds in which others may take their turns first


class Prepared:
    """As many pages as places are free: whoever opens that notebook as it is gets one of them, and its kernel.

    Parameters
    ----------
    server : whose pages they are.

    Attributes
    ----------
    notebook : the path of the notebook, "" for no pages; saved : when it was last saved.
    """

    def __init__(self, server: Any):
        self.server, self.notebook, self.saved = server, "", 0.0
        self.pages: dict[str, bytes] = {}  # by their kernels

    @property
    def kernels(self) -> Any:
        return self.server.kernel_manager

    @property
    def missing(self) -> int:
        """How many more places than pages there are."""
        return self.server.authorizer.free_places - len(self.pages) if self.notebook else 0

    def sort_out(self) -> None:
        """Drop pages whose kernel has died, and all where the notebook has changed."""
        before, file = self.saved, Path(self.server.root_dir, self.notebook)
        self.saved = file.stat().st_mtime if file.is_file() else 0.0
        for kernel in list(self.pages):
            if kernel not in self.kernels or self.saved != before:
                self.drop(kernel)

    async def keep(self) -> None:
        """Prepare the pages that are missing, and keep the kernels of those that wait."""
        try:
            self.sort_out()
            await asyncio.gather(*(self.prepare() for _ in range(self.missing)))
        except Exception:
            self.notebook = ""  # each page opens when its student comes
            raise
        self.make_room()
        for kernel in self.pages:
            self.kernels.get_kernel(kernel).last_activity = datetime.now(UTC)  # one that is idle would be culled

    async def prepare(self) -> None:
        """Open a page, and keep it with its kernel."""
        await self.server.turns.take(LATER)
        try:
            if self.missing > 0:
                own = {access.OWN_HEADER: access.OWN_KEY}
                address = f"{self.server.connection_url}voila/render/{quote(self.notebook)}"
                answer = await AsyncHTTPClient().fetch(address, headers=own, request_timeout=PATIENCE)
                if kernel := re.search(rb'"kernelId": "([^"]+)"', answer.body):
                    self.pages[kernel[1].decode()] = answer.body
        finally:
            self.server.turns.give_back()

    def make_room(self) -> None:
        """Drop the pages for which no place is left: those who have one need the memory."""
        while self.missing < 0 and self.pages:
            self.drop(next(iter(self.pages)))

    def drop(self, kernel: str) -> None:
        """End the kernel of a page that no longer waits."""
        del self.pages[kernel]
        asyncio.ensure_future(self.server.authorizer.shut_down(kernel))

    async def take(self, notebook: str | None, page: Any) -> bytes:
        """Let the visitor of a page have one that waits, if that is the same; otherwise, make room and return b""."""
        self.sort_out()
        is_same = notebook == self.notebook and parse_qs(page.request.query, keep_blank_values=True).keys() <= {"token"}
        while is_same and self.pages:
            kernel, html = self.pages.popitem()
            if await ensure_async(self.kernels.get_kernel(kernel).is_alive()):
                await page.kernel_manager.take(kernel)
                return html
        self.make_room()
        return b""


def first_notebook(folder: Path) -> str:
    """Return the path of a folder's first notebook, in the language of this computer; "" if there is none."""
    language = languages.wanted("", (locale.getlocale()[0] or "").replace("_", "-"))
    return next((card.name for card in gallery.cards(folder, language)), "")
