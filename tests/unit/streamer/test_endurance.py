"""What a long day leaves behind: nothing. Memory, descriptors, threads and shared memory are as they were."""

from __future__ import annotations

import asyncio
import random
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from pvlink.protocol import Size
from tests.chaos.crowd import Onlooker, photographs
from tests.chaos.figures import note
from tests.unit.streamer import fake_engine
from tests.unit.streamer.harness import Kernel, Viewer, until

pytestmark = pytest.mark.trust


@dataclass(frozen=True)
class Holdings:
    """What a process holds, as the system counts it."""

    descriptors: int
    threads: int
    shared_mappings: int

    @classmethod
    def of(cls, pid: int) -> Holdings:
        process = Path(f"/proc/{pid}")
        # Those of the engine's frames are memfds; any other shared memory has a file as well.
        shared = re.findall(r"^\S+ \S{3}s .*$", (process / "maps").read_text(), re.MULTILINE)
        return cls(len(list((process / "fd").iterdir())), len(list((process / "task").iterdir())), len(shared))


@pytest.mark.parametrize("frames", [1_500, pytest.param(20_000, marks=pytest.mark.soak)])
async def test_memory_is_flat_over_many_frames(kernel: Kernel, frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_engine, "picture", photographs(640, 360))
    await until(kernel.path.exists)
    engine = await kernel.engine()
    viewers = [await Onlooker.watching(kernel.path, width=640, height=360) for _ in range(2)]
    engine.change(frames=frames * 10)

    async def rendered(number: int) -> None:
        """Until so many were rendered; onlookers keep no pictures."""
        while engine.frames < number:
            before = engine.frames
            await asyncio.sleep(0.5)
            assert engine.frames > before, "it stopped"

    # Allocators and caches settle first.
    await rendered(frames // 5)
    begun = [kernel.rss()]
    while engine.frames < frames:
        await rendered(engine.frames + frames // 20)
        begun.append(kernel.rss())
    quarter = len(begun) // 4
    # Each figure is one moment, with a frame or three in it: the least of each end is compared.
    first, last = min(begun[:quarter]), min(begun[-quarter:])
    note("memory over many frames", frames=engine.frames, first_kb=first, last_kb=last, most_kb=max(begun))

    assert last <= first * 1.05
    for viewer in viewers:
        await viewer.close()
    engine.die()


async def settled(pid: int, before: Holdings) -> None:
    """As it was; the last visitors are still being seen off."""
    deadline = time.monotonic() + 8
    while (now := Holdings.of(pid)) != before and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    assert now == before


async def calm(pid: int, seconds: float = 0.5) -> Holdings:
    """What it holds when the visitors so far have been seen off."""
    seen = []
    for _ in range(int(seconds / 0.05)):
        seen.append(Holdings.of(pid))
        await asyncio.sleep(0.05)
    return min(seen, key=lambda one: one.descriptors)


async def visit(kernel: Kernel, how: str) -> None:
    """One connection, in one of the ways in which they come and go."""
    viewer = await Viewer.connect(kernel.path)
    if how != "never joins":
        await viewer.join(width=64, height=48)
    if how == "stalls":
        viewer.stall()
    elif how == "sees":
        await until(lambda: viewer.frames)
    elif how == "says goodbye":
        await viewer.ws.close()
    await viewer.close()


@pytest.mark.parametrize("visits", [500])
async def test_what_viewers_held_is_given_back(kernel: Kernel, visits: int) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.002)
    steady = await Onlooker.watching(kernel.path, width=64, height=48)
    engine.change(frames=10_000_000)
    chance = random.Random(3)
    ways = ["never joins", "joins", "stalls", "sees", "says goodbye"]

    async def some(number: int) -> None:
        for _ in range(number):
            await visit(kernel, chance.choice(ways))

    # Each frame in two codecs at once: now all threads that encode have started.
    other = await Onlooker.watching(kernel.path, width=64, height=48, codecs=["png"])
    await some(20)
    await until(lambda: len(steady.seen) > 20 and len(other.seen) > 20)
    await other.close()
    pid = kernel.process.pid
    before, memory = await calm(pid), kernel.rss()
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(some(visits // 5))
    note("visits", visits=visits, grown_kb=kernel.rss() - memory, frames_meanwhile=len(steady.seen))

    await settled(pid, before)
    assert (await kernel.ask("stats", view="1"))[0]["stats"]["clients"] == 1
    await steady.close()
    engine.die()


def shows(viewer: Viewer, size: tuple[int, int]) -> bool:
    return (viewer.frames[-1].width, viewer.frames[-1].height) == size


async def test_a_view_that_is_resized_all_day_gives_back_each_of_its_pools(kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(slots=3)
    viewer = await Viewer.watching(kernel.path, width=64, height=48)
    await until(lambda: viewer.frames)
    pid = kernel.process.pid
    before = Holdings.of(pid)
    for number in range(100):
        size = 64 + number % 7, 48 + number % 5
        await viewer.call(Size(*size))
        await until(partial(shows, viewer, size))
    # Encoders' threads may have come since.
    await until(lambda: Holdings.of(pid).shared_mappings == before.shared_mappings)
    assert Holdings.of(pid).descriptors == before.descriptors
    await viewer.close()
    engine.die()
