"""The relay inside a real Jupyter server, to a real streamer."""

from __future__ import annotations

import asyncio
import contextlib
import io
import statistics
import time
from typing import Any

import aiohttp
import numpy as np
import pytest
from PIL import Image

from pvlink.protocol import Ping
from tests.unit.server.conftest import Jupyter
from tests.unit.streamer.fake_engine import picture
from tests.unit.streamer.harness import Kernel, Viewer, until


def authorised(jupyter: Jupyter) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"token {jupyter.token}"})


async def through(jupyter: Jupyter, session: str, **options: Any) -> Viewer:
    return await Viewer.over(authorised(jupyter), f"{jupyter.url}pvlink/{session}/ws", **options)


async def get(jupyter: Jupyter, session: str) -> Any:
    async with authorised(jupyter) as http, http.get(f"{jupyter.url}pvlink/{session}") as answer:
        return await answer.json() if answer.status == 200 else answer.status


async def status_of_socket(http: aiohttp.ClientSession, url: str, **options: Any) -> int:
    async with http:
        try:
            async with http.ws_connect(url, **options):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


async def test_who_may_not_come_in(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    url = f"{jupyter.url}pvlink/{kernel.session}/ws"
    origin = f"http://127.0.0.1:{jupyter.port}"
    assert await status_of_socket(aiohttp.ClientSession(), url, origin=origin) == 403
    assert await status_of_socket(aiohttp.ClientSession(), f"{url}?token=wrong", origin=origin) == 403
    assert await status_of_socket(authorised(jupyter), url, origin=origin) == 101
    # Only a page has business here, and browsers say where a page comes from.
    assert await status_of_socket(authorised(jupyter), url) == 403
    async with aiohttp.ClientSession() as http, http.get(url.removesuffix("/ws")) as answer:
        assert answer.status == 403


async def test_a_cookie_from_elsewhere_is_not_enough(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        async with http.get(f"{jupyter.url}lab?token={jupyter.token}", allow_redirects=False):
            pass
        assert len(jar)
        url = f"{jupyter.url}pvlink/{kernel.session}/ws"
        async with http.ws_connect(url, origin=f"http://127.0.0.1:{jupyter.port}"):
            pass
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await http.ws_connect(url, origin="https://evil.example")


@pytest.mark.parametrize("session", ["f" * 32, "nonsense", "0" * 31])
async def test_an_unknown_session_says_so(jupyter: Jupyter, session: str) -> None:
    assert await get(jupyter, session) == {"alive": False}
    viewer = await through(jupyter, session)
    await until(lambda: viewer.ws.closed)
    assert viewer.ws.close_code == 4404
    await viewer.close()
    assert await get(jupyter, "..%2F..%2Fetc") == 404


async def test_pictures_pass_untouched(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    assert await get(jupyter, kernel.session) == {"alive": True}
    engine = await kernel.engine()
    direct = await Viewer.watching(kernel.path)
    relayed = await through(jupyter, kernel.session)
    await relayed.join()
    await until(lambda: relayed.frames and relayed.frames[-1].still and direct.frames and direct.frames[-1].still)
    assert relayed.frames[-1].data == direct.frames[-1].data
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(relayed.frames[-1].data))), picture(engine.frames, 320, 240)[::-1, :, :3]
    )
    assert "Sec-WebSocket-Extensions" not in relayed.ws._response.headers
    for viewer in (direct, relayed):
        await viewer.close()
    await until(lambda: engine.saw("unwatch"))
    engine.die()


async def test_pictures_keep_a_server_from_looking_idle_and_signs_of_life_do_not(
    jupyter: Jupyter, kernel: Kernel
) -> None:
    async def active() -> str:
        async with authorised(jupyter) as http, http.get(f"{jupyter.url}api/status") as answer:
            return str((await answer.json())["last_activity"])

    await until(kernel.path.exists)
    engine = await kernel.engine()
    viewer = await through(jupyter, kernel.session)
    await viewer.join()
    await until(lambda: viewer.frames and viewer.frames[-1].still)
    rested = await active()
    await viewer.call(Ping(time.time()))
    assert await active() == rested

    shown = len(viewer.frames)
    engine.change()
    await until(lambda: len(viewer.frames) > shown)
    assert await active() > rested
    await viewer.close()
    engine.die()


async def test_when_the_streamer_goes_the_browser_is_told(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine()
    viewer = await through(jupyter, kernel.session)
    await viewer.join()
    kernel.process.kill()
    await until(lambda: viewer.ws.closed)
    assert viewer.ws.close_code == 4502
    # A dying process closes its connections before the socket it listens on.
    await asyncio.to_thread(kernel.process.wait)
    assert await get(jupyter, kernel.session) == {"alive": False}
    await viewer.close()
    engine.die()


async def test_a_stalled_browser_does_not_stop_another(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine(render=0.005)
    healthy = await through(jupyter, kernel.session)
    await healthy.join(width=1280, height=720)
    engine.change(frames=10_000)

    async def kept() -> float:
        shown, rendered = len(healthy.frames), engine.frames
        await until(lambda: len(healthy.frames) >= shown + 60, 30)
        return (len(healthy.frames) - shown) / (engine.frames - rendered)

    stalled = await through(jupyter, kernel.session)
    await stalled.join(width=1280, height=720)
    stalled.stall()
    assert await kept() >= 0.9
    assert await kept() >= 0.9
    for viewer in (healthy, stalled):
        await viewer.close()
    engine.die()


async def test_a_message_above_the_bound_ends_that_viewer_only(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine()
    viewer, other = await through(jupyter, kernel.session), await through(jupyter, kernel.session)
    await other.join()
    with contextlib.suppress(ConnectionError):
        await viewer.ws.send_bytes(bytes(3 << 20))
    await until(lambda: viewer.ws.closed)
    assert (await other.call(Ping(1.0)))["result"] == {"time": 1.0}
    for one in (viewer, other):
        await one.close()
    engine.die()


async def test_the_relay_costs_little(jupyter: Jupyter, kernel: Kernel) -> None:
    await until(kernel.path.exists)
    engine = await kernel.engine()
    direct = await Viewer.watching(kernel.path)
    relayed = await through(jupyter, kernel.session)
    await relayed.join()

    async def round_trip(viewer: Viewer) -> float:
        times = []
        for _ in range(50):
            began = time.perf_counter()
            await viewer.call(Ping(0.0))
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    assert await round_trip(relayed) - await round_trip(direct) < 0.005
    for viewer in (direct, relayed):
        await viewer.close()
    engine.die()
