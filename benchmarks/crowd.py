"""What a class takes of the machine, what a kernel's end does to the others, and what stays when all have left.

    python benchmarks/crowd.py [ADDRESS] [--students 30] [--moves 50] [--kill 10] [--think 2]

All open the page and move a slider ``--moves`` times. Then ``--kill`` kernels, chosen at random, are killed while the
others go on for as many moves as before. At the end all pages are closed. Without ADDRESS, the benchmark runs a server
of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from math import inf
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

import numpy as np
import psutil
from load import Usage, hold
from students import PATIENCE, Speaker
from timing import machine, verdict
from tornado.httpclient import AsyncHTTPClient

ROOT = Path(__file__).resolve().parents[1]
SAME = 1.1  # of the memory before a class came
TIDY = 120  # seconds until it is free again
sys.path.insert(0, str(ROOT / "tests"))

from conftest import is_kernel  # noqa: E402


def kernels(usage: Usage) -> set[psutil.Process]:
    """Return the processes that are kernels."""
    return set(filter(is_kernel, usage.kernels()))


def kernels_of(students: list[Leaver], usage: Usage) -> set[psutil.Process]:
    """Return the processes that are these students' kernels."""
    names = {student.kernel for student in students}
    return {each for each in kernels(usage) if any(name in " ".join(each.cmdline()) for name in names)}


def sizes(usage: Usage) -> list[float]:
    """Return the proportional set size of each kernel in MB."""
    return [each.memory_full_info().pss / 2**20 for each in kernels(usage)]


class Leaver(Speaker):
    """A student whose kernel can be found, and whose page frees it at the end, as a closed tab does."""

    async def connect(self, kernel: str) -> None:
        self.kernel = kernel
        await super().connect(kernel)

    async def leave(self) -> None:
        await super().leave()
        parts = urlsplit(self.address)
        url = f"http://{parts.netloc}{parts.path.rstrip('/')}/voila/api/shutdown/{self.kernel}"
        body = urlencode({"_xsrf": self.cookies["_xsrf"].value})
        await AsyncHTTPClient().fetch(url, method="POST", headers={"Cookie": self.cookie}, body=body, raise_error=False)


async def moves(students: list[Leaver], number: int, think: float) -> float:
    """Let students move the slider, and return the seconds to the first new frame at the 95th percentile."""

    async def work(student: Leaver) -> None:
        for _ in range(number):
            await student.think(student.random.expovariate(1 / think))
            await student.move(PATIENCE)

    before = {id(student): len(student.times["first"]) for student in students}
    await asyncio.gather(*map(work, students))
    return float(np.percentile([t for each in students for t in each.times["first"][before[id(each)] :]], 95))


async def lesson(address: str, chosen: argparse.Namespace) -> None:
    """Let a class come, work, lose some kernels, and leave."""
    AsyncHTTPClient.configure(None, max_clients=10 * chosen.students)
    usage = Usage(address)
    idle, waiting = sum(each.memory_full_info().pss for each in usage.kernels()), kernels(usage)
    students = [Leaver(address, random.Random(f"{chosen.seed} {k}")) for k in range(chosen.students)]
    await asyncio.gather(*(student.arrive() for student in students))
    verdict("memory of a student at the first picture: MB, median", median(sizes(usage)), high=60)
    await moves(students, chosen.moves, chosen.think)
    verdict(f"memory of a student after {chosen.moves} moves: MB, median", median(sizes(usage)), high=90)
    victims = random.Random(chosen.seed).sample(students, chosen.kill)
    others = [student for student in students if student not in victims]
    calm = await moves(others, chosen.moves, chosen.think)
    working = asyncio.create_task(moves(others, chosen.moves, chosen.think))
    for student in victims:
        kernels_of([student], usage).pop().kill()
        await asyncio.sleep(chosen.think * chosen.moves / 2 / len(victims))
    verdict("first new frame of the others / before, p95", await working / calm, high=1.2)
    begin, used, kept = time.perf_counter(), kernels_of(others, usage), inf
    for student in students:
        await student.leave()
    while (used & kernels(usage) or kept > SAME * idle) and time.perf_counter() - begin < TIDY:
        await asyncio.sleep(1)
        kept = sum(each.memory_full_info().pss for each in usage.kernels())
    verdict("kernels and memory back after the last has left: seconds", time.perf_counter() - begin, high=TIDY)
    verdict("kernels then, beside those before", len(kernels(usage)) / len(waiting), high=1)
    verdict("memory then, beside that before", kept / idle, high=SAME)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="of a running demo, as it prints it (default: start one)")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--moves", type=int, default=50)
    parser.add_argument("--kill", type=int, default=10)
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between an answer and the next move")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    print(f"{machine()}; {chosen.students} students, {chosen.moves} moves, {chosen.kill} killed", flush=True)
    hold(lesson, chosen)


if __name__ == "__main__":
    main()
