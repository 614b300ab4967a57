"""The network between a browser and Jupyter: a proxy that can cut, fall silent, and lose patience."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

T = TypeVar("T")
# First line of a viewer's request for its websocket.
VIEW = re.compile(r"/pvlink/\w+/ws[ ?]")


@dataclass(eq=False)
class Connection:
    """One of the browser's connections. What it is for shows in its first line."""

    browser: asyncio.StreamWriter
    server: asyncio.StreamWriter
    request: str = ""
    # A line on which nothing arrives any more, and nobody is told.
    silent: bool = False
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class Line:
    """Listens on a port of its own and passes bytes on, as a reverse proxy does."""

    def __init__(self, to_port: int, *, idle_s: float | None = None) -> None:
        self.port = 0
        self.connections: list[Connection] = []
        # How many sockets were closed because nothing was said for `idle_s`.
        self.lost_patience = 0
        self._to_port = to_port
        self._idle_s = idle_s
        self._down = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._ask(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._ask(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def views(self) -> list[Connection]:
        """The viewers' websockets among them."""
        return [connection for connection in self.connections if VIEW.search(connection.request)]

    def cut(self) -> None:
        """Ends every viewer's socket, as a proxy does that restarts."""
        self._ask(self._end(self.views))

    def silence(self) -> None:
        """From now on these sockets carry nothing, and look open."""
        for connection in self.views:
            connection.silent = True

    def down(self) -> None:
        """Cuts everything and takes nothing new."""
        self._down = True
        self._ask(self._end(self.connections))

    def up(self) -> None:
        self._down = False

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _finish(self) -> None:
        self._server.close()
        await self._end(self.connections)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _end(self, connections: Sequence[Connection]) -> None:
        for connection in list(connections):
            self._close(connection)
        # Let the cancelled tasks notice.
        await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._down:
            writer.transport.abort()
            return
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to_port)
        connection = Connection(writer, to_server)
        self.connections.append(connection)
        pumps = (
            self._pump(connection, reader, to_server, up=True),
            self._pump(connection, from_server, writer, up=False),
        )
        connection.tasks = [asyncio.create_task(pump) for pump in pumps]
        await asyncio.wait(connection.tasks, return_when=asyncio.FIRST_COMPLETED)
        self._close(connection)

    async def _pump(
        self, connection: Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await self._read(reader):
                if up and not connection.request:
                    connection.request = data.partition(b"\r\n")[0].decode(errors="replace")
                if not connection.silent:
                    writer.write(data)
                    await writer.drain()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        # Each direction for itself, as nginx counts (proxy_read_timeout, proxy_send_timeout).
        try:
            return await asyncio.wait_for(reader.read(1 << 16), self._idle_s)
        except TimeoutError:
            self.lost_patience += 1
            return b""

    def _close(self, connection: Connection) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
        for task in connection.tasks:
            task.cancel()
        for side in (connection.browser, connection.server):
            side.transport.abort()
