"""A client that uses a kernel as soon as it answers."""

from __future__ import annotations

import asyncio
from queue import Empty

import zmq.asyncio
from jupyter_client.asynchronous import AsyncKernelClient


class KernelDied(RuntimeError):
    """A kernel has died before it answered."""


class PromptClient(AsyncKernelClient):
    """A client that is ready as soon as the kernel is: jupyter_client's own waits until it is silent for 0.2 s.

    It starts no thread, where jupyter_client's own starts three for each page: where the system allows no more of them,
    ZeroMQ ends the whole server.
    """

    def _context_default(self) -> zmq.asyncio.Context:
        return self.parent.context if self.parent else super()._context_default()

    def start_channels(
        self, shell: bool = True, iopub: bool = True, stdin: bool = True, hb: bool = False, control: bool = True
    ) -> None:
        """Start the channels but the heartbeat: the server asks its own processes whether they live."""
        super().start_channels(shell, iopub, stdin, hb, control)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and can be heard.

        Raises
        ------
        KernelDied : it never answers. TimeoutError : it has not answered in time.
        """
        async with asyncio.timeout(timeout):
            while not await self.answers():
                if not await self.is_alive():
                    raise KernelDied("Kernel died before replying to kernel_info")  # as jupyter_client says it

    async def answers(self) -> bool:
        """Ask the kernel who it is, and tell whether its reply came on one channel and its end of work on the other."""
        request = self.kernel_info()
        try:
            reply = await self.get_shell_msg(timeout=1)
            while not is_end_of(request, await self.get_iopub_msg(timeout=0.2)):
                pass
        except Empty:
            return False
        self._handle_kernel_info_reply(reply)
        return True


def is_end_of(request: str, message: dict) -> bool:
    """Tell whether a message says that the kernel has done all that a request asks for."""
    is_its_own = message["parent_header"].get("msg_id") == request
    return is_its_own and message["content"].get("execution_state") == "idle"
