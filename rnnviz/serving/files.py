"""The static files of templates, and the pictures of the notebook folder."""

from collections.abc import Awaitable
from pathlib import PurePosixPath
from typing import Any, cast

from jupyter_server.base.handlers import FileFindHandler, JupyterHandler
from jupyterlab_server.themes_handler import ThemesHandler
from tornado.web import HTTPError, RequestHandler, authenticated
from voila.static_file_handler import AllowListFileHandler, TemplateStaticFileHandler


class Closed:
    """Answers a fault in a few words, and leads to no login page: Jupyter's own pages need static files of theirs."""

    write_error = RequestHandler.write_error

    def get_login_url(self) -> str:
        raise HTTPError(403)


class LabFiles(Closed, FileFindHandler):
    """The scripts of JupyterLab's extensions."""


class Themes(Closed, ThemesHandler):
    """The themes of JupyterLab."""


class TemplateFiles(TemplateStaticFileHandler):
    """The static files of a template, and nothing outside of its folder."""

    async def get(self, path: str, include_body: bool = True) -> None:
        match PurePosixPath(path).parts:
            case [_, "static", _, *_] as parts if ".." not in parts and not {"\\", "\0"} & set(path):
                await super().get(path, include_body)
            case _:
                raise HTTPError(404)


class Pictures(Closed, JupyterHandler, AllowListFileHandler):
    """The pictures of the notebook folder, for visitors whom the server knows."""

    @authenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        if "\0" in path:
            raise HTTPError(404)
        await cast(Awaitable[None], AllowListFileHandler.get(self, path, include_body))

    def head(self, path: str) -> Awaitable[None] | None:
        return self.get(path, include_body=False)

    def compute_etag(self) -> Any:
        return AllowListFileHandler.compute_etag(self)
