"""Between a simulation and its notebook: `python ferry/__main__.py FD`, FD one end of the simulation's socket.

A program of its own, standard library only, any Python from 3.9. The first line on the socket says who the simulation
is and where a notebook may listen. When the socket ends the simulation has: so much is still told, and nothing stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import types
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    # Its neighbours, and not what their packages bring in.
    for _name, _folder in (
        ("pvlink", _HERE.parent.parent),
        ("pvlink.insitu", _HERE.parent),
        ("pvlink.insitu.ferry", _HERE),
    ):
        sys.modules[_name] = types.ModuleType(_name)
        sys.modules[_name].__path__ = [str(_folder)]

from pvlink.insitu.ferry.crossing import Crossing, Place  # noqa: E402 - found only now
from pvlink.insitu.ferry.shore import (  # noqa: E402 - found only now
    AGAIN,
    SELDOM,
    NoShore,
    Shore,
    Streams,
    line,
    lines,
)
from pvlink.insitu.mailbox import is_stopped  # noqa: E402 - found only now
from pvlink.insitu.terms import MAX_LINE, SILENCE, TICK  # noqa: E402 - found only now

# What the notebook has not taken yet: beyond this no more is said of how the simulation is.
BACKLOG = 1 << 20
# For the last words, in seconds.
FAREWELL = 2.0
# Tries at first, before it is tried less often.
EAGER = 20


class Ferry:
    """Of one simulation, until its end."""

    def __init__(self, hello: dict[str, Any], simulation: asyncio.StreamWriter) -> None:
        self._hello = hello
        self._simulation = simulation
        host, _, port = str(hello["live"]).rpartition(":")
        self._shore = Shore(host or "localhost", int(port))
        self._writer: asyncio.StreamWriter | None = None
        self._crossing: Crossing | None = None
        # How the simulation is by now: what a notebook is told that comes later.
        self._status: dict[str, Any] = {}
        self._ended: dict[str, Any] | None = None
        self._over = False
        self._stopped = False
        # The newest invitation.
        self._next: dict[str, Any] = {}

    async def run(self, said: asyncio.StreamReader) -> None:
        work = [asyncio.ensure_future(one) for one in (self._keep_reaching(), self._keep_ticking())]
        try:
            async for facts in lines(said):
                self._hear(facts)
            await self._part()
        finally:
            for task in work:
                task.cancel()
            # No longer: a task that has just ended its wait may not take notice of being cancelled.
            await asyncio.wait(work, timeout=FAREWELL)

    # -- the simulation ----------------------------------------------------------------------------

    def _hear(self, facts: dict[str, Any]) -> None:
        if "status" in facts:
            self._status = facts["status"]
        if "ended" in facts:
            self._ended = facts
        if "event" in facts or "ended" in facts or self._writer is None or _unsent(self._writer) < BACKLOG:
            self._say(facts)

    def _tell(self, **facts: Any) -> None:
        if not self._over:
            self._simulation.write(line(facts))

    async def _part(self) -> None:
        """The simulation has gone."""
        self._over = True
        if self._crossing is not None:
            self._crossing.close()
        if self._ended is None:
            self._say({"ended": "died"})
        writer = self._writer
        if writer is not None:
            with contextlib.suppress(OSError, asyncio.TimeoutError):
                await asyncio.wait_for(writer.drain(), FAREWELL)
                writer.close()
                await asyncio.wait_for(writer.wait_closed(), FAREWELL)

    # -- the notebook ------------------------------------------------------------------------------

    async def _keep_reaching(self) -> None:
        tries = 0
        said = ""
        while not self._over:
            try:
                reader, writer = await self._shore.reach({"kind": "simulation", **self._hello})
            except NoShore as error:
                if " key " in str(error) and str(error) != said:
                    said = str(error)
                    self._tell(complains=said)
                tries += 1
                await asyncio.sleep(AGAIN if tries < EAGER else SELDOM)
                continue
            tries = 0
            await self._with(reader, writer)
            await asyncio.sleep(AGAIN)

    async def _with(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._say({"status": self._status})
        self._tell(owner=True)
        try:
            async for facts in lines(reader, SILENCE):
                self._obey(facts)
        finally:
            self._writer = None
            writer.close()
            self._let_go()
            self._tell(owner=False)

    def _obey(self, facts: dict[str, Any]) -> None:
        if "order" in facts:
            self._tell(order=facts["order"])
        if "live" in facts:
            self._offer(facts["live"])
        if "next" in facts and isinstance(facts["next"], dict) and self._crossing is not None:
            # Once what the simulation will hear is in its socket it is told; also of what came before and was not yet.
            ask = facts["next"].get("ask") is True
            self._next = {**facts["next"], "ask": ask or self._next.get("ask") is True}
            self._crossing.invite(ask)

    def _say(self, facts: dict[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(line(facts))

    async def _keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            stopped = is_stopped(os.getppid())
            if stopped != self._stopped:
                self._stopped = stopped
                self._say({"standing": "stopped" if stopped else "running"})
            self._say({"tick": True})

    # -- ParaView ----------------------------------------------------------------------------------

    def _offer(self, live: Any) -> None:
        """ParaView is there for a link, or is not any more."""
        self._let_go()
        if not isinstance(live, dict):
            return
        ticket, processes = live.get("ticket"), live.get("processes")
        if not isinstance(processes, int) or not 0 < processes < 1 << 16:
            return

        async def embark(place: Place) -> Streams:
            return await self._shore.reach({"kind": "link", "ticket": ticket, "place": place})

        self._crossing = Crossing(embark, processes, int(self._hello["pairs"]), self._crossed)
        self._tell(live=self._crossing.begin())

    def _crossed(self, facts: dict[str, Any]) -> None:
        if "answered" in facts:
            self._tell(next={**self._next, "ready": facts["answered"]})
            # What is asked for lies behind this answer, or was in it.
            self._next = {**self._next, "ask": facts.get("more", False)}
            return
        self._say({"crossing": facts})
        if "lost" in facts:
            self._tell(live=None)

    def _let_go(self) -> None:
        if self._crossing is not None:
            self._crossing.close()
            self._crossing = None
            self._next = {}
            self._tell(live=None)


def _unsent(writer: asyncio.StreamWriter) -> int:
    return int(writer.transport.get_write_buffer_size())


async def _main(fd: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd), limit=MAX_LINE)
    async for hello in lines(reader):
        await Ferry(hello, writer).run(reader)


if __name__ == "__main__":
    # Ctrl-C in a terminal goes to the whole process group; the simulation decides when this ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    asyncio.run(_main(int(sys.argv[1])))
    os._exit(0)
