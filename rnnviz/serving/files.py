"""The static files of templates, and the pictures of the notebook folder."""

from collections.abc import Awaitable
from pathlib import PurePosixPath
from typing import Any, cast

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, RequestHandler, authenticated
from voila.static_file_handler import AllowListFileHandler, TemplateStaticFileHandler


class TemplateFiles(TemplateStaticFileHandler):
    """The static files of a template, and nothing outside of its folder."""

    async def get(self, path: str, include_body: bool = True) -> None:
        _, *folder = parts = PurePosixPath(path).parts or ("",)
        if folder[:1] != ["static"] or {"..", "\\", "\0"} & {*parts, *path}:
            raise HTTPError(404)
        await super().get(path, include_body)


class Pictures(JupyterHandler, AllowListFileHandler):
    """The pictures of the notebook folder, for visitors whom the server knows."""

    # Jupyter's error page needs its own static files.
    write_error = RequestHandler.write_error

    @authenticated
    async def get(self, path: str, include_body: bool = True) -> None:
        await cast(Awaitable[None], AllowListFileHandler.get(self, path, include_body))

    def head(self, path: str) -> Awaitable[None] | None:
        return self.get(path, include_body=False)

    def compute_etag(self) -> Any:
        return AllowListFileHandler.compute_etag(self)
