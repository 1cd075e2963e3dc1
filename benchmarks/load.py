"""A class at once: many students on one page, without browsers.

    python benchmarks/load.py [ADDRESS] [--students 30] [--seconds 60] [--think 2] [--seed 0]

Each student requests the page, opens its kernel's websocket, reads the widgets' states and waits for a whole picture.
When all are ready, each one thinks for ``--think`` seconds on average, sets *Hidden size* to a random value from 16 to
256, and waits for the first new frame and for the whole one, again and again. An answer is lost if the whole frame of
a setting does not come within a minute. Without ADDRESS, the benchmark runs a server of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import numpy as np
import psutil
from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from timing import machine
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from conftest import is_kernel, start_server  # noqa: E402

NOTEBOOK = min((ROOT / "notebooks").glob("*.ipynb")).name
SLIDER = "Hidden size"
SIZES = range(16, 257, 8)
PATIENCE = 60  # seconds until an answer counts as lost
PROTOCOL = "v1.kernel.websocket.jupyter.org"


class Lost(Exception):
    """An answer that did not come."""


@dataclass
class Student:
    """One visitor of the page; times are in seconds."""

    address: str
    random: random.Random
    page: float = 0.0
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    frame: dict = field(default_factory=dict)
    frames: int = 0
    query: str = ""

    async def arrive(self) -> None:
        """Request the page, connect to its kernel, and wait for a whole picture."""
        begin = time.perf_counter()
        url = f"{self.address}voila/render/{NOTEBOOK}"
        answer = await AsyncHTTPClient().fetch(HTTPRequest(url, request_timeout=300, connect_timeout=100))
        self.page = time.perf_counter() - begin
        kernel = re.search(r'"kernelId": "([^"]+)"', answer.body.decode())
        assert kernel, "the page names no kernel"
        cookies = "; ".join(cookie.split(";")[0] for cookie in answer.headers.get_list("Set-Cookie"))
        await self.connect(kernel[1], cookies)
        await self.find_widgets()
        await self.until(lambda: self.frame.get("whole"), 5 * PATIENCE)

    async def connect(self, kernel: str, cookies: str) -> None:
        """Open the kernel's websocket."""
        host, self.session = urlsplit(self.address).netloc, uuid4().hex
        url = f"ws://{host}/api/kernels/{kernel}/channels?session_id={self.session}"
        headers = {"Cookie": cookies, "Origin": f"http://{host}"}
        request = HTTPRequest(url, headers=headers, connect_timeout=PATIENCE, request_timeout=2 * PATIENCE)
        self.socket = await websocket_connect(request, max_message_size=1 << 28, subprotocols=[PROTOCOL])

    async def find_widgets(self) -> None:
        """Ask for the states of all widgets, and find the slider and the stage among them."""
        control, self.slider, self.stage = uuid4().hex, "", ""
        target = {"comm_id": control, "target_name": "jupyter.widget.control", "data": {}}
        await self.send("comm_open", target, version="1.0.0")
        await self.send("comm_msg", {"comm_id": control, "data": {"method": "request_states"}})
        await self.until(lambda: self.stage, 2 * PATIENCE)
        assert self.slider, f"the page has no slider {SLIDER!r}"

    async def send(self, kind: str, content: dict, version: str = "2.1.0") -> None:
        """Send one message to the kernel."""
        header = {
            "msg_id": uuid4().hex, "session": self.session, "username": "student", "msg_type": kind, "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        message = {"header": header, "parent_header": {}, "metadata": {"version": version}, "content": content}
        packed = serialize_msg_to_ws_v1(message, "shell", lambda part: json.dumps(part).encode())
        await self.socket.write_message(packed, binary=True)

    async def until(self, condition: Callable[[], Any], seconds: float) -> None:
        """Read messages until a condition holds; raise ``Lost`` where it does not in time."""
        deadline = time.perf_counter() + seconds
        while not condition():
            try:
                message = await asyncio.wait_for(self.socket.read_message(), deadline - time.perf_counter())
            except TimeoutError:
                raise Lost("no answer in time") from None
            if message is None:
                raise Lost("the connection was closed")
            self.take(deserialize_msg_from_ws_v1(message)[1])

    def take(self, parts: list[bytes]) -> None:
        """Keep what a kernel's message says about the slider and the stage."""
        if json.loads(parts[0])["msg_type"] != "comm_msg":
            return
        content = json.loads(parts[3])
        if content["data"].get("method") == "update_states":
            for name, widget in content["data"]["states"].items():
                if "frame" in widget["state"]:
                    self.stage = name
                    self.see(widget["state"])
                elif widget["state"].get("description") == SLIDER:
                    self.slider, self.initial = name, widget["state"]["value"]
        elif content["comm_id"] == self.stage:
            self.see(content["data"].get("state", {}))

    def see(self, state: dict) -> None:
        """Keep the newest frame and the newest query."""
        self.query = state.get("query", self.query)
        if "frame" in state:
            self.frame, self.frames = state["frame"], self.frames + 1

    def shows(self, size: int) -> bool:
        """Tell whether the whole picture of a setting is there."""
        query = self.frame.get("query", self.query).lstrip("?")
        return self.frame["whole"] and parse_qs(query).get("hidden_size") == [str(size)]

    async def move(self) -> None:
        """Move the slider, and time the first new frame and the whole one."""
        size = self.random.choice([size for size in SIZES if size != self.initial and not self.shows(size)])
        before, begin = self.frames, time.perf_counter()
        update = {"method": "update", "state": {"value": size}, "buffer_paths": []}
        await self.send("comm_msg", {"comm_id": self.slider, "data": update})
        await self.until(lambda: self.frames > before, PATIENCE)
        first = time.perf_counter() - begin
        await self.until(lambda: self.shows(size), PATIENCE - first)
        self.first.append(first)
        self.whole.append(time.perf_counter() - begin)

    async def think(self, seconds: float) -> None:
        """Let time pass, but read what the kernel sends meanwhile, as a browser does."""
        try:
            await self.until(lambda: False, self.random.expovariate(1 / seconds))
        except Lost:
            if self.socket.close_code is not None:
                raise

    async def work(self, ready: asyncio.Barrier, chosen: argparse.Namespace) -> None:
        """Arrive, wait for the others, and use the page until the time is over."""
        try:
            await asyncio.sleep(self.random.uniform(0, chosen.ramp))
            await self.arrive()
        except Exception as error:
            self.lost.append(f"arriving: {error!r}")
        await ready.wait()
        end = time.perf_counter() + chosen.seconds
        while time.perf_counter() < end and not self.lost:
            try:
                await self.think(chosen.think)
                await self.move()
            except Exception as error:  # the others go on
                self.lost.append(f"move {len(self.whole)}: {error!r}")


def spread(name: str, seconds: list[float], unit: str = "s") -> str:
    """Return the 50th and the 95th percentile in words."""
    if not seconds:
        return f"  {name:<18} none"
    scale, digits = (1000, 0) if unit == "ms" else (1, 1)
    p50, p95 = (f"{value:7.{digits}f} {unit}" for value in np.percentile(seconds, (50, 95)) * scale)
    return f"  {name:<18} p50 {p50}   p95 {p95}   n = {len(seconds)}"


def memory(address: str) -> str:
    """Return the proportional set size of the kernels of the server at an address, in words."""
    port = urlsplit(address).port
    listening = (each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN)
    server = next((each.pid for each in listening if each.laddr.port == port and each.pid), None)
    kernels = psutil.Process(server).children(recursive=True) if server else []
    sizes = [each.memory_full_info().pss / 2**20 for each in kernels if is_kernel(each)] if psutil.LINUX else []
    if not sizes:
        return "not known"
    return f"{median(sizes):.0f} MB a kernel (median), {sum(sizes):.0f} MB in all, {len(sizes)} kernels"


async def lesson(address: str, chosen: argparse.Namespace) -> None:
    """Let all students work at once, and print what they met."""
    AsyncHTTPClient.configure(None, max_clients=10 * chosen.students, max_body_size=1 << 30)
    students = [Student(address, random.Random(f"{chosen.seed} {k}")) for k in range(chosen.students)]
    ready = asyncio.Barrier(len(students) + 1)
    begin = time.perf_counter()
    tasks = [asyncio.create_task(student.work(ready, chosen)) for student in students]
    await ready.wait()
    print(f"  all ready after    {time.perf_counter() - begin:.1f} s; memory: {memory(address)}", flush=True)
    await asyncio.gather(*tasks)
    print(spread("page", [student.page for student in students if student.page]))
    print(spread("first new frame", [each for student in students for each in student.first], "ms"))
    print(spread("whole", [each for student in students for each in student.whole]))
    lost = [each for student in students for each in student.lost]
    print(f"  lost answers       {len(lost)} {lost[:5] or ''}")
    print(f"  memory at the end  {memory(address)}")
    for student in students:
        if hasattr(student, "socket"):
            student.socket.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", help="of a running demo, as it prints it (default: start one)")
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60, help="of work, once all are ready (default: 60)")
    parser.add_argument("--think", type=float, default=2.0, help="mean seconds between an answer and the next move")
    parser.add_argument("--ramp", type=float, default=5.0, help="seconds within which all arrive (default: 5)")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    print(f"{machine()}; {chosen.students} students, {chosen.seconds:g} s, seed {chosen.seed}", flush=True)
    if chosen.address:
        asyncio.run(lesson(chosen.address.rstrip("/") + "/", chosen))
        return
    with tempfile.TemporaryDirectory() as folder:
        server = start_server([sys.executable, "-m", "rnnviz"], Path(folder) / "log")
        try:
            asyncio.run(lesson(server.url, chosen))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
