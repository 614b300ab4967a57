"""The path alone: ready-made frames at 1080p from memory to the screen, on loopback.

The floor is the same without pvlink: encode, one websocket message, decode, show, answer; two frames under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import statistics
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import simplejpeg
from aiohttp import web
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.figures import Figure, higher, lower, ratio
from tests.browser.conftest import BROWSERS, FLAGS, window
from tests.browser.view import HOST, View
from tests.chaos.crowd import photographs
from tests.unit.streamer.fake_engine import FakeEngine
from tests.unit.streamer.harness import Kernel

WIDTH, HEIGHT = 1920, 1080
UNDER_WAY = 2
# The rate control has found its place, and the code is warm.
WARM_SECONDS = 2.0
ENDLESS = 10_000_000
PAGE = Path(__file__).with_name("path.html")
# When each frame was painted and made, in milliseconds of one clock.
OURS = """(host, since) => (host.pvlinkPaints ?? []).slice(since)
  .filter(paint => !paint.still).map(paint => [performance.timeOrigin + paint.at, paint.time * 1000])"""
BARE = "since => window.painted.slice(since).map(({ at, made }) => [at, made * 1000])"

Painted = list[tuple[float, float]]
Frames = list[npt.NDArray[np.uint8]]


def figures(runs: int, seconds: float) -> Iterator[Figure]:
    frames = photographs(WIDTH, HEIGHT)
    ready = [frames(number, WIDTH, HEIGHT) for number in range(64)]
    ours: list[Painted] = []
    bare: list[Painted] = []
    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, BROWSERS)), None)
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(FLAGS))
        # By turns, each with the machine to itself: a page behind another one goes on.
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as home, _streamed(browser, Path(home), ready) as view:
                time.sleep(WARM_SECONDS)
                before = len(view.paints())
                time.sleep(seconds)
                ours.append(view.host.evaluate(OURS, before))
            with _bare(browser, ready) as page:
                time.sleep(WARM_SECONDS)
                before = page.evaluate("() => window.painted.length")
                time.sleep(seconds)
                bare.append(page.evaluate(BARE, before))
        browser.close()
    rates, floors = [_rate(run) for run in ours], [_rate(run) for run in bare]
    yield higher("path_1080p_fps", "1/s", rates, floors)
    yield ratio("path_1080p_fps to the floor", rates, floors, "higher")
    ages, least = [_age(run) for run in ours], [_age(run) for run in bare]
    yield lower("path_1080p_latency_ms", "ms", ages, least)
    yield ratio("path_1080p_latency_ms to the floor", ages, least, "lower")


def _rate(painted: Painted) -> float:
    return (len(painted) - 1) / (painted[-1][0] - painted[0][0]) * 1e3


def _age(painted: Painted) -> float:
    return statistics.median(at - made for at, made in painted)


@contextmanager
def _streamed(browser: Browser, home: Path, ready: Frames) -> Iterator[View]:
    """The real streamer and viewer, by a link; only the engine draws nothing."""
    kernel = Kernel(home)
    engine: FakeEngine | None = None
    try:
        while not kernel.path.exists():
            time.sleep(0.01)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Not by `asyncio.run`: Playwright has a loop in this thread.
        kernel.send("engine", theirs.fileno(), pid=0)
        kernel.receive()
        theirs.close()
        engine = FakeEngine(ours)
        engine.draw = lambda number, _width, _height: ready[number % len(ready)]
        wish: dict[str, Any] = {"role": "control", "expires": 600.0, "password": "", "host": "127.0.0.1", "port": 0}
        kernel.send("share", view="1", certificate="", key="", **wish)
        answer, _ = kernel.receive()
        with window(browser, ignore_https_errors=True) as context:
            page = context.new_page()
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            page.goto(answer["share"]["url"])
            page.get_by_label("Password").fill(answer["password"])
            page.get_by_role("button", name="Open").click()
            engine.change(frames=ENDLESS)
            yield View(page, page.locator(HOST)).live()
    finally:
        if engine is not None:
            engine.die()
        kernel.end()


@contextmanager
def _bare(browser: Browser, ready: Frames) -> Iterator[Page]:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def encoded(number: int) -> bytes:
        made = time.time()
        upright = np.ascontiguousarray(ready[number % len(ready)][::-1])
        jpeg: bytes = simplejpeg.encode_jpeg(upright, 80, "RGBX", "420", fastdct=True)
        return struct.pack("<d", made) + jpeg

    async def document(_: web.Request) -> web.FileResponse:
        return web.FileResponse(PAGE)

    async def frames(request: web.Request) -> web.WebSocketResponse:
        bare = web.WebSocketResponse(compress=False)
        await bare.prepare(request)
        number = 0
        for _ in range(UNDER_WAY):
            await bare.send_bytes(await asyncio.to_thread(encoded, number := number + 1))
        # The page closes when all is measured.
        with contextlib.suppress(ConnectionError):
            async for _ in bare:
                await bare.send_bytes(await asyncio.to_thread(encoded, number := number + 1))
        return bare

    async def start() -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_get("/", document)
        app.router.add_get("/frames", frames)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return runner, int(runner.addresses[0][1])

    runner, port = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    try:
        with window(browser) as context:
            page = context.new_page()
            page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
            page.goto(f"http://127.0.0.1:{port}/")
            yield page
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
