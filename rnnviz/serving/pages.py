"""The pages of this server, and which of Voila's own each of them replaces."""

import asyncio
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import FileFindHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyterlab_server.themes_handler import ThemesHandler
from tornado.web import HTTPError
from voila.handler import BaseVoilaHandler
from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler
from voila.static_file_handler import AllowListFileHandler, TemplateStaticFileHandler
from voila.tornado.contentshandler import VoilaContentsHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler
from voila.tornado.treehandler import TornadoVoilaTreeHandler

from . import access, files, gallery, languages


class Page(BaseVoilaHandler):
    """A page in the visitor's language."""

    @property
    def language(self) -> str:
        return languages.wanted(self.request.query, self.request.headers.get("Accept-Language", ""))

    @property
    def key(self) -> str:
        """What the addresses on a page carry on from its own: a frame has no cookie for the token."""
        return urlencode({"token": self.token}) if self.token_authenticated else ""

    @property
    def folder(self) -> Path:
        return Path(self.settings["rnnviz_notebooks"])

    def get_login_url(self) -> str:
        raise HTTPError(403)

    def write_error(self, status_code: int, **fault: Any) -> None:
        if not hasattr(self, "_jupyter_current_user"):  # what is no address at all fails before the visitor is known
            self.current_user = self._jupyter_current_user = None
        super().write_error(status_code, **fault)

    def render_template(self, name: str, **names: Any) -> str:
        self.set_header("Vary", "Accept-Language")
        return super().render_template(name, language=self.language, **names)


class IndexPage(Page):
    """The page that links to every notebook; Voila's folder listing redirects here."""

    def get(self, path: str = "") -> None:
        if self.request.path != self.base_url:
            self.redirect("?".join(filter(None, [self.base_url, self.request.query])))
            return
        cards = gallery.cards(self.folder, self.language)
        columns = gallery.columns(len(cards))
        self.finish(self.render_template("gallery.html", cards=cards, columns=columns, key=self.key))


class NotebookPage(Page, TornadoVoilaHandler):
    """The page of a notebook, or a redirect to its translation where the link asks for one."""

    rendering: asyncio.Future | None = None

    @cached_property
    def kernel_manager(self) -> access.OwnKernels:
        return access.OwnKernels(super().kernel_manager, self.authorizer, self)

    async def prepare(self) -> None:
        await super().prepare()
        # Reading the token sets its cookie. Voila's page sends it back when its tab is closed, to free the kernel.
        _ = self.xsrf_token

    async def get(self, path: str | None = None) -> None:
        address = languages.translation(self.folder, path or "", self.request.query)
        if address:
            self.redirect(address)
            return
        with self.authorizer.place(self), suppress(asyncio.CancelledError):
            if self.current_user and self.current_user.username == access.SERVER:
                await super().get(path)
            elif prepared := await self.settings["rnnviz_prepared"].take(path, self):
                self.set_header("Cache-Control", "no-store")  # as Voila sets it
                self.finish(prepared)
            else:
                await self.render_ahead(path)

    async def render_ahead(self, path: str | None) -> None:
        """Render the page ahead of all who wait for a turn."""
        async with self.settings["rnnviz_turns"].ahead():
            if not self.kernel_manager.is_left:
                self.rendering = asyncio.ensure_future(super().get(path))
                await self.rendering

    def on_connection_close(self) -> None:
        """Free the kernel of a page that was left before it was whole."""
        asyncio.ensure_future(self.kernel_manager.leave())
        if self.rendering and self.kernel_manager.kernel_id:
            self.rendering.cancel()

    def redirect_to_file(self, path: str) -> None:
        raise HTTPError(404)


class MissingPage(Page):
    """The answer to an unknown address."""

    async def prepare(self) -> None:
        await super().prepare()
        raise HTTPError(404)


class Refusal(Page):
    """The answer to a foreign page, and to a host name that is not the server's."""

    def initialize(self, reason: str) -> None:
        super().initialize(voila_configuration=self.settings["voila"].voila_configuration)
        self.reason = reason

    async def prepare(self) -> None:
        raise HTTPError(403)

    def render_template(self, name: str, **names: Any) -> str:
        return super().render_template(name, reason=self.reason, **names)


class Kernel(files.Closed, KernelHandler):
    """Whether a page's kernel is alive."""


class Channels(files.Closed, VoilaKernelWebsocketHandler):
    """The websocket between a page and its kernel."""

    async def pre_get(self) -> None:
        kernels = self.kernel_manager
        if self.kernel_id in kernels and not await ensure_async(kernels.get_kernel(self.kernel_id).is_alive()):
            raise HTTPError(404)  # Jupyter waits a minute for it
        await super().pre_get()


class Farewell(files.Closed, VoilaShutdownKernelHandler):
    """Frees the kernel of a page that is left, also of one in a frame, where browsers block the cookie of its token."""

    def check_xsrf_cookie(self) -> None:
        # Only the page itself knows its path.
        if not access.page_kernel(self.request):
            super().check_xsrf_cookie()

    @authorized(action="write", resource="kernels")
    async def post(self, kernel_id: str) -> None:
        await self.authorizer.free(kernel_id)
        self.set_status(204)


OWN_PAGES = {
    TornadoVoilaTreeHandler: IndexPage,
    TornadoVoilaHandler: NotebookPage,
    VoilaContentsHandler: MissingPage,
    VoilaShutdownKernelHandler: Farewell,
    KernelHandler: Kernel,
    VoilaKernelWebsocketHandler: Channels,
    FileFindHandler: files.LabFiles,
    ThemesHandler: files.Themes,
    TemplateStaticFileHandler: files.TemplateFiles,
    AllowListFileHandler: files.Pictures,
}
