"""Voila with this project's settings: it serves this machine only, frees kernels, hides sources, has its own pages."""

import asyncio
import logging
import os
import signal
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket

import zmq
from nbclient.exceptions import DeadKernelError
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.httputil import url_concat
from tornado.ioloop import IOLoop, PeriodicCallback
from tornado.websocket import WebSocketClosedError
from traitlets.config import Config
from voila.app import Voila

from . import access, addresses, capacity, exporter, pages, prepared, turns, warm_kernels
from .prompt_client import PromptClient

HOST = "127.0.0.1"
MAX_BODY = 2**20  # of a request, in bytes
# What the server's libraries say of what happens every day.
ROUTINE = (
    "Culling ",
    "Clearing invalid/expired",
    "Got events for closed stream",
    "Kernel died while waiting for execute reply",
)
PRIVATE = {"Referrer-Policy": "same-origin"}  # an address may hold the token
TEMPLATE_ROOT = Path(__file__).parent / "jupyter"
STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGBREAK") if hasattr(signal, name)]


class Server(Voila):
    """Voila with this project's pages, on given sockets."""

    sockets: list[socket]
    public_hosts: Iterable[str] = ()
    embed: str | None = None
    on_ready: Callable[[str], None] = staticmethod(print)

    def init_settings(self) -> dict:
        self.turns, self.prepared = turns.Turns(), prepared.Prepared(self)
        own = {"rnnviz_notebooks": self.root_dir, "rnnviz_turns": self.turns, "rnnviz_prepared": self.prepared}
        return {**super().init_settings(), **own}

    def init_handlers(self) -> list:
        handlers = [(path, pages.OWN_PAGES.get(page, page), *rest) for path, page, *rest in super().init_handlers()]
        return [*handlers, (r".*", pages.MissingPage, {"voila_configuration": self.voila_configuration})]

    def listen(self) -> None:
        """Serve on the given sockets; stop every kernel at the end."""
        names = access.names_of([each.getsockname()[0] for each in self.sockets], self.public_hosts)
        gate = access.Gate(self.app, names, self.embed, pages.Refusal)
        HTTPServer(gate, max_body_size=MAX_BODY).add_sockets(self.sockets)
        self.ioloop = IOLoop.current()
        self.ioloop.add_callback(self.hand_out_turns)
        self.ioloop.add_callback(self.announce)
        for name in STOP_SIGNALS:
            # A KeyboardInterrupt could be raised, and swallowed, anywhere inside the loop.
            signal.signal(name, self._handle_signal_stop)
        if sys.platform == "win32":
            PeriodicCallback(lambda: None, 500).start()  # otherwise Ctrl-C waits for the next request
        try:
            self.ioloop.start()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop every kernel, also after one that could not start: its name, left behind, would end this halfway."""
        starting = self.kernel_manager._pending_kernels
        for name in starting.keys() - set(self.kernel_manager.list_kernel_ids()):
            del starting[name]
        super().stop()

    async def hand_out_turns(self) -> None:
        """Let the kernels take turns where the system has sockets in files, in the folder that only this user sees."""
        path = Path(self.connection_dir, "turns")
        if has_socket_files(path):
            self.turns_server = await self.turns.listen(path)
            os.environ[turns.ADDRESS] = str(path)

    @property
    def connection_url(self) -> str:
        """The address at which this machine reaches the server."""
        host, port = self.sockets[0].getsockname()[:2]
        return addresses.web_address(addresses.own_address(host), port, self.base_url)

    async def announce(self) -> None:
        """Report the address once the index page answers and a kernel is at hand."""
        await warm_kernels.ready()
        address = url_concat(self.connection_url, {"token": self.token} if self.token else {})
        await AsyncHTTPClient().fetch(address)
        self.on_ready(address)


def settings(notebooks: Path, port: int, base_url: str = "/", embed: str | None = None, token: str = "") -> Config:
    """Return Voila's settings: what it serves, where, to whom, in whose frames, and when it frees a kernel."""
    config = Config()
    config.Voila.update(root_dir=str(notebooks), ip=HOST, port=port, base_url=base_url, open_browser=False)
    config.Voila.log_level = logging.WARNING
    config.Voila.update(token=token, identity_provider_class=access.Visitors, authorizer_class=access.Owners)
    config.IdentityProvider.cookie_options = {"samesite": "Lax"}
    # Jupyter's pings close a healthy socket that answers a millisecond late; see `addresses.notice_the_dead`.
    config.Voila.tornado_settings = {"ws_ping_interval": 0, "headers": {**frame_headers(embed), **PRIVATE}}
    config.VoilaConfiguration.update(
        template="rnnviz",
        allow_template_override="NO",
        allow_theme_override="NO",
        strip_sources=True,
        file_allowlist=[r"(?!(.*[\\/])?\.).*\.(png|jpg|gif|svg)"],
        # It highlights code, which these pages do not show, and logs a version warning on every page.
        extension_denylist=["jupyterlab_pygments"],
    )
    # A tab frees its kernel when it is closed; culling catches the tabs that could not.
    config.MappingKernelManager.update(
        cull_interval=min(30, access.IDLE), cull_idle_timeout=access.IDLE, cull_connected=False
    )
    config.KernelManager.update(transport_to_kernels(), client_factory=PromptClient)
    config.KernelProvisionerFactory.default_provisioner_name = warm_kernels.NAME
    # A page whose kernel answers later than these seconds, as when a class arrives, would come without its dashboard.
    config.VoilaExecutor.update(iopub_timeout=120, startup_timeout=300)
    # A restarted kernel would be empty, but its page would look alive.
    config.KernelRestarter.restart_limit = 0
    return config


def frame_headers(origin: str | None) -> dict[str, str]:
    """Return the headers that let pages of one origin, or of none, show this server's pages in a frame."""
    if origin is None:
        return {"Content-Security-Policy": "frame-ancestors 'none'", "X-Frame-Options": "DENY"}
    # X-Frame-Options cannot name an origin.
    return {"Content-Security-Policy": f"frame-ancestors {origin}"}


def transport_to_kernels(folder: str | None = None) -> dict:
    """Return how the server talks to its kernels: over sockets in a temporary folder, or else over ports.

    The server chooses a port, but the kernel binds it a second later; another process may have taken it by then.
    """
    longest = Path(folder or tempfile.gettempdir(), "voila_12345678", f"kernel-{uuid.UUID(int=0)}-ipc-99")
    if zmq.has("ipc") and sys.platform != "win32" and len(os.fsencode(longest)) <= zmq.IPC_PATH_MAX_LEN:
        return {"transport": "ipc"}
    # Other users of this machine can reach a kernel's ports.
    return {"transport_encryption": "auto" if zmq.has("curve") else "disabled"}


def has_socket_files(path: Path) -> bool:
    """Tell whether asyncio can listen at a path of this length on this system."""
    return hasattr(asyncio, "start_unix_server") and len(os.fsencode(path)) <= zmq.IPC_PATH_MAX_LEN


def serve(
    notebooks: Path,
    sockets: list[socket],
    on_ready: Callable[[str], None],
    base_url: str = "/",
    embed: str | None = None,
    token: str = "",
    public_hosts: Iterable[str] = (),
    max_kernels: int | None = None,
    kind: Callable[..., Server] = Server,
) -> None:
    """Serve a folder of notebooks on bound sockets until Ctrl-C or a termination signal.

    With a token, only to those who have it. ``public_hosts`` are the names by which a proxy asks for the pages, and
    ``max_kernels`` is how many pages may have a kernel at a time: by default as many as fit into half the memory.
    """
    warm_kernels.start()
    prepare_environment()
    exporter.install()
    config = settings(notebooks, sockets[0].getsockname()[1], base_url, embed, token)
    most = capacity.fitting_kernels() if max_kernels is None else max_kernels
    config.Owners.max_kernels = capacity.pages_with_files(most)
    server = kind(config=config, config_file_paths=[])
    server.sockets, server.on_ready = sockets, on_ready
    server.public_hosts, server.embed = public_hosts, embed
    server.log.addFilter(is_news)
    logging.getLogger("tornado.general").addFilter(is_news)
    logging.getLogger("asyncio").addFilter(is_fault)
    server.initialize([])
    server.start()


def is_news(record: logging.LogRecord) -> bool:
    """Tell whether the terminal shows a record.

    That a kernel without a page was stopped is routine, as is the cookie of a server that ran here before. Of a kernel
    that has died the server says so itself; a page that was left before it was whole has none.
    """
    message = record.getMessage()
    is_late = record.exc_info is not None and isinstance(record.exc_info[1], DeadKernelError)
    return not (is_late or message.endswith("is not trusted") or message.startswith(ROUTINE))


def is_fault(record: logging.LogRecord) -> bool:
    """Tell whether a record is of a fault. A page that is closed while a message is on its way to it is none."""
    return not (record.exc_info and isinstance(record.exc_info[1], WebSocketClosedError))


def prepare_environment() -> None:
    """Let Voila find this project's template."""
    paths = [str(TEMPLATE_ROOT), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, paths))


def bind(port: int, host: str = HOST) -> list[socket]:
    """Return the sockets of a port, of the loopback address by default; raise OSError if it is taken."""
    bound = create_server((host, port), family=AF_INET6 if ":" in host else AF_INET, backlog=128)
    addresses.notice_the_dead(bound)
    bound.setblocking(False)
    return [bound]
