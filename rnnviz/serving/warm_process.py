"""A process that is warm: everything that a kernel needs is imported and has run once. It waits to become a kernel.

Importing this module warms the process up. Where processes can be forked, one imports it for all.
"""

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which this process ends with

import ctypes  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import multiprocessing  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
from _thread import interrupt_main  # noqa: E402
from contextlib import suppress  # noqa: E402
from importlib import import_module  # noqa: E402
from multiprocessing.connection import Connection  # noqa: E402
from pathlib import Path  # noqa: E402

# As a kernel does before it imports matplotlib, and without a warning of the debugger that nobody can act on.
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")

import ipykernel.debugger  # noqa: E402, F401
import ipykernel.ipkernel  # noqa: E402, F401
import numpy as np  # noqa: E402
from ipykernel.kernelapp import IPKernelApp  # noqa: E402

PAGE = "rnnviz.dashboard.warm_up"  # by name: it stands on the same floor
# What a kernel imports while it starts.
LATE = ("IPython.core.completerlib", "IPython.core.debugger", "IPython.extensions.storemagic", "psutil", "sqlite3")
LINUX = Path("/proc/self")
VICTIM = "500"  # of 1000: where memory runs out, the system ends a kernel rather than the server


def warm_up() -> None:
    """Import all that a page needs, and freeze it: the garbage collector would copy what forks share."""
    for name in (PAGE, *LATE):
        import_module(name)
    gc.collect()
    gc.freeze()


def become_kernel(leash: Connection) -> None:
    """Wait for a kernel's command, environment and folder, and run it; end as soon as ``leash`` is closed."""
    try:
        command, environment, folder = json.loads(leash.recv_bytes())
    except (EOFError, OSError):
        return
    if hasattr(os, "setsid"):
        os.setsid()  # signals are sent to a kernel with all its own processes
    threading.Thread(target=end_with, args=[leash], daemon=True).start()
    forget_the_past()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if LINUX.is_dir():
        introduce(command)
    sys.argv = command[command.index("ipykernel_launcher") :]
    # This process is not the server's child, so that the kernel shall not watch its parent.
    IPKernelApp.launch_instance(argv=[*sys.argv[1:], "--IPKernelApp.parent_handle=1"])


def end_with(leash: Connection) -> None:
    """Take interrupts from the server (Windows has no signals), and end with it, with all that was started here."""
    with suppress(EOFError, OSError):
        while leash.recv_bytes():
            interrupt_main()
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def forget_the_past() -> None:
    """Undo what differs between a process of `multiprocessing` that has forked and a new one."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    multiprocessing.set_start_method(None, force=True)
    multiprocessing.current_process().daemon = False  # it may have processes of its own
    np.random.seed()


def introduce(command: list[str]) -> None:
    """Let Linux list this process by its command, and choose it where memory runs out."""
    start, end = map(int, Path(LINUX, "stat").read_text().rpartition(")")[2].split()[45:47])
    name = b"\0".join(map(os.fsencode, command))[: end - start - 1]
    ctypes.memmove(start, name.ljust(end - start, b"\0"), end - start)
    with suppress(OSError):
        Path(LINUX, "oom_score_adj").write_text(VICTIM)


warm_up()
