"""A viewer that comes back after each cut, as patiently as the one in the browser (js/src/viewer/backoff.ts)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Self

import aiohttp

from pvlink.protocol import Ping
from tests.chaos.crowd import Onlooker

FIRST_SECONDS = 0.25
LONGEST_SECONDS = 5.0
# Where a link was joined before it was cut, the way is open; one that lasted has earned a quick next try.
JOINED_SECONDS = 1.0
STEADY_SECONDS = 5.0
# It says something so often, and takes a line for dead on which nothing was heard for so long after that.
PING_SECONDS, PATIENCE_SECONDS = 5.0, 8.0
OPENING_SECONDS = 10.0


class Returning:
    """Watches through whatever `connect` makes, again and again."""

    def __init__(self, connect: Callable[[], Awaitable[Onlooker]], width: int = 64, height: int = 48) -> None:
        self.viewer: Onlooker | None = None
        self.links = 0
        # When frames came, of all links.
        self.frames: list[float] = []
        self._connect = connect
        self._size = (width, height)
        self._wait = FIRST_SECONDS

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def frame_after(self, moment: float, patience: float) -> float:
        """Until a frame came after this moment; how long after."""
        deadline = time.monotonic() + patience
        while not (self.frames and self.frames[-1] > moment):
            assert not self._task.done(), self._task.exception()
            assert time.monotonic() < deadline, f"no frame for {patience} s, {self.links} links"
            await asyncio.sleep(0.005)
        return next(at for at in self.frames if at > moment) - moment

    async def _run(self) -> None:
        while True:
            lasted = await self._watch()
            if lasted is not None:
                self._wait = FIRST_SECONDS if lasted >= STEADY_SECONDS else min(self._wait, JOINED_SECONDS)
            wait, self._wait = self._wait, min(LONGEST_SECONDS, 2 * self._wait)
            await asyncio.sleep(wait)

    async def _watch(self) -> float | None:
        """One link, from its first byte to its end; how long it was joined, if it was."""
        viewer, joined = None, None
        try:
            async with asyncio.timeout(OPENING_SECONDS):
                viewer = await self._connect()
                await viewer.join(width=self._size[0], height=self._size[1])
            joined = time.monotonic()
            self.viewer = viewer
            self.links += 1
            await self._see(viewer)
        except (aiohttp.ClientError, ConnectionError, TimeoutError, AssertionError):
            pass
        finally:
            if viewer is not None:
                await asyncio.shield(viewer.close())
        return None if joined is None else time.monotonic() - joined

    async def _see(self, viewer: Onlooker) -> None:
        seen, heard, asked = 0, time.monotonic(), time.monotonic()
        ping: asyncio.Task[object] | None = None
        while not viewer.ws.closed and viewer.listens:
            now = time.monotonic()
            if len(viewer.seen) > seen:
                self.frames += [each.at for each in viewer.seen[seen:]]
                seen, heard = len(viewer.seen), now
            if ping is not None and ping.done():
                heard = heard if ping.exception() else now
                ping = None
            if ping is None and now - max(heard, asked) >= PING_SECONDS:
                asked, ping = now, asyncio.create_task(viewer.call(Ping(now)))
            if now - heard > PING_SECONDS + PATIENCE_SECONDS:
                break
            await asyncio.sleep(0.005)
        if ping is not None:
            ping.cancel()
            await asyncio.gather(ping, return_exceptions=True)
