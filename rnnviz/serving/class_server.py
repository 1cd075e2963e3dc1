"""The server of a class: the dashboards' server with places, the teacher's page and a line to each kernel."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from socket import socket
from typing import Any

from tornado.ioloop import PeriodicCallback

from . import app, class_pages, reports
from .classroom import Classroom
from .invitation import invite
from .places import LOOK, STUDENT_HEADER, Places
from .prepared import Prepared, first_notebook


class ClassServer(app.Server):
    """The dashboards' server, for one class."""

    def __init__(self, classroom: Classroom, **options: Any):
        options["config"].Voila.authorizer_class = Places
        options["config"].VoilaConfiguration.http_header_envs = [STUDENT_HEADER]
        super().__init__(**options)
        self.classroom = classroom

    def init_settings(self) -> dict:
        settings = super().init_settings()
        settings["voila_jinja2_env"].globals["in_class"] = True
        self.prepared.notebook = first_notebook(Path(self.root_dir))
        return {**settings, "rnnviz_class": self.classroom}

    def init_handlers(self) -> list:
        more = {"voila_configuration": self.voila_configuration}
        return [*((path, page, more) for path, page in class_pages.handlers(self.server_url)), *super().init_handlers()]

    async def hand_out_turns(self) -> None:
        """Listen to the kernels too, in the same folder, and look after those who left."""
        await super().hand_out_turns()
        path = Path(self.connection_dir, "class")
        if app.has_socket_files(path):
            self.reports = await self.classroom.reports.listen(path)
            self.classroom.hears = True
            os.environ[reports.ADDRESS] = str(path)

    async def announce(self) -> None:
        """Report the addresses once a page waits for each student, and look after the class from then on."""
        await get_ready(self.prepared, self.classroom.size)
        PeriodicCallback(self.look, 1000 * LOOK).start()
        await super().announce()

    async def look(self) -> None:
        """Free the places of those who left, and prepare pages for those who may still come."""
        await self.authorizer.look()
        await self.prepared.keep()


async def get_ready(prepared: Prepared, size: int) -> None:
    """Prepare as many pages as there are students, and print how far that is."""
    begun, kept, is_news = time.monotonic(), asyncio.ensure_future(prepared.keep()), True
    while not kept.done():
        show_progress(f"Pages that wait for the class: {len(prepared.pages)} of {size}", is_news)
        await asyncio.wait([kept], timeout=1)
        is_news = False
    show_progress("", is_news=False)
    if error := kept.exception():
        print(f"rnnviz: no page can wait for the class ({error}): each opens when its student comes.", flush=True)
        return
    took = time.monotonic() - begun
    print(f"{len(prepared.pages)} of {size} pages wait for the class, after {took:.0f} s.", flush=True)


def show_progress(text: str, is_news: bool) -> None:
    """Show how far something is, always in the same line of a terminal; elsewhere, only what ``is_news``."""
    if sys.stdout.isatty():
        print(f"\r{text}\x1b[K", end="", flush=True)
    elif is_news:
        print(text, flush=True)


def serve(
    notebooks: Path,
    sockets: list[socket],
    room: Classroom,
    show: Callable[[str], object],
    **options: Any,
) -> None:
    """Serve a class until Ctrl-C; print its link and the teacher's, and ``show`` the teacher's page."""
    logging.getLogger("tornado.access").addFilter(is_news)
    options |= {"token": room.token, "max_kernels": room.size}
    app.serve(notebooks, sockets, lambda address: invite(room, show), kind=partial(ClassServer, room), **options)


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether the terminal shows a record: not who has to wait."""
    return not record.getMessage().startswith("503 ")
