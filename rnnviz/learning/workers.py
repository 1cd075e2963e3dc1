"""Where the cells of a sweep are computed: processes on this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import context
from multiprocessing.connection import Connection
from types import ModuleType

from ..engine.batching import BLAS_THREADS, available_cores

MOST = 61  # processes of a pool on Windows


@contextmanager
def process_pool(count: int | None = None) -> Iterator[Executor]:
    """Provide ``count`` processes, by default one for each core, with one BLAS thread each.

    They end with the block, also in the middle of a computation, and with this process, also if that is killed. They
    import rnnviz but not the caller's script: it needs no ``if __name__ == "__main__":``, and schemes that it registers
    are not known to them.
    """
    reader, writer = Processes().Pipe(duplex=False)
    pool = ProcessPoolExecutor(min(count or available_cores(), MOST), Processes(), end_with, (reader,))
    try:
        yield pool
    finally:
        writer.close()
        pool.shutdown(cancel_futures=True)
        reader.close()


def end_with(leash: Connection) -> None:
    """Let this process end as soon as the other end of ``leash`` is closed; Ctrl-C is for the one that holds it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=wait_for_end, args=[leash], daemon=True).start()


def wait_for_end(leash: Connection) -> None:
    with suppress(EOFError, OSError):
        leash.recv_bytes()
    os._exit(1)


class Worker(context.SpawnProcess):
    """A new process, free of the caller's script, threads and Ctrl-C."""

    def start(self) -> None:
        with ExitStack() as undo:
            undo.enter_context(replaced(os.environ, dict.fromkeys(BLAS_THREADS, "1")))
            undo.enter_context(replaced(sys.modules, {"__main__": ModuleType("__main__")}))
            if hasattr(signal, "pthread_sigmask"):  # from the first moment on, before `end_with`
                before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
                undo.callback(signal.pthread_sigmask, signal.SIG_SETMASK, before)
            super().start()


class Processes(context.SpawnContext):
    """Starts a `Worker` for each process."""

    Process = Worker


@contextmanager
def replaced(mapping, changes: dict) -> Iterator[None]:
    """Change some entries of a mapping within the block."""
    before = {name: mapping[name] for name in changes if name in mapping}
    mapping.update(changes)
    try:
        yield
    finally:
        for name in changes:
            del mapping[name]
        mapping.update(before)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Provide the workers of the Dask scheduler at ``address``, such as "tcp://10.0.0.1:8786".

    Raises
    ------
    ModuleNotFoundError : without the extra `cluster`; OSError : where there is no scheduler.
    """
    from distributed import Client

    with Client(address) as client:
        yield client.get_executor(pure=False)
