"""Twenty viewers on two kinds of line: what they cost, and what the fast ones lose by the slow."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from benchmarks.figures import Figure, higher, lower
from tests.chaos.crowd import Onlooker, photographs
from tests.chaos.proxy import Proxy, Way
from tests.unit.streamer.harness import Kernel, until

WIDTH, HEIGHT = 1280, 720
EACH = 10
MEGABIT = 125_000.0
# Fewer than the machine can encode and send to all: whether it is fast is another question.
RENDER_S = 0.08
ENDLESS = 10_000_000
CODECS = ["jpeg", "png", "h264"]


@dataclass(frozen=True)
class Crowd:
    """Frames a second of the fast viewers' least, and encodings a frame."""

    rate: float
    encodings: float
    qualities: float


def figures(runs: int, seconds: float) -> Iterator[Figure]:
    alone, together = [], []
    for _ in range(runs):
        alone.append(asyncio.run(_watched(fast=1, slow=0, seconds=seconds)))
        together.append(asyncio.run(_watched(fast=EACH, slow=EACH, seconds=seconds)))
    encodings = [crowd.encodings for crowd in together]
    yield lower("viewers_20_encodes_per_frame", "1", encodings, [crowd.qualities for crowd in together])
    yield higher("viewers_20_fast_ones_fps", "1/s", [crowd.rate for crowd in together], [crowd.rate for crowd in alone])


async def _watched(fast: int, slow: int, seconds: float) -> Crowd:
    with tempfile.TemporaryDirectory() as home:
        kernel = Kernel(Path(home))
        try:
            await until(kernel.path.exists)
            engine = await kernel.engine(render=RENDER_S)
            engine.draw = photographs(WIDTH, HEIGHT)
            engine.change(frames=ENDLESS)
            async with AsyncExitStack() as stack:
                near = [await _onlooker(stack, kernel) for _ in range(fast)]
                far = [await _onlooker(stack, kernel, megabits=4.0, round_trip=0.08) for _ in range(slow)]
                # Until the lines are known.
                await asyncio.sleep(3.0)
                marks = [len(one.seen) for one in (*near, *far)]
                await asyncio.sleep(seconds)
                seen = {
                    (frame.id, frame.codec, frame.encode_ms)
                    for one, mark in zip((*near, *far), marks, strict=True)
                    for frame in one.seen[mark:]
                    if not frame.still
                }
                rate = min(len(one.seen) - mark for one, mark in zip(near, marks, strict=False)) / seconds
                # Who encoded, measured how long it took; a form is what one frame was sent in.
                orders = {order for order, _, _ in seen}
                codecs = {(order, codec) for order, codec, _ in seen}
                await asyncio.gather(*(one.close() for one in (*near, *far)))
            engine.die()
        finally:
            kernel.end()
    return Crowd(rate, len(seen) / len(orders), len(codecs) / len(orders))


async def _onlooker(stack: AsyncExitStack, kernel: Kernel, megabits: float = 0.0, round_trip: float = 0.0) -> Onlooker:
    if not megabits:
        return await Onlooker.watching(kernel.path, width=WIDTH, height=HEIGHT, codecs=CODECS)
    down = Way(delay=round_trip / 2, rate=megabits * MEGABIT, queue=64 << 10)
    proxy = await stack.enter_async_context(Proxy(kernel.path, down=down, up=Way(delay=round_trip / 2)))
    one = await Onlooker.over(aiohttp.ClientSession(), f"http://127.0.0.1:{proxy.port}/ws", origin="http://pvlink")
    await one.join(width=WIDTH, height=HEIGHT, codecs=CODECS)
    return one
