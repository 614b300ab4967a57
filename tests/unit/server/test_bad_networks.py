"""A view over a bad network: cut, late, narrow, in single bytes, silent. It comes back; being slow is no fault."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import pytest

from pvlink.protocol import Input, InputEvent, Ping
from tests.chaos.crowd import Onlooker, noise, share
from tests.chaos.figures import note
from tests.chaos.proxy import Proxy, Way
from tests.chaos.returning import Returning
from tests.unit.server.conftest import Jupyter
from tests.unit.server.test_relay import authorised
from tests.unit.streamer import fake_engine
from tests.unit.streamer.harness import Kernel, Viewer, until

pytestmark = pytest.mark.trust

MBIT = 125_000
FOREVER = 10_000_000


async def arrive(kind: type[Any], jupyter: Jupyter, proxy: Proxy, session: str) -> Any:
    """A viewer at the far end of the line."""
    url = f"http://127.0.0.1:{proxy.port}{jupyter.base}pvlink/{session}/ws"
    return await kind.over(authorised(jupyter), url)


async def watchers(kernel: Kernel, view: str = "1") -> int:
    answer, _ = await kernel.ask("stats", view=view)
    return int(answer["stats"]["clients"])


async def only(kernel: Kernel, number: int, view: str = "1", patience: float = 15.0) -> float:
    """How long it takes until the streamer knows that no more than so many viewers are there."""
    began = time.monotonic()
    while await watchers(kernel, view) > number:
        assert time.monotonic() - began < patience, f"still there after {patience} s"
        await asyncio.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.parametrize("cuts", [3, pytest.param(50, marks=pytest.mark.soak)])
async def test_a_frame_comes_soon_after_each_cut(jupyter: Jupyter, kernel: Kernel, cuts: int) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.02)
    engine.change(frames=FOREVER)
    chance = random.Random(11)
    async with (
        Proxy(("127.0.0.1", jupyter.port)) as proxy,
        Returning(lambda: arrive(Onlooker, jupyter, proxy, kernel.session)) as viewer,
    ):
        await viewer.frame_after(0, 10)
        took = []
        for _ in range(cuts):
            await asyncio.sleep(chance.uniform(0, 1.5))
            moment = time.monotonic()
            proxy.cut(chance.choice(["reset", "close"]))
            took.append(await viewer.frame_after(moment, 20))
        note("a frame after a cut", cuts=cuts, p50=share(took, 0.5), p95=share(took, 0.95), worst=max(took))
        assert share(took, 0.95) <= 2.0
        # None of the cut ones is still taken for a viewer.
        await only(kernel, 1)
    engine.die()


BAD = {
    "split": (Way(split=True), Way(split=True)),
    "late": (Way(delay=0.3, jitter=0.05), Way(delay=0.3, jitter=0.05)),
    "narrow": (Way(rate=MBIT, queue=1 << 16), Way(rate=MBIT, queue=1 << 16)),
    "all of it": (Way(0.3, 0.05, MBIT, 1 << 16, True), Way(0.3, 0.05, MBIT, 1 << 16, True)),
}


# What is late is slow to test.
@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=[pytest.mark.soak] * (how in ("late", "all of it"))) for how in BAD]
)
async def test_a_view_works_over_a_bad_line(jupyter: Jupyter, kernel: Kernel, how: str) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.02)
    up, down = BAD[how]
    async with Proxy(("127.0.0.1", jupyter.port), up=up, down=down) as proxy:
        began = time.monotonic()
        viewer: Viewer = await arrive(Viewer, jupyter, proxy, kernel.session)
        joined = await viewer.join(width=320, height=240)
        await until(lambda: viewer.frames, 20)
        first = time.monotonic() - began

        # The hand moves while pictures come; all is answered in the end, and the view rests sharp.
        engine.change(frames=10)
        for seq in range(1, 6):
            await viewer.call(Input(seq, [InputEvent("move", seq / 40, 0.5)]))
        await until(lambda: viewer.frames[-1].inputs.get(joined.client) == 5 and viewer.frames[-1].still, 30)
        note("a bad line", how=how, first_picture_s=first, frames=len(viewer.frames))
        assert not viewer.ws.closed
        await viewer.close()
    engine.die()


# Longer than any heartbeat's patience; 1000 pixels squared of noise are 3 MB, 24 s.
@pytest.mark.soak
@pytest.mark.parametrize("side", [1000])
async def test_a_big_picture_on_a_narrow_line_is_no_dead_line(
    jupyter: Jupyter, kernel: Kernel, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake_engine, "picture", noise(side, side))
    await until(kernel.path.exists)
    engine = await kernel.engine()
    down = Way(rate=MBIT, delay=0.05, queue=1 << 16)
    async with Proxy(("127.0.0.1", jupyter.port), down=down) as proxy:
        viewer: Onlooker = await arrive(Onlooker, jupyter, proxy, kernel.session)
        began = time.monotonic()
        # Nothing but the picture without loss.
        await viewer.join(width=side, height=side, codecs=["png"])
        while not viewer.seen:
            # As the one in the browser does; the answer may take its time.
            await viewer.send({"wslink": "1.0", "id": "rpc:c0:p", "method": "pvlink.ping", "args": [{"time": 1.0}]})
            await asyncio.sleep(5)
            assert viewer.listens
        took = viewer.seen[0].at - began
        mb = viewer.seen[0].size / 1e6
        note("a big picture at 1 Mbit/s", mb=mb, took_s=took, longest_silence_s=viewer.silence)
        assert viewer.seen[0].size > 2.9 * side * side
        assert took > 13.5
        # The viewer in the browser takes a line for dead after 13 s, and asks after 5: that it hears each piece of a
        # picture is what keeps it from doing so.
        assert viewer.silence < 5
        # And it goes on.
        await viewer.call(Ping(1.0))
        await viewer.close()
    engine.die()


@pytest.mark.soak
async def test_the_server_notices_a_line_that_went_silent(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.02, views=("1", "2"))
    engine.change(frames=FOREVER)
    async with Proxy(("127.0.0.1", jupyter.port)) as proxy:
        turning: Onlooker = await arrive(Onlooker, jupyter, proxy, kernel.session)
        await turning.join("1")
        resting: Onlooker = await arrive(Onlooker, jupyter, proxy, kernel.session)
        await resting.join("2")
        beside = await Onlooker.watching(kernel.path, "2")
        await until(lambda: turning.seen and resting.seen and resting.seen[-1].still)
        # On a line that is well, silence of a viewer is none: it answers pings.
        proxy.silence()
        took = await only(kernel, 0)
        took += await only(kernel, 1, "2", 15 - took)
        note("a half-open line, noticed by the server", took_s=took)
        for viewer in (turning, resting, beside):
            await viewer.close()
    engine.die()


@pytest.mark.parametrize("seconds", [2, pytest.param(120, marks=pytest.mark.soak)])
async def test_a_view_is_live_again_soon_after_a_silence(jupyter: Jupyter, kernel: Kernel, seconds: float) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.02)
    engine.change(frames=FOREVER)
    async with (
        Proxy(("127.0.0.1", jupyter.port)) as proxy,
        Returning(lambda: arrive(Onlooker, jupyter, proxy, kernel.session)) as viewer,
    ):
        await viewer.frame_after(0, 10)
        proxy.silence()
        await asyncio.sleep(seconds)
        proxy.resume()
        took = await viewer.frame_after(time.monotonic(), 15)
        note("after a silence", silent_s=seconds, took_s=took)
        assert took < 10
    engine.die()
