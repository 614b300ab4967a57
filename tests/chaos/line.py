"""The bad network between a browser and Jupyter, for tests that are not asyncio: a proxy in a thread of its own."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable
from typing import Self, TypeVar

from tests.chaos.proxy import Connection, Cut, Proxy, Silence, Way

T = TypeVar("T")
# First line of a viewer's request for its websocket.
VIEW = re.compile(r"/pvlink/\w+/ws[ ?]|^GET /ws[ ?]")


class Line:
    """Listens on a port of its own and passes bytes on, as a reverse proxy does."""

    def __init__(self, to_port: int, *, idle_s: float | None = None, up: Way | None = None, down: Way | None = None):
        self._proxy = Proxy(("127.0.0.1", to_port), up=up or Way(), down=down or Way(), idle=idle_s)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._proxy.__aenter__(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.__aexit__(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    @property
    def port(self) -> int:
        return self._proxy.port

    @property
    def lost_patience(self) -> int:
        """How many sockets were closed because nothing was said for `idle_s`."""
        return self._do(lambda: self._proxy.lost_patience)

    @property
    def views(self) -> list[Connection]:
        """The viewers' websockets among the connections."""
        return self._do(self._views)

    def cut(self, how: Cut = "reset") -> None:
        """Ends every viewer's socket."""
        self._do(lambda: self._proxy.cut(how, self._views()))

    def silence(self, how: Silence = "swallow") -> None:
        """From now on the viewers' sockets carry nothing, and look open. New ones are well."""

        def hush() -> None:
            for connection in self._views():
                connection.silence(how)

        self._do(hush)

    def cut_all(self) -> None:
        """Ends every connection; new ones are well."""
        self._do(self._proxy.cut)

    def silence_all(self) -> None:
        """Nothing arrives any more, of old connections or new ones, until `resume`."""
        self._do(lambda: self._proxy.silence("hold"))

    def resume(self) -> None:
        self._do(self._proxy.resume)

    def down(self) -> None:
        """Cuts everything and takes nothing new."""
        self._do(self._proxy.down_for_all)

    def up(self) -> None:
        self._proxy.refuses = False

    def _views(self) -> list[Connection]:
        return [connection for connection in self._proxy.connections if VIEW.search(connection.request)]

    def _do(self, work: Callable[[], T]) -> T:
        async def done() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)
