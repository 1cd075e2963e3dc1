"""The command `rnnviz`: `rnnviz demo` serves the dashboards on this machine and opens the browser."""

import argparse
import errno
import shlex
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from socket import gaierror
from types import ModuleType
from urllib.parse import urlsplit

from . import argument_types

FIRST_PORT = 8866
Show = Callable[[str], object]
DESCRIPTION = "Interactive dashboards on why the scale of the initial weights decides whether an RNN can learn."


class ExpectedError(Exception):
    """A failure that one sentence explains, and the exit status that goes with it."""

    def __init__(self, sentence: object, status: int = 2):
        super().__init__(sentence)
        self.status = status


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit status: 0, or another one after a sentence that says what is wrong."""
    arguments = parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except ExpectedError as error:
        print(f"rnnviz: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 0
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(prog="rnnviz", description=DESCRIPTION)
    commands = top.add_subparsers(required=True, metavar="command")
    demo = commands.add_parser("demo", help="serve the dashboards on this machine and open the browser")
    demo.add_argument(
        "notebooks", nargs="?", type=Path, help="the folder of notebooks to serve (default: the project's)"
    )
    demo.add_argument(
        "--class", dest="students", type=argument_types.class_size, metavar="N",
        help="prepare for N students: a page for each, a link with a QR code, and a page for the teacher",
    )  # fmt: skip
    demo.add_argument(
        "--host", type=argument_types.own_host, default="127.0.0.1", metavar="ADDRESS",
        help="let other computers in at this address of yours, 0.0.0.0 for all of them; only this computer by default",
    )  # fmt: skip
    demo.add_argument("--port", type=argument_types.port_number, help=f"default: {FIRST_PORT}, or the next free one")
    demo.add_argument(
        "--embed", type=argument_types.origin, help="let pages of this origin embed the dashboards, such as an LMS"
    )
    demo.add_argument(
        "--base-url",
        type=argument_types.base_url,
        default="/",
        help="path of the dashboards behind a proxy, such as /rnnviz/",
    )
    demo.add_argument(
        "--public-host", type=argument_types.public_origin, action="append", default=[], metavar="NAME",
        help="a name under which a proxy shows the pages, such as rnnviz.example.edu, after http:// if it has no "
        "certificate; may be repeated, and the first is that of the links",
    )  # fmt: skip
    demo.add_argument("--no-browser", action="store_true", help="only print the address")
    demo.set_defaults(run=run_demo)
    notebooks = commands.add_parser("notebooks", help="copy the notebooks into a folder, to edit them")
    notebooks.add_argument("folder", type=Path, help="where to; files that are there already are never overwritten")
    notebooks.set_defaults(run=run_notebooks)
    site = commands.add_parser("site", help="build a static site of the dashboards, which needs no server")
    site.add_argument("notebooks", nargs="?", type=Path, help="the folder of notebooks (default: the project's)")
    site.add_argument("--output", type=Path, default=Path("site"), help="the folder to make (default: site)")
    site.add_argument("--pyodide", help="a folder or archive with Pyodide's files (default: its release on GitHub)")
    site.set_defaults(run=run_site)
    sweep = commands.add_parser("sweep", help="run all cells of a grid side by side, and write one table")
    sweep.add_argument("grid", type=Path, help="a TOML file: schemes, seeds, [config], [train], [grid]; see the README")
    sweep.add_argument("--out", type=Path, required=True, help="the table to write: a .csv or .parquet file")
    where = sweep.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=argument_types.worker_count, help="processes on this machine (default: one for each core)"
    )
    where.add_argument("--scheduler", help="compute on the Dask cluster of this scheduler, such as tcp://10.0.0.1:8786")
    sweep.set_defaults(run=run_sweep)
    return top


def run_demo(arguments: argparse.Namespace) -> None:
    """Serve the notebooks until Ctrl-C."""
    folder = notebook_folder(arguments.notebooks)
    app = serving_app()
    sockets = bound_sockets(app, arguments.port, arguments.host)
    options = {"base_url": arguments.base_url, "embed": arguments.embed}
    options["public_hosts"] = [urlsplit(origin).hostname for origin in arguments.public_host]
    show = None if arguments.no_browser else open_browser
    if arguments.students is None:
        token, link = shared_link(arguments, sockets[0].getsockname()[1])
        app.serve(folder, sockets, announcer(show, link), token=token, **options)
    else:
        serve_class(arguments, folder, sockets, show, options)
    print("rnnviz has stopped.", flush=True)


def run_notebooks(arguments: argparse.Namespace) -> None:
    """Copy the notebooks, their translations and their pictures into a folder."""
    from .serving import copying

    try:
        copies = copying.copy_out(own_notebooks(), arguments.folder)
    except OSError as error:
        raise ExpectedError(f"{error.filename}: {error.strerror}.") from error
    count = sum(copy.suffix == ".ipynb" for copy in copies)
    print(f"Copied {count} notebooks and {len(copies) - count} pictures to {arguments.folder}.")
    print(f"To serve them: rnnviz demo {shlex.quote(str(arguments.folder))}", flush=True)


def run_site(arguments: argparse.Namespace) -> None:
    """Build the static site in a new folder."""
    folder, output = notebook_folder(arguments.notebooks), arguments.output
    if output.exists():
        raise ExpectedError(f"{output} exists; remove it, or choose another folder with --output.")
    try:
        from .serving import site

        is_compiled = site.build(folder, output, *filter(None, [arguments.pyodide]))
    except ModuleNotFoundError as error:
        sentence = f"the package {error.name!r} is missing; pip install 'rnnviz[site]' brings it."
        raise ExpectedError(sentence) from error
    except (ValueError, OSError) as error:
        raise ExpectedError(error) from error
    if not is_compiled:
        print("Node.js is not on the PATH: the packages are not compiled, so that each page starts some seconds later.")
    print(f"The site is in {output}; any server of files can serve it, such as python3 -m http.server.", flush=True)


def shared_link(arguments: argparse.Namespace, port: int) -> tuple[str, str]:
    """Return a token, "" where the server listens to this computer alone, and the link for other computers, if any."""
    from .serving import addresses, classroom

    public = "".join(arguments.public_host[:1])
    address = addresses.shared_address(arguments.host, port, arguments.base_url, public)
    if addresses.is_private(arguments.host):
        return "", address if public else ""
    token = classroom.new_token()
    return token, f"{address}?token={token}"


def serve_class(arguments: argparse.Namespace, folder: Path, sockets: list, show: Show | None, options: dict) -> None:
    """Serve a class, after a warning where this machine is too small for it."""
    from .engine.batching import available_cores

    with extra_packages():
        from .serving import capacity, class_server, classroom
    most = capacity.pages_with_files(arguments.students)
    for sentence in capacity.warnings(arguments.students, capacity.free_memory(), available_cores(), most=most):
        print(f"rnnviz: {sentence}", file=sys.stderr, flush=True)
    port = sockets[0].getsockname()[1]
    public = "".join(arguments.public_host[:1])
    room = classroom.Classroom(most, arguments.host, port, arguments.base_url, public=public)
    class_server.serve(folder, sockets, room, in_background(show), **options)


def run_sweep(arguments: argparse.Namespace) -> None:
    """Run the cells of a grid that are not finished yet, and write the table."""
    from .learning import sweep_file, workers

    where = workers.cluster(arguments.scheduler) if arguments.scheduler else workers.process_pool(arguments.workers)
    try:
        with where as executor:
            rows = sweep_file.sweep_file(arguments.grid, arguments.out, executor, sys.stderr)
    except (sweep_file.Stopped, KeyboardInterrupt) as stopped:
        raise ExpectedError(str(stopped) or "stopped.", 130) from None
    except ModuleNotFoundError as error:
        raise ExpectedError(f"the package {error.name!r} is missing; pip install {error.name} brings it.") from error
    except OSError as error:
        raise ExpectedError(f"{error.filename}: {error.strerror}." if error.filename else error) from error
    except (ValueError, MemoryError, BrokenExecutor) as error:
        raise ExpectedError(error) from error
    print(f"{arguments.out} has {rows} rows.", flush=True)


def announcer(show: Show | None, link: str = "") -> Callable[[str], None]:
    """Return a function that prints an address and ``link``, and calls ``show`` in a thread of its own."""

    def announce(address: str) -> None:
        print(f"rnnviz runs at {address} (Ctrl-C stops it)", flush=True)
        if link:
            print(f"The link for other computers: {link}", flush=True)
        in_background(show)(address)

    return announce


def in_background(show: Show | None) -> Show:
    """Return a function that shows an address, if at all, in a thread: text browsers return at their end."""

    def start(address: str) -> None:
        if show:
            threading.Thread(target=show, args=[address], daemon=True).start()

    return start


def open_browser(address: str, browser: Callable[[str], bool] = webbrowser.open) -> None:
    """Open the page in a browser, or print its address."""
    if not browser(address):
        print(f"No browser was found on this machine: open {address} in one.", flush=True)


def notebook_folder(given: Path | None) -> Path:
    """Return the folder to serve: the given one, or the package's own."""
    if given is None:
        return own_notebooks()
    if not given.is_dir():
        raise ExpectedError(f"there is no folder {str(given)!r}; give a folder that holds notebooks.")
    return given.resolve()


def own_notebooks() -> Path:
    """Return the folder of the notebooks that came with the package: in it, or beside it in a clone."""
    package = Path(__file__).resolve().parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise ExpectedError("the notebooks are missing; give their folder, as in 'rnnviz demo my_notebooks'.")


def serving_app() -> ModuleType:
    """Import the server, which needs the packages of the extra `app`, and meanwhile warm kernels up."""
    with extra_packages():
        from .serving import warm_kernels

        warm_kernels.start()
        from .serving import app
    return app


@contextmanager
def extra_packages() -> Iterator[None]:
    """Say how to install what is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        sentence = f"the package {error.name!r} is missing; pip install 'rnnviz[app]' brings it."
        raise ExpectedError(sentence) from error


def bound_sockets(app: ModuleType, port: int | None, host: str) -> list:
    """Bind the requested port of an address of this machine, or else the first free one."""
    for candidate in [port] if port else [*range(FIRST_PORT, FIRST_PORT + 50), 0]:
        try:
            return app.bind(candidate, host)
        except OSError as error:
            problem = error
    if isinstance(problem, gaierror) or problem.errno == errno.EADDRNOTAVAIL:
        raise ExpectedError(f"this machine has no address {host}; --host 0.0.0.0 stands for all that it has.")
    if problem.errno == errno.EACCES:
        raise ExpectedError(f"this account may not use port {port}; choose one above 1023, or leave it out.")
    raise ExpectedError(f"port {port} is already in use; choose another with --port, or leave it out.")


if __name__ == "__main__":
    sys.exit(main())
