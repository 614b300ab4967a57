"""What a day of visits leaves in a Jupyter server, and in the streamer behind it: nothing."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from pvlink.server.relay import Relay
from tests.chaos.figures import note
from tests.unit.server.conftest import Jupyter
from tests.unit.server.test_relay import through
from tests.unit.streamer.harness import Kernel, Viewer, until
from tests.unit.streamer.test_endurance import calm, settled

pytestmark = pytest.mark.trust


class Vanished:
    """A browser that takes nothing any more, and was closed."""

    def write_message(self, message: str | bytes, binary: bool = False) -> asyncio.Future[None]:
        return asyncio.get_running_loop().create_future()

    def on_streamer_gone(self, code: int, reason: str) -> None:
        raise AssertionError("nobody is there to be told")


async def test_a_relay_that_was_closed_holds_nothing(directory: Path) -> None:
    async def chatter(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        for number in range(20):
            await ws.send_str(str(number))
        async for _ in ws:
            pass
        return ws

    app = web.Application()
    app.add_routes([web.get("/ws", chatter)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(directory / "s")).start()
    before = len(asyncio.all_tasks())

    relays = [await Relay.connect(directory / "s", Vanished()) for _ in range(5)]
    await asyncio.sleep(0.1)
    for relay in relays:
        relay.close()
        relay.close()

    await until(lambda: len(asyncio.all_tasks()) == before)
    await runner.cleanup()


def server(jupyter: Jupyter) -> psutil.Process:
    (found,) = [each for each in psutil.Process().children() if f"--port={jupyter.port}" in each.cmdline()]
    return found


async def visit(jupyter: Jupyter, kernel: Kernel, how: str) -> None:
    viewer = await through(jupyter, kernel.session)
    if how != "never joins":
        await viewer.join(width=64, height=48)
    if how == "stalls":
        viewer.stall()
    elif how == "sees":
        await until(lambda: viewer.frames)
    elif how == "says goodbye":
        await viewer.ws.close()
    await viewer.close()


@pytest.mark.parametrize("visits", [30, pytest.param(500, marks=pytest.mark.soak)])
async def test_what_visitors_held_is_given_back(jupyter: Jupyter, kernel: Kernel, visits: int) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.002)
    # A full frame is encoded in both codecs at once: all threads that encode have started.
    steady = await Viewer.watching(kernel.path, width=64, height=48)
    other = await Viewer.watching(kernel.path, width=64, height=48, codecs=["png"])
    engine.change(frames=10_000_000)
    chance = random.Random(4)

    async def some(number: int) -> None:
        for _ in range(number):
            await visit(jupyter, kernel, chance.choice(["never joins", "joins", "stalls", "sees", "says goodbye"]))

    await some(20)
    await other.close()
    processes = [kernel.process.pid, server(jupyter).pid]
    # The relay waits 5 s for the streamer's goodbye to a viewer that read nothing any more.
    before = await asyncio.gather(*(calm(pid, 6) for pid in processes))
    memory = server(jupyter).memory_info().rss
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(some(visits // 8))
    half = server(jupyter).memory_info().rss
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(some(visits // 8))
    for pid, held in zip(processes, before, strict=True):
        await settled(pid, held)
    grown = [(half - memory) >> 10, (server(jupyter).memory_info().rss - half) >> 10]
    note("visits through Jupyter", visits=visits, relay_grown_kb=grown)
    await steady.close()
    engine.die()
