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

from . import app, class_pages, reports, warm_kernels
from .classroom import Classroom
from .invitation import invite
from .places import LOOK, STUDENT_HEADER, Places


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
        PeriodicCallback(self.authorizer.look, 1000 * LOOK).start()

    async def announce(self) -> None:
        """Report the addresses once all kernels wait for the class."""
        await get_ready(self.classroom.size)
        await super().announce()


async def get_ready(size: int) -> None:
    """Start as many kernels as there are students, and print how far that is."""
    begun, pool = time.monotonic(), warm_kernels.start()
    for count in range(size):
        show_progress(f"Kernels that wait for the class: {count} of {size}", is_news=count == 0)
        filled = asyncio.wrap_future(pool.fill(count + 1))
        await asyncio.wait([filled])
        if error := filled.exception():
            print(
                f"rnnviz: no kernel can wait for the class ({error}): each starts when its student comes.", flush=True
            )
            return
    show_progress("", is_news=False)
    print(f"{size} of {size} kernels wait for the class, after {time.monotonic() - begun:.0f} s.", flush=True)


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
    for name in ("tornado.access", "asyncio"):
        logging.getLogger(name).addFilter(is_news)
    options |= {"token": room.token, "max_kernels": room.size}
    app.serve(notebooks, sockets, lambda address: invite(room, show), kind=partial(ClassServer, room), **options)


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether the terminal shows a record: not who has to wait, nor whose page has made room for a newer one."""
    made_room = record.exc_info and "Kernel died before replying" in str(record.exc_info[1])
    return not (made_room or record.getMessage().startswith("503 "))
