"""A class at once: many students on one page, most of them without a browser.

    python benchmarks/load.py [ADDRESS] [--students 30] [--seconds 60] [--think 2] [--browsers 3] [--query gain=1.2]

All open the page within ``--ramp`` seconds. When all have a whole picture, each one thinks for ``--think`` seconds on
average, sets *Hidden size* to a random value from 16 to 256, and waits for the first new frame, for a picture of all
seeds, and for the whole one, again and again. With ``--restless`` nobody waits for the whole: the next move comes when
the time has come. An answer is lost if the whole picture of a setting that nothing has overtaken does not come within a
minute. Without ADDRESS, the benchmark runs a server of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import numpy as np
import psutil
from students import STAGES, Reader, Speaker, Student
from timing import machine, verdict
from tornado.httpclient import AsyncHTTPClient

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from conftest import BROWSER_FLAGS, BROWSERS, start_server  # noqa: E402

BARS = {"first": 0.5, "all_seeds": 4.0, "whole": 8.0}  # seconds, at the 95th percentile
OPENED, WITH_SETTINGS = 3.0, 8.0  # seconds to the first picture, also with settings in the link
NAMES = {"first": "first new frame", "all_seeds": "all seeds", "whole": "whole"}


def spread(name: str, seconds: list[float]) -> str:
    """Return the 50th and the 95th percentile in words."""
    if not seconds:
        return f"  {name:<18} none"
    p50, p95, most = np.percentile(seconds, (50, 95, 100))
    return f"  {name:<18} p50 {p50:6.2f} s   p95 {p95:6.2f} s   at most {most:6.2f} s   n = {len(seconds)}"


class Usage:
    """What the server at an address and the processes that it has started take of the machine."""

    def __init__(self, address: str):
        port = urlsplit(address).port
        listening = (each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN)
        pid = next((each.pid for each in listening if each.laddr.port == port and each.pid), None)
        self.server = psutil.Process(pid) if pid else None

    def kernels(self) -> list[psutil.Process]:
        return self.server.children(recursive=True) if self.server else []

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds of the server and of its kernels so far."""
        own, kernels = ([sum(each.cpu_times()[:2]) for each in part] for part in ([self.server], self.kernels()))
        return sum(own), sum(kernels)

    def memory(self) -> str:
        """Return the proportional set size of the kernels, in words."""
        if not (psutil.LINUX and self.server):
            return "not known"
        sizes = [each.memory_full_info().pss / 2**20 for each in self.kernels()]
        return f"{median(sizes):.0f} MB a kernel (median), {sum(sizes):.0f} MB in all, {len(sizes)} processes"


@asynccontextmanager
async def browser(count: int):
    """Run Chromium where some students have one."""
    if not count:
        yield None
        return
    from playwright.async_api import async_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)))
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=executable, args=BROWSER_FLAGS)
        yield running
        await running.close()


async def lesson(address: str, chosen: argparse.Namespace) -> None:
    """Let all students work at once, and print what they met."""
    AsyncHTTPClient.configure(None, max_clients=10 * chosen.students, max_body_size=1 << 30)
    usage = Usage(address)
    async with browser(chosen.browsers) as chromium:
        students: list[Student] = []
        for k in range(chosen.students):
            kind = Reader if k < chosen.browsers else Speaker
            students.append(kind(address, random.Random(f"{chosen.seed} {k}"), chosen.query))
            students[-1].browser = chromium
        ready, begin = asyncio.Barrier(len(students) + 1), time.perf_counter()
        tasks = [asyncio.create_task(student.work(ready, chosen)) for student in students]
        await ready.wait()
        print(f"  all ready after    {time.perf_counter() - begin:.1f} s; memory: {usage.memory()}", flush=True)
        before = usage.cpu()
        await asyncio.gather(*tasks)
        report(students, chosen, [after - b for after, b in zip(usage.cpu(), before, strict=True)])
        print(f"  memory at the end  {usage.memory()}")
        right = await asyncio.gather(*(student.shows_the_last() for student in students if not student.lost))
        verdict("students whose last picture is not of the last setting", len(students) - sum(right), high=0)
        for student in students:
            await student.leave()


def report(students: list[Student], chosen: argparse.Namespace, cpu: list[float]) -> None:
    """Print what the students have met beside its limits."""
    print(spread("page", [student.page for student in students if student.page]))
    kinds = {"": students, ", Chromium": students[: chosen.browsers]} if chosen.browsers else {"": students}
    for words, group in kinds.items():
        print(spread("first picture" + words, [student.opened for student in group if student.opened]))
        for name in STAGES:
            print(spread(NAMES[name] + words, [each for student in group for each in student.times[name]]))
    opened = [student.opened for student in students if student.opened]
    if opened:
        bar = WITH_SETTINGS if chosen.query else OPENED
        verdict("first picture: seconds, p95", float(np.percentile(opened, 95)), high=bar)
    moves = sum(student.moves for student in students)
    server, kernels = (1000 * each / max(moves, 1) for each in cpu)
    print(f"  moves              {moves}, of which overtaken: {sum(student.overtaken for student in students)}")
    print(f"  CPU time a move    {server:.0f} ms in the server, {kernels:.0f} ms in the kernels")
    for name, bar in BARS.items():
        times = [each for student in students for each in student.times[name]]
        if times:
            verdict(f"{NAMES[name]}: seconds, p95", float(np.percentile(times, 95)), high=bar)
    lost = [each for student in students for each in student.lost]
    verdict(f"lost answers {lost[:3] or ''}", len(lost), high=0)


def hold(lesson: Callable[[str, argparse.Namespace], Coroutine], chosen: argparse.Namespace) -> None:
    """Hold a lesson on the chosen server, or on one of its own."""
    if chosen.address:
        asyncio.run(lesson(chosen.address, chosen))
        return
    with tempfile.TemporaryDirectory() as folder:
        server = start_server([sys.executable, "-m", "rnnviz"], Path(folder) / "log")
        try:
            asyncio.run(lesson(server.url, chosen))
        finally:
            server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="of a running demo, as it prints it (default: start one)")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--browsers", type=int, default=0, help="how many of them have a real Chromium (default: 0)")
    parser.add_argument("--seconds", type=float, default=60, help="of work, once all are ready (default: 60)")
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between an answer and the next move")
    parser.add_argument("--restless", action="store_true", help="move again without waiting for the whole picture")
    parser.add_argument("--ramp", type=float, default=5.0, help="seconds within which all arrive (default: 5)")
    parser.add_argument("--query", default="", help="settings in the page's link, such as gain=1.2&seq_len=60")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    print(f"{machine()}; {chosen.students} students, {chosen.seconds:g} s, seed {chosen.seed}", flush=True)
    hold(lesson, chosen)


if __name__ == "__main__":
    main()
