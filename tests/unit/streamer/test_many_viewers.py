"""A crowd in front of one view: each gets what it can take, and costs the others nothing but their share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pvlink.streamer.pacer import MOST_FORMS
from tests.chaos.crowd import Onlooker, disperse, noise, photographs, share, together
from tests.chaos.figures import note
from tests.unit.streamer import fake_engine
from tests.unit.streamer.fake_engine import FakeEngine
from tests.unit.streamer.harness import Kernel, Viewer, until

pytestmark = pytest.mark.trust

WIDTH, HEIGHT = 1280, 720
MANY = 10_000_000


@pytest.fixture(autouse=True)
def _scene(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_engine, "picture", photographs(WIDTH, HEIGHT))


@pytest.fixture
def twin(directory: Path) -> Iterator[Kernel]:
    """A second streamer, to compare with in the same minute on the same machine."""
    one = Kernel(directory)
    yield one
    one.end()


async def onlooker(kernel: Kernel) -> Onlooker:
    return await Onlooker.watching(kernel.path, width=WIDTH, height=HEIGHT)


@asynccontextmanager
async def turning(kernel: Kernel, render: float) -> AsyncIterator[FakeEngine]:
    """An engine whose view never rests."""
    await until(kernel.path.exists)
    engine = await kernel.engine(render=render)
    engine.change(frames=MANY)
    yield engine
    engine.die()


# Frames are paced by the engine, 25 a second: what is compared is who gets them, not how fast this machine is.
@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.soak)])
async def test_a_stalled_viewer_costs_the_others_no_frame_and_the_streamer_no_memory(
    kernel: Kernel, twin: Kernel, seconds: float
) -> None:
    async with turning(kernel, 0.04), turning(twin, 0.04):
        beside = [await onlooker(kernel) for _ in range(3)]
        without = [await onlooker(twin) for _ in range(3)]
        stalled = await Viewer.watching(kernel.path, width=WIDTH, height=HEIGHT)
        stalled.stall()
        await until(lambda: all(len(viewer.seen) > 25 for viewer in (*beside, *without)), 30)

        began, memory = time.monotonic(), kernel.rss()
        await asyncio.sleep(seconds)
        got = [viewer.since(began) for viewer in beside]
        could = [viewer.since(began) for viewer in without]
        grown = kernel.rss() - memory
        note("a stalled viewer among four", seconds=seconds, frames=got, without=could, grown_kb=grown)

        assert min(got) >= 0.95 * max(could) - 1
        assert grown <= 20_000
        assert len(stalled.frames) <= 2
        await disperse([*beside, *without, stalled])


async def test_one_that_stalls_in_the_middle_of_a_big_picture_delays_nobody(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_engine, "picture", noise(WIDTH, HEIGHT))
    async with turning(kernel, 0.02):
        beside = await onlooker(kernel)
        stalled = await Viewer.watching(kernel.path, width=WIDTH, height=HEIGHT)
        stalled.stall()
        await until(lambda: len(beside.seen) > 5, 20)
        # More than all sockets on the way hold: its sender is stuck.
        assert beside.seen[-1].size > 500_000
        seen = len(beside.seen)
        await until(lambda: len(beside.seen) >= seen + 20, 20)
        await disperse([beside, stalled])


@pytest.mark.parametrize("seconds", [3, pytest.param(30, marks=pytest.mark.soak)])
async def test_fifty_viewers_of_one_view_share_one_encoding_of_each_frame(kernel: Kernel, seconds: float) -> None:
    async with turning(kernel, 0.0) as engine:
        viewers, waited = await together(50, lambda: onlooker(kernel))
        await until(lambda: all(viewer.seen for viewer in viewers), 30)

        began, rendered, cpu = time.monotonic(), engine.frames, kernel.cpu()
        await asyncio.sleep(seconds)
        took = time.monotonic() - began
        rates = sorted(viewer.since(began) / took for viewer in viewers)
        note(
            "fifty viewers at 720p",
            let_in=[share(waited, 0.5), max(waited)],
            frames_per_s=[rates[0], rates[25], rates[-1]],
            rendered_per_s=(engine.frames - rendered) / took,
            streamers_cpu=(kernel.cpu() - cpu) / took,
            kb_a_frame=viewers[0].seen[-1].size >> 10,
        )

        # Who encoded, measured how long it took: two encodings of one frame have two times. Fifty readers in one
        # process are lines of different speed, so there are qualities; each is encoded once.
        times: dict[tuple[int, str], set[float]] = {}
        for viewer in viewers:
            for seen in viewer.seen:
                times.setdefault((seen.id, seen.codec), set()).add(seen.encode_ms)
        assert all(len(each) <= MOST_FORMS for each in times.values())
        assert {codec for _, codec in times} == {"jpeg"}
        # Nobody is forgotten: all see nearly the same, whatever that is on this machine.
        assert rates[0] >= 0.5 * rates[-1]
        if seconds >= 30:
            assert rates[0] >= 5
        await disperse(viewers)


async def test_a_hundred_viewers_are_let_in_within_ten_seconds(kernel: Kernel) -> None:
    async with turning(kernel, 0.05):
        began = time.monotonic()
        viewers, waited = await together(100, lambda: onlooker(kernel))
        joined = time.monotonic() - began
        await until(lambda: all(viewer.seen for viewer in viewers), 10)
        seeing = time.monotonic() - began
        note("a hundred viewers", let_in=[share(waited, 0.5), share(waited, 0.95)], joined=joined, seeing=seeing)
        assert seeing <= 10
        await disperse(viewers)
