"""Students for `load.py`: most speak a browser's protocol without one, some have a real Chromium; times in seconds."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from uuid import uuid4

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1, serialize_msg_to_ws_v1
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

NOTEBOOK = min((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb")).name
SLIDER = "Hidden size"
SIZES = range(16, 257, 8)
SEEDS, START = 8, 64  # of the notebook's dashboard, and its hidden size
PLACES = (0.1, 0.3, 0.5)  # on the slider's track, never where its handle is: about the same sizes
PATIENCE = 60  # seconds until an answer counts as lost
PROTOCOL = "v1.kernel.websocket.jupyter.org"
STAGES = ("first", "all_seeds", "whole")


class Lost(Exception):
    """An answer that did not come."""


@dataclass
class Student:
    """One visitor of a page; ``times`` has the seconds from a move to each of its stages."""

    address: str
    random: random.Random
    query: str = ""  # settings in the page's link
    page: float = 0.0
    opened: float = 0.0
    times: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in STAGES})
    moves: int = 0
    overtaken: int = 0
    lost: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The page's address, with what the printed address asks for, such as a token, and with the settings."""
        parts = urlsplit(self.address)
        query = "&".join(filter(None, [parts.query, self.query]))
        return urljoin(
            self.address, f"{parts.path.rstrip('/')}/voila/render/{NOTEBOOK}" + (f"?{query}" if query else "")
        )

    async def work(self, ready: asyncio.Barrier, chosen: Any) -> None:
        """Arrive, wait for the others, and use the page until the time is over."""
        try:
            await asyncio.sleep(self.random.uniform(0, chosen.ramp))
            await self.arrive()
        except Exception as error:
            self.lost.append(f"arriving: {error!r}")
        await ready.wait()
        end = time.perf_counter() + chosen.seconds
        while time.perf_counter() < end and not self.lost:
            restless = self.random.uniform(0.5, 1.5) * chosen.think
            pause = restless if chosen.restless else self.random.expovariate(1 / chosen.think)
            is_last = time.perf_counter() + pause >= end
            try:
                if not chosen.restless:
                    await self.think(pause)
                await self.move(pause if chosen.restless and not is_last else PATIENCE)
            except Exception as error:  # the others go on
                self.lost.append(f"move {self.moves}: {error!r}")

    async def arrive(self) -> None:
        """Open the page and wait for a whole picture."""
        raise NotImplementedError

    async def think(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def move(self, seconds: float) -> None:
        """Move the slider and time what comes within some seconds; ``Lost`` where it should all have come."""
        raise NotImplementedError

    async def shows_the_last(self) -> bool:
        """Tell whether the whole picture of the last setting is on the page."""
        raise NotImplementedError

    async def leave(self) -> None:
        """Close the page."""

    def note(self, times: dict[str, float], seconds: float) -> None:
        """Keep the times of one move; what has not come by the next move was overtaken, by then it is lost."""
        self.moves += 1
        for name, each in times.items():
            self.times[name].append(each)
        if len(times) < len(STAGES):
            if seconds >= PATIENCE:
                raise Lost("no whole picture in time")
            self.overtaken += 1


class Speaker(Student):
    """A student without a browser: HTTP, the kernel's websocket, and the widgets' messages."""

    frame: dict[str, Any]
    frames, settings, size = 0, "", 0

    async def arrive(self) -> None:
        self.frame, begin = {}, time.perf_counter()
        html = await self.fetch()
        self.page = time.perf_counter() - begin
        kernel = re.search(r'"kernelId": "([^"]+)"', html)
        assert kernel, "the page names no kernel"
        assert "widget-view" in html, "the page comes without its dashboard"
        await self.connect(kernel[1])
        control, self.slider, self.stage = uuid4().hex, "", ""
        target = {"comm_id": control, "target_name": "jupyter.widget.control", "data": {}}
        await self.send("comm_open", target, version="1.0.0")
        await self.send("comm_msg", {"comm_id": control, "data": {"method": "request_states"}})
        await self.soon(lambda: self.stage, "no widgets")
        assert self.slider, f"the page has no slider {SLIDER!r}"
        await self.soon(lambda: self.frame.get("views"), "no picture")
        self.opened = time.perf_counter() - begin
        await self.soon(lambda: self.frame.get("whole"), "no whole picture")

    async def soon(self, condition: Callable[[], Any], otherwise: str) -> None:
        """Read messages until a condition holds, which on arrival may take longer."""
        if not await self.until(condition, 2 * PATIENCE):
            raise Lost(otherwise)

    async def fetch(self) -> str:
        """Return the page's HTML, following redirects with their cookies, as a browser does."""
        self.cookies, url = SimpleCookie(), self.url
        for _ in range(5):
            request = HTTPRequest(
                url, headers={"Cookie": self.cookie}, follow_redirects=False, request_timeout=300, connect_timeout=100
            )
            answer = await AsyncHTTPClient().fetch(request, raise_error=False)
            for each in answer.headers.get_list("Set-Cookie"):
                self.cookies.load(each)
            if answer.code not in (301, 302, 303, 307):
                answer.rethrow()
                return answer.body.decode()
            url = urljoin(url, answer.headers["Location"])
        raise Lost("too many redirects")

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={each.value}" for name, each in self.cookies.items())

    async def connect(self, kernel: str) -> None:
        """Open the kernel's websocket."""
        parts, self.session = urlsplit(self.address), uuid4().hex
        query = urlencode({"session_id": self.session, **{key: each[0] for key, each in parse_qs(parts.query).items()}})
        url = f"ws://{parts.netloc}{parts.path.rstrip('/')}/api/kernels/{kernel}/channels?{query}"
        headers = {"Cookie": self.cookie, "Origin": f"http://{parts.netloc}"}
        request = HTTPRequest(url, headers=headers, connect_timeout=PATIENCE, request_timeout=2 * PATIENCE)
        self.socket = await websocket_connect(request, max_message_size=1 << 28, subprotocols=[PROTOCOL])

    async def send(self, kind: str, content: dict, version: str = "2.1.0") -> None:
        """Send one message to the kernel."""
        header = {
            "msg_id": uuid4().hex, "session": self.session, "username": "student", "msg_type": kind, "version": "5.3",
            "date": "2026-01-01T00:00:00Z",
        }  # fmt: skip
        message = {"header": header, "parent_header": {}, "metadata": {"version": version}, "content": content}
        packed = serialize_msg_to_ws_v1(message, "shell", lambda part: json.dumps(part).encode())
        await self.socket.write_message(packed, binary=True)

    async def until(self, condition: Callable[[], Any], seconds: float) -> bool:
        """Read messages until a condition holds; return False where it does not in time."""
        deadline = time.perf_counter() + seconds
        while not condition():
            try:
                message = await asyncio.wait_for(self.socket.read_message(), deadline - time.perf_counter())
            except TimeoutError:
                return False
            if message is None:
                raise Lost("the connection was closed")
            self.take(deserialize_msg_from_ws_v1(message)[1])
        return True

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
                    self.slider, self.size = name, widget["state"]["value"]
        elif content["comm_id"] == self.stage:
            self.see(content["data"].get("state", {}))

    def see(self, state: dict) -> None:
        """Keep the newest frame and the newest settings."""
        self.settings = state.get("query", self.settings)
        if "frame" in state:
            self.frame, self.frames = state["frame"], self.frames + 1

    def shows(self, is_whole: bool) -> bool:
        """Tell whether all seeds of the last setting are there, or the whole picture."""
        size = parse_qs(self.settings.lstrip("?")).get("hidden_size", [str(START)])
        enough = self.frame["whole"] if is_whole else self.frame["drawn"].startswith(f"{SEEDS} x")
        return enough and size == [str(self.size)]

    async def think(self, seconds: float) -> None:
        """Let time pass, but read what the kernel sends meanwhile, as a browser does."""
        await self.until(lambda: False, seconds)

    async def move(self, seconds: float) -> None:
        self.size = self.random.choice([size for size in SIZES if size != self.size])
        before, begin, times = self.frames, time.perf_counter(), {}
        update = {"method": "update", "state": {"value": self.size}, "buffer_paths": []}
        await self.send("comm_msg", {"comm_id": self.slider, "data": update})
        reached = {
            "first": lambda: self.frames > before,
            "all_seeds": lambda: self.frames > before and self.shows(is_whole=False),
            "whole": lambda: self.frames > before and self.shows(is_whole=True),
        }
        for name, condition in reached.items():
            if await self.until(condition, seconds - (time.perf_counter() - begin)):
                times[name] = time.perf_counter() - begin
        self.note(times, seconds)
        if seconds < PATIENCE:  # restless: the next move comes when its time has come
            await self.think(seconds - (time.perf_counter() - begin))

    async def shows_the_last(self) -> bool:
        return await self.until(lambda: self.shows(is_whole=True), PATIENCE)

    async def leave(self) -> None:
        if hasattr(self, "socket"):
            self.socket.close()


WATCH = """
() => {
  const stage = document.querySelector(".rnnviz-stage");
  window.seen = [];
  const frame = () => new Promise(requestAnimationFrame);
  new MutationObserver(async () => {
    const { drawn, whole } = stage.dataset;
    await frame();
    window.seen.push({ at: performance.now(), drawn, whole: whole === "true", query: stage.dataset.query });
  }).observe(stage, { attributes: true, attributeFilter: ["data-revision"] });
  document.addEventListener("pointerdown", () => { window.pressed = performance.now(); window.seen.length = 0; }, true);
}
"""
# Seconds from the click to each stage of the setting that the slider's own number says.
TIMES = """
([seeds, start, seconds]) => new Promise((resolve) => {
  const readout = document.querySelector(".rnnviz [role=textbox][aria-label^='Hidden size']");
  const of = ({ query }) => new URLSearchParams(query).get("hidden_size") ?? String(start);
  const times = {};
  const look = () => {
    const mine = seen.filter((each) => of(each) === readout.textContent);
    const hasAll = ({ drawn }) => drawn.startsWith(`${seeds} x`);
    const found = { first: seen[0], all_seeds: mine.find(hasAll), whole: mine.find(({ whole }) => whole) };
    for (const [name, each] of Object.entries(found)) if (each) times[name] ??= (each.at - pressed) / 1000;
    if (times.whole || performance.now() - pressed > 1000 * seconds) resolve(times);
    else setTimeout(look, 20);
  };
  look();
})
"""
SHOWS = """
() => {
  const readout = document.querySelector(".rnnviz [role=textbox][aria-label^='Hidden size']");
  const { whole, query } = document.querySelector(".rnnviz-stage").dataset;
  return whole === "true" && new URLSearchParams(query).get("hidden_size") === readout.textContent;
}
"""


class Reader(Student):
    """A student with a page of a real Chromium, in which ``browser`` opens it."""

    browser: Any
    at = PLACES[0]  # where the slider's handle is

    async def arrive(self) -> None:
        context = await self.browser.new_context(viewport={"width": 1280, "height": 720})
        self.tab, begin = await context.new_page(), time.perf_counter()
        self.tab.set_default_timeout(2e3 * PATIENCE)
        await self.tab.goto(self.url, wait_until="commit")
        self.page = time.perf_counter() - begin
        await self.tab.wait_for_selector(".rnnviz-view img")
        self.opened = time.perf_counter() - begin
        await self.tab.wait_for_selector(".rnnviz-stage[data-whole=true]")
        await self.tab.evaluate(WATCH)

    async def move(self, seconds: float) -> None:
        track = self.tab.locator(".widget-slider", has_text=SLIDER).locator(".noUi-base")
        # A slider that still slides to where it was clicked, for 0.3 s, takes no other click.
        await self.tab.wait_for_selector(".noUi-state-tap", state="detached")
        box = await track.bounding_box()
        self.at = self.random.choice([at for at in PLACES if at != self.at])
        await self.tab.mouse.click(box["x"] + self.at * box["width"], box["y"] + 0.5 * box["height"])
        self.note(await self.tab.evaluate(TIMES, [SEEDS, START, seconds]), seconds)

    async def shows_the_last(self) -> bool:
        await self.tab.wait_for_function(SHOWS, timeout=1e3 * PATIENCE)
        return True

    async def leave(self) -> None:
        if hasattr(self, "tab"):
            await self.tab.goto("about:blank")
