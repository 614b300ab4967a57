"""A desk with its links, closed whatever a test does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from pvlink.streamer.pvserver.desk import ServerDesk
from pvlink.streamer.pvserver.wish import wished
from tests.unit.streamer.harness import until
from tests.unit.streamer.pvserver import nasty


class Desk:
    """What the kernel and the viewers see of it."""

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.live = 0
        self.told = 0
        self.desk = ServerDesk(self.lost.append, self._live, self._tell)

    def open(self, *lines: dict[str, Any], sockets: list[socket.socket] | None = None, **wish: Any) -> None:
        fields = {"version": "5.11", "timeout": 5.0, **wish}
        self.desk.open(wished({"lines": list(lines), **fields}), sockets or [])

    def connect(self, *ports: int, host: str = "127.0.0.1", **wish: Any) -> None:
        self.open(*({"way": "connect", "host": host, "port": port} for port in ports), **wish)

    @property
    def state(self) -> dict[str, Any]:
        return self.desk.state()

    async def reach(self, *states: str, seconds: float = 10.0) -> dict[str, Any]:
        """The state once it is one of these; any other end is shown."""
        await until(lambda: self.state["state"] in (*states, "failed", "lost", "closed"), seconds)
        state = self.state
        assert state["state"] in states, state
        return state

    async def failed(self, seconds: float = 10.0) -> dict[str, Any]:
        return await self.reach("failed", seconds=seconds)

    async def clients(self, **options: Any) -> list[socket.socket]:
        """The engine comes to all ports."""
        state = await self.reach("ready")
        socks = [await asyncio.to_thread(nasty.client, port, **options) for port in state["ports"]]
        await self.reach("live")
        return socks

    async def client(self) -> socket.socket:
        return (await self.clients())[0]

    def _live(self) -> None:
        self.live += 1

    def _tell(self) -> None:
        self.told += 1


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    one = Desk()
    yield one
    await asyncio.wait_for(one.desk.close(), 5)
