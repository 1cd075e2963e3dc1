"""Kernels that are there at once: processes wait for them, with everything imported.

On Linux they are forked from one process, by `multiprocessing`'s fork server, and share its memory. Elsewhere a fork is
not safe, and each is started for itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import weakref
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import EntryPoint
from multiprocessing import connection, get_context
from types import ModuleType
from typing import Any, ClassVar

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from ..engine.batching import BLAS_THREADS
from ..learning.workers import replaced

NAME = "rnnviz-warm"
METHOD = os.environ.get("RNNVIZ_KERNELS") or ("forkserver" if sys.platform == "linux" else "spawn")
# For glibc's malloc: a kernel holds 40 MB instead of 160 MB more after 50 moves, since only what the main heap has free
# can be given back (see `rnnviz.dashboard.memory`), and computes faster, since blocks up to 32 MB stay in it meanwhile.
ONE_HEAP = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
}


class WarmProcess:
    """A process that waits to become a kernel, with what `LocalProvisioner` calls of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, context: Any):
        self.leash, end = context.Pipe()
        self.process = context.Process(target=become_kernel, args=[end], daemon=True)
        with replaced(sys.modules, {"__main__": ModuleType("__main__")}):  # otherwise each process imports it again
            self.process.start()
        end.close()
        self.pid = self.process.pid
        self.end = self.process.sentinel
        if hasattr(os, "pidfd_open"):
            # The sentinel is the fork server's word, which is also sent where that ends before the process.
            self.end = os.pidfd_open(self.pid)
            weakref.finalize(self, os.close, self.end)

    def run(self, command: list[str], environment: dict[str, str], folder: str) -> None:
        """Let the process become a kernel."""
        # Voila's names of variables are members of an enumeration: a pickle would import Voila there.
        self.leash.send_bytes(json.dumps([command, environment, folder]).encode())

    def poll(self) -> int | None:
        """Return None while the process runs."""
        return self.wait() if connection.wait([self.end], 0) else None

    def wait(self) -> int:
        """Wait for the end, and take note of it."""
        connection.wait([self.end])
        self.process.join()
        return 0

    def send_signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.process.terminate()

    def kill(self) -> None:
        self.process.kill()


class Pool:
    """A process that waits to become the next kernel."""

    def __init__(self, method: str):
        self.method = method
        self.context: Any = get_context(method)
        if method == "forkserver":
            self.context.set_forkserver_preload([f"{__package__}.warm_process"])
        self.waiting: deque[WarmProcess] = deque()
        self.starter = ThreadPoolExecutor(1, "warm")  # which also waits for the first process to be warm

    def fill(self) -> Future[None]:
        """Start a process if none waits."""
        return self.starter.submit(self.start_missing)

    def start_missing(self) -> None:
        if not self.waiting:
            self.waiting.append(WarmProcess(self.context))

    async def take(self) -> WarmProcess:
        """Return a process that waits, or else a new one."""
        while self.waiting:
            process = self.waiting.popleft()
            if process.poll() is None:
                return process
        return await asyncio.get_running_loop().run_in_executor(self.starter, WarmProcess, self.context)

    def close(self) -> None:
        """End the processes that wait."""
        self.starter.shutdown(cancel_futures=True)
        while self.waiting:
            self.waiting.pop().kill()


class WarmProvisioner(LocalProvisioner):
    """Provides kernels of this Python from the pool, and all others as jupyter_client does."""

    pool: ClassVar[Pool]
    process: Any

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        if cmd[0] != sys.executable or "ipykernel_launcher" not in cmd or self.kernel_spec.env:
            return await super().launch_kernel(cmd, **kwargs)
        try:
            process = await self.pool.take()
            process.run(cmd, kwargs["env"], kwargs.get("cwd") or os.getcwd())
        except (OSError, EOFError) as error:
            self.log.warning("No warm process (%r): a kernel is started instead.", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.process, self.pid, self.pgid = process, process.pid, process.pid
        self.pool.fill()
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        if self.process and signum == signal.SIGINT and sys.platform == "win32":
            self.process.leash.send_bytes(b"interrupt")
        else:
            await super().send_signal(signum)


def become_kernel(leash: connection.Connection) -> None:
    """Wait to become a kernel, in a process of the pool."""
    from .warm_process import become_kernel

    become_kernel(leash)


def start(method: str = METHOD) -> Pool:
    """Begin to fill the pool, whose processes have one BLAS thread and one heap, and let Jupyter use it."""
    for name, value in {**dict.fromkeys(BLAS_THREADS, "1"), **ONE_HEAP}.items():
        os.environ.setdefault(name, value)
    factory = KernelProvisionerFactory
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:{WarmProvisioner.__name__}", factory.GROUP_NAME)
    pool = getattr(WarmProvisioner, "pool", None)
    if pool is None or pool.method != method:
        pool = WarmProvisioner.pool = Pool(method)
    pool.fill()
    return pool


async def ready() -> None:
    """Wait until the pool is full, or cannot be filled: then kernels are started as usual."""
    await asyncio.wait([asyncio.wrap_future(WarmProvisioner.pool.fill())])
