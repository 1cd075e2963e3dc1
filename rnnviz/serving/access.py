"""Who gets what from the server: the names it answers to, foreign pages, the token, and whose kernel is whose."""

from __future__ import annotations

import asyncio
import hmac
import os
import re
import secrets
import socket
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import User
from jupyter_server.base.handlers import JupyterHandler
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.routing import Router
from tornado.web import Application, HTTPError, RequestHandler
from traitlets import Int
from voila.voila_identity_provider import VoilaIdentityProvider

PAGE_KERNEL = "rnnviz_page_kernel"  # the attribute of a request that came by the path of a page
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
FRAMES = frozenset({"iframe", "frame", "embed", "object"})
KEY = secrets.token_bytes(32)  # a new one for every start of the server
SERVER = "the server"  # as a visitor of its own pages, which it prepares
OWN_HEADER, OWN_KEY = "X-Rnnviz-Server", secrets.token_urlsafe(32)  # by which it knows itself
IDLE = int(os.environ.get("RNNVIZ_IDLE", 300))  # seconds without a page after which its kernel is freed


def page_path(kernel_id: str) -> str:
    """Return the path, below the base URL, at which one page reaches its kernel.

    It holds a secret, so that a page in a frame, whose cookies browsers block, needs none.
    """
    return f"page/{kernel_id}.{hmac.new(KEY, kernel_id.encode(), 'sha256').hexdigest()}/"


def names_of(addresses: Iterable[str], public: Iterable[str] = ()) -> frozenset[str]:
    """Return the host names that a server bound to these addresses answers to; "*" stands for every IP address.

    A name that the server does not know may be one that a foreign site points at this machine (DNS rebinding).

    >>> sorted(names_of(["127.0.0.1"], ["Rnnviz.example.edu"]))
    ['127.0.0.1', '::1', 'localhost', 'rnnviz.example.edu']
    >>> "*" in names_of(["0.0.0.0"]), "192.0.2.7" in names_of(["192.0.2.7"])
    (True, True)
    """
    names, bound = {*LOOPBACK, *(name.lower() for name in public)}, [ip_address(address) for address in addresses]
    if any(not address.is_loopback for address in bound):
        names |= {socket.gethostname().lower(), f"{socket.gethostname().lower()}.local", socket.getfqdn().lower()}
    return frozenset(names | {"*" if address.is_unspecified else str(address) for address in bound})


def is_address(name: str) -> bool:
    """Tell whether a host name is an IP address."""
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def page_kernel(request: HTTPServerRequest) -> str:
    """Return the kernel of the page that sent a request to its own path, else ""."""
    return getattr(request, PAGE_KERNEL, "")


def is_same(guess: str, secret: str) -> bool:
    """Compare with a secret, in a time that tells nothing of it."""
    return hmac.compare_digest(guess.encode(), secret.encode())


class Gate(Router):
    """Stands in front of every handler: refuses foreign names and foreign pages, and resolves the paths of pages."""

    def __init__(self, app: Application, names: frozenset[str], embed: str | None, refusal: type[RequestHandler]):
        self.app, self.names, self.embed, self.refusal = app, names, embed, refusal

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> HTTPMessageDelegate:
        reason = "origin" if self.is_foreign(request) else "" if self.knows(request.host_name) else "host"
        if reason:
            return self.app.get_handler_delegate(request, self.refusal, {"reason": reason})
        self.resolve(request)
        return self.app.find_handler(request)

    def knows(self, host: str) -> bool:
        """Tell whether the server answers to a host name. No foreign site can have an IP address for its name."""
        name = host.removeprefix("[").removesuffix("]")
        return name in self.names or ("*" in self.names and is_address(name))

    def is_foreign(self, request: HTTPServerRequest) -> bool:
        """Tell whether a page of another origin sent a request, other than for a link that was followed or a frame."""
        get = request.headers.get
        origin = get("Origin", get("Sec-WebSocket-Origin"))
        if origin is not None and origin.lower().partition("://")[2] != request.host.lower():
            return True
        if get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            return False
        is_frame = get("Sec-Fetch-Dest") in FRAMES
        return get("Sec-Fetch-Mode") != "navigate" or (is_frame and not self.may_embed(get("Referer", "")))

    def may_embed(self, referer: str) -> bool:
        """Tell whether the page of a frame may show this server's pages: an LMS may keep its own address to itself."""
        return self.embed is not None and (not referer or f"{referer}/".startswith(f"{self.embed}/"))

    def resolve(self, request: HTTPServerRequest) -> None:
        """Note which kernel's page sent a request to its own path, and lead it to the address below that path."""
        base_url = self.app.settings["base_url"]
        found = re.match(re.escape(base_url) + r"(page/([\w-]+)[.]\w+/)", request.path, re.ASCII)
        if found and hmac.compare_digest(found[1], page_path(found[2])):
            setattr(request, PAGE_KERNEL, found[2])
            request.path = base_url + request.path[found.end() :]


class Visitors(VoilaIdentityProvider):
    """Knows a visitor by the token, by the cookie that the token earned, or by the path of an own page."""

    async def get_user(self, handler: JupyterHandler) -> User | None:
        if is_same(handler.request.headers.get(OWN_HEADER, ""), OWN_KEY):
            return User(SERVER)
        kernel = page_kernel(handler.request)
        return User(kernel) if kernel else await super().get_user(handler)

    def get_handlers(self) -> list:
        """Return no login page: the link that a visitor was given holds the token."""
        return []


class Owners(Authorizer):
    """Lets a visitor reach the kernels of their own pages, and no other, and limits how many there are."""

    max_kernels = Int(config=True, help="how many pages may have a kernel at a time; 0: as many as come")

    def __init__(self, **options: Any):
        super().__init__(**options)
        self.owners: dict[str, str] = {}
        self.opening: set[JupyterHandler] = set()

    def is_authorized(self, handler: JupyterHandler, user: User, action: str, resource: str) -> bool:
        kernel_id = handler.path_kwargs.get("kernel_id", "".join(handler.path_args[:1]))
        return kernel_id in (page_kernel(handler.request), *self.of(user))

    def of(self, user: User) -> list[str]:
        """Return the kernels of a visitor."""
        return [kernel_id for kernel_id, owner in self.owners.items() if owner == user.username]

    @property
    def kernels(self) -> Any:
        assert self.parent is not None
        return self.parent.kernel_manager

    def takes_place(self, visitor: str) -> bool:
        """Tell whether the pages of a visitor count."""
        return visitor != SERVER

    def taken(self) -> list[str]:
        """Return the kernels that take places, the oldest first."""
        alive = set(self.kernels.list_kernel_ids())
        self.owners = {kernel_id: owner for kernel_id, owner in self.owners.items() if kernel_id in alive}
        return [kernel_id for kernel_id, owner in self.owners.items() if self.takes_place(owner)]

    @property
    def free_places(self) -> int:
        """How many more pages may come, where there is a limit."""
        opening = sum(self.takes_place(page.current_user.username) for page in self.opening)
        return self.max_kernels - len(self.taken()) - opening

    def is_full(self) -> bool:
        """Tell whether no place is free."""
        return self.max_kernels > 0 and self.free_places <= 0

    def check_in(self, page: JupyterHandler) -> None:
        """Raise HTTPError 503 if there is no place for a page."""
        if self.is_full():
            raise HTTPError(503)

    @contextmanager
    def place(self, page: JupyterHandler) -> Iterator[None]:
        """Keep a place for the kernel of a page; HTTPError 503 if all are taken."""
        self.check_in(page)
        self.opening.add(page)
        try:
            yield
        finally:
            self.opening.discard(page)

    def give(self, kernel_id: str, page: JupyterHandler) -> None:
        """Make a kernel that of a page's visitor."""
        self.owners[kernel_id] = page.current_user.username
        self.opening.discard(page)

    def free(self, kernel: str) -> Awaitable[None]:
        """Give a kernel's place away at once, and return its shutdown. More than once does no harm."""
        return self.shut_down(kernel) if self.owners.pop(kernel, None) else asyncio.sleep(0)

    async def shut_down(self, kernel: str) -> None:
        if kernel in self.kernels:
            await ensure_async(self.kernels.shutdown_kernel(kernel, now=True))


class OwnKernels:
    """The kernel manager as one page sees it: the kernel that it gets is its visitor's."""

    def __init__(self, manager: Any, owners: Owners, page: JupyterHandler):
        self.manager, self.owners, self.page = manager, owners, page
        self.kernel_id, self.is_left = "", False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.manager, name)

    async def take(self, kernel_id: str) -> None:
        """Make a kernel the visitor's; CancelledError if the page was left before it came."""
        self.kernel_id = kernel_id
        self.owners.give(kernel_id, self.page)
        if self.is_left:
            await self.leave()
            raise asyncio.CancelledError

    def leave(self) -> Awaitable[None]:
        """Give the place of a page that is left away, and free its kernel once there is one."""
        self.is_left = True
        self.owners.opening.discard(self.page)
        return self.owners.free(self.kernel_id)

    async def start_kernel(self, **options: Any) -> str:
        kernel_id = await ensure_async(self.manager.start_kernel(**options))
        await self.take(kernel_id)
        return kernel_id

    async def get_rendered_notebook(self, **options: Any) -> tuple:
        *rendered, kernel_id = await self.manager.get_rendered_notebook(**options)
        await self.take(kernel_id)
        return *rendered, kernel_id
