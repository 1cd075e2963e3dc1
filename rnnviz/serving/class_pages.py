"""The pages of a class: the teacher's, which follows the class by itself, and what tells a student who waits."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from tornado.web import HTTPError, authenticated

from ..network.schemes import SCHEMES
from ..text import language
from ..text.language import _
from . import capacity
from .access import is_same
from .asking import Form
from .bets import ANSWERS, Bar
from .classroom import Classroom
from .invitation import svg_code
from .pages import Page
from .places import Places

MEASURED = 5.0  # seconds for which the memory of all kernels, which takes a while to read, is believed


class InClass(Page):
    """A page of a class."""

    @property
    def room(self) -> Classroom:
        return self.settings["rnnviz_class"]

    @property
    def places(self) -> Places:
        return self.authorizer

    @property
    def visitor(self) -> str:
        """The random number by which the server knows this browser."""
        return self.current_user.username if self.current_user else ""

    @property
    def own_path(self) -> str:
        """The address of the teacher's page."""
        return f"{self.base_url}class?lang={self.language}"


class Entrance(InClass):
    """The teacher's secret link. The server keeps in mind who came by it, so that no projector shows the secret."""

    @authenticated
    def get(self, secret: str) -> None:
        if not is_same(secret, self.room.secret):
            raise HTTPError(404)
        self.places.teachers.add(self.visitor)
        self.redirect(f"{self.base_url}class")


class TeacherPage(InClass):
    """What only the teacher sees."""

    async def prepare(self) -> None:
        await super().prepare()
        if self.visitor not in self.places.teachers:
            raise HTTPError(404)

    async def live(self) -> dict[str, Any]:
        """Return what the page shows now."""
        memory = await self.memory()
        room, slowest = self.room, self.room.slowest
        language.use(self.language)
        return {
            "room": room,
            "present": self.places.present,
            "waiting": len(self.places.waiting),
            "memory": in_words(memory / 1e9, 1),
            "free": in_words(capacity.free_memory() / 1e9, 1),
            "slowest": "" if slowest is None else in_words(slowest, 2 if slowest < 1 else 1),
            "code": svg_code(room.link),
            "shown": room.link.partition("://")[2],
            "is_private": room.is_private,
            "chart": self.chart(),
            "words": {answer: _(label) for answer, label in ANSWERS.items()},
        }

    async def memory(self) -> float:
        """Return the bytes that the class takes, as measured a moment ago."""
        measured_at, known = self.settings.get("rnnviz_memory", (-MEASURED, 0.0))
        if time.monotonic() - measured_at < MEASURED:
            return known
        used = await asyncio.to_thread(capacity.used_memory, os.getpid())
        self.settings["rnnviz_memory"] = time.monotonic(), used
        return used

    def chart(self) -> dict[str, list[Bar]]:
        """Return the label of each scheme that was bet on, and its bars."""
        known = self.room.question.chart if self.room.question else {}
        return {_(SCHEMES[name].label) if name in SCHEMES else name: bars for name, bars in known.items()}


class Overview(TeacherPage):
    """The teacher's page."""

    async def get(self) -> None:
        await self.show(Form(self.folder, self.language))

    async def post(self) -> None:
        """Let the class bet on something, or say why that is impossible."""
        form = Form(
            self.folder, self.language, {name: self.get_body_argument(name) for name in self.request.body_arguments}
        )
        language.use(self.language)
        try:
            self.room.ask(*form.read())
        except ValueError as error:
            await self.show(form, str(error))
        else:
            self.redirect(self.own_path)

    async def show(self, form: Form, problem: str = "") -> None:
        """Answer with the page."""
        names = {**await self.live(), "form": form, "problem": problem, "xsrf": self.xsrf_form_html()}
        self.finish(self.render_template("class.html", **names))


class Live(TeacherPage):
    """The part of the teacher's page that changes by itself."""

    async def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish(self.render_template("class_live.html", **await self.live()))


class Reveal(TeacherPage):
    """Shows the right answer."""

    def post(self) -> None:
        self.room.reveal()
        self.redirect(self.own_path)


class Bet(InClass):
    """Leads to what the class bets on: a short link, which stays the same from question to question."""

    @authenticated
    def get(self) -> None:
        question = self.room.question
        self.redirect(self.base_url + (question.path(self.room.token) if question else f"?{self.key}"))


class Place(InClass):
    """Tells a student who waits whether there is a place."""

    @authenticated
    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish({"free": self.places.asks(self.visitor)})


def in_words(value: float, digits: int) -> str:
    """Return a number as the current language writes it."""
    return language.numeral(f"{value:.{digits}f}")


def handlers(server_url: str) -> list[tuple]:
    """Return the addresses of a class and what answers there."""
    root = f"{server_url}class"
    return [
        (root, Overview),
        (f"{root}/live", Live),
        (f"{root}/reveal", Reveal),
        (f"{root}/place", Place),
        (f"{root}/enter/(.*)", Entrance),
        (f"{server_url}bet", Bet),
    ]
