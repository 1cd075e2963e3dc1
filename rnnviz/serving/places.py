"""The places of a class: one for each student, kept for as long as a page is open."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError

from .access import IDLE, Owners

STUDENT_HEADER = "X-Rnnviz-Student"  # Voila hands it to the kernel, as HTTP_X_RNNVIZ_STUDENT
LOOK = 5.0  # seconds between two looks at who is there
AWAY = 20.0  # seconds without a connection after which a page loses its place to one that waits
GONE = min(75.0, IDLE)  # and after which its kernel is shut down


class Places(Owners):
    """Lets as many students in as the class has, and the teacher always.

    A student's new page takes the place of an older one of the same browser where no other place is free.
    """

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.teachers: set[str] = set()
        self.seen: dict[str, float] = {}  # when a kernel's page was last connected
        self.waiting: dict[str, float] = {}  # when a student without a place last asked for one

    def takes_place(self, visitor: str) -> bool:
        return super().takes_place(visitor) and visitor not in self.teachers

    def replaceable(self, student: str) -> str:
        """Return a kernel whose place this student may have: of a page that was left, or an own one; "" for none."""
        now = time.monotonic()
        away = [each for each in self.taken() if now - self.seen.setdefault(each, now) > AWAY]
        own = [each for each in self.taken() if self.owners[each] == student]
        return next(iter([*away, *own]), "")

    def asks(self, student: str) -> bool:
        """Tell whether a student gets a place now, and note who has to wait."""
        if not self.takes_place(student) or not self.is_full() or self.replaceable(student):
            self.waiting.pop(student, None)
            return True
        self.waiting[student] = time.monotonic()
        return False

    def check_in(self, page: JupyterHandler) -> None:
        student = page.current_user.username
        page.request.headers[STUDENT_HEADER] = student
        if not self.asks(student):
            raise HTTPError(503)
        if self.takes_place(student) and self.is_full():
            asyncio.ensure_future(self.free(self.replaceable(student)))

    async def look(self) -> None:
        """Note who is there, and shut down the kernels of those who left."""
        now, taken = time.monotonic(), self.taken()
        self.seen = {kernel: when for kernel, when in self.seen.items() if kernel in self.owners}
        for kernel in taken:
            if self.kernels.kernel_model(kernel)["connections"] > 0:
                self.seen[kernel] = now
            elif now - self.seen.setdefault(kernel, now) > GONE:
                await self.free(kernel)
        self.waiting = {student: when for student, when in self.waiting.items() if now - when < 2 * LOOK}

    @property
    def present(self) -> int:
        """How many students have a page open."""
        connected = (each for each in self.taken() if self.kernels.kernel_model(each)["connections"] > 0)
        return len({self.owners[kernel] for kernel in connected})
