"""The kernel's event loop: whether there is one, what is done in it later, and what threads hand over to it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

SENT = 0.03  # seconds that a frame takes to leave
GIVE_WAY = 0.0001  # seconds after which a thread that computes lets others go on, as those that send what is ready


def be_polite() -> None:
    """In a kernel, let threads give way sooner than Python's 5 ms, a third of a picture's time on the screen."""
    if running_loop():
        sys.setswitchinterval(min(sys.getswitchinterval(), GIVE_WAY))


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the kernel's event loop, or None where there is none, as in a script."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def later(act: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Do something once the frame is on its way: the thread that sends it would wait for this one."""
    loop = running_loop()
    return loop.call_later(SENT, act) if loop else act()


def in_loop(loop: asyncio.AbstractEventLoop | None, act: Callable[..., None], *arguments) -> None:
    """From a thread, have something done in the kernel's loop, unless that is over; at once where there is none."""
    if loop is None:
        act(*arguments)
    elif not loop.is_closed():
        loop.call_soon_threadsafe(act, *arguments)
