"""The carrier's one task at a time is small: run a command there, open a way to a door. Bytes pass meanwhile."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from pvlink.launchers.carrier import wire
from pvlink.launchers.carrier.host import Host, UnreachableError
from pvlink.launchers.site import Ssh

CHUNK = 1 << 18
PDEATHSIG = 1
# How a job's door is reached, in the order that they are tried.
WAYS = ("direct", "socket", "jump")
WORDS = {
    "direct": "from the login node to the node's port",
    "socket": "by ssh to the node, to its unix socket",
    "jump": "by ssh to the node, to its port",
}


class Carrier:
    """Serves one kernel."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._hosts: dict[Ssh, Host] = {}
        self._answers: dict[int, asyncio.Future[str | None]] = {}
        self._asked = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        # Which way has worked, by host.
        self._worked: dict[Ssh, str] = {}
        sock.setblocking(False)
        self._loop.add_reader(sock, self._hear)

    async def serve(self) -> None:
        """Until the kernel has ended."""
        await self._over.wait()
        for task in self._tasks:
            task.cancel()
        for host in self._hosts.values():
            await host.close()

    def _hear(self) -> None:
        try:
            heard = wire.receive(self._socket)
        except BlockingIOError:
            return
        except OSError:
            heard = None
        if heard is None:
            self._loop.remove_reader(self._socket)
            self._over.set()
            return
        message, _ = heard
        if "answer" in message:
            if (waits := self._answers.pop(message["to"], None)) is not None and not waits.done():
                waits.set_result(message["answer"])
            return
        task = self._loop.create_task(self._do(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, message: dict[str, Any]) -> None:
        number, op = message["id"], message["op"]
        fd = None
        try:
            target = msgspec.convert(message["target"], Ssh)
            host = self._hosts.setdefault(target, Host(target, self._ask))
            if op == "run":
                code, out, err = await host.run(message["command"], message["given"], message["timeout"])
                said: dict[str, Any] = {"code": code, "out": wire.cut(out), "err": wire.cut(err)}
            else:
                fd, way = await self._dial(target, host, message)
                said = {"way": way}
        except UnreachableError as error:
            said = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 - the kernel waits for an answer, whatever has happened
            said = {"error": f"{type(error).__name__}: {error}"}
        with contextlib.suppress(OSError):
            wire.send(self._socket, {"id": number, **said}, fd)
        if fd is not None:
            os.close(fd)

    async def _ask(self, prompt: str, hidden: bool) -> str | None:
        self._asked += 1
        waits = self._answers[self._asked] = self._loop.create_future()
        wire.send(self._socket, {"ask": prompt, "hidden": hidden, "from": self._asked})
        answer: str | None = await waits
        return answer

    async def _dial(self, target: Ssh, host: Host, message: dict[str, Any]) -> tuple[int, str]:
        """A descriptor whose other end is the job's door, and how it got there."""
        node, door, port = message["host"], message["door"], message["port"]
        opens: dict[str, Callable[[], Awaitable[Any]]] = {
            "direct": lambda: host.tcp(node, port),
            "socket": lambda: host.unix(node, door),
            "jump": lambda: host.loopback(node, port),
        }
        wanted = [way for way in target.ways if port or way == "socket"]
        # The one that worked last, here or in another kernel.
        if (known := self._worked.get(target, message.get("first", ""))) in wanted:
            wanted = [known, *(way for way in wanted if way != known)]
        failed = []
        for way in wanted:
            try:
                reader, writer = await opens[way]()
            except UnreachableError as error:
                failed.append(f"{WORDS[way]}: {error}")
                continue
            self._worked[target] = way
            return await self._pumped(reader, writer), way
        raise UnreachableError("no way leads to the job's door. Tried: " + "; ".join(failed) + ".")

    async def _pumped(self, reader: Any, writer: Any) -> int:
        ours, theirs = socket.socketpair()
        inner, outer = await asyncio.open_connection(sock=ours)
        task = self._loop.create_task(_pump(inner, outer, reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return theirs.detach()


async def _pump(inner: Any, outer: Any, reader: Any, writer: Any) -> None:
    """Until one side has ended: then the other, too."""
    ways = [asyncio.create_task(_pass(inner, writer)), asyncio.create_task(_pass(reader, outer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        for end in (outer, writer):
            with contextlib.suppress(Exception):
                end.close()


async def _pass(source: Any, sink: Any) -> None:
    with contextlib.suppress(OSError, ConnectionError):
        while data := await source.read(CHUNK):
            sink.write(data)
            await sink.drain()


async def main(fd: int) -> None:
    with socket.socket(fileno=fd) as sock:
        await Carrier(sock).serve()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    # With the thread that forked: the kernel's main one.
    parser.add_argument("--die-with-parent", action="store_true")
    asked = parser.parse_args()
    if asked.die_with_parent:
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(asyncio.run(main(asked.fd)))
