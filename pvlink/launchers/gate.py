"""PROCESS: where the Jupyter server finds a session whose streamer is on another machine (`python -m`).

    relay --(unix socket of the session)--> gate ==(a connection that the kernel has made)==> streamer

The kernel makes each viewer's connection, for it knows the way; the bytes pass here, also while the kernel is busy.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import signal
import socket

from pvlink import rendezvous

CHUNK = 1 << 18
# A connection through two ssh hosts, and somebody who types a password meanwhile.
SECONDS = 60.0
_PR_SET_PDEATHSIG = 1


class Gate:
    """Open until the kernel's socket is at its end."""

    def __init__(self, kernel: socket.socket) -> None:
        self._kernel = kernel
        self._over = asyncio.Event()
        # Viewers who wait for their connection, in the order that it was asked for.
        self._asked: asyncio.Queue[asyncio.Future[socket.socket | None]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def hold(self, session: str) -> None:
        loop = asyncio.get_running_loop()
        self._kernel.setblocking(False)
        loop.add_reader(self._kernel, self._hear)
        rendezvous.sweep()
        listener, path = rendezvous.listen(session)
        listener.setblocking(False)
        accepting = asyncio.create_task(self._accept(listener))
        try:
            await self._over.wait()
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
            loop.remove_reader(self._kernel)
            for task in (accepting, *self._tasks):
                task.cancel()
            await asyncio.gather(accepting, *self._tasks, return_exceptions=True)
            listener.close()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                viewer, _ = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            if rendezvous.peer_uid(viewer) != os.getuid():
                viewer.close()
                continue
            task = asyncio.create_task(self._serve(viewer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, viewer: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection: asyncio.Future[socket.socket | None] = loop.create_future()
        with viewer:
            self._asked.put_nowait(connection)
            try:
                await loop.sock_sendall(self._kernel, b"viewer")
                async with asyncio.timeout(SECONDS):
                    streamer = await connection
            except (OSError, TimeoutError):
                return
            if streamer is None:
                return
            with streamer:
                streamer.setblocking(False)
                ways = [asyncio.create_task(_pass(*ends)) for ends in ((viewer, streamer), (streamer, viewer))]
                try:
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for way in ways:
                        way.cancel()
                    await asyncio.gather(*ways, return_exceptions=True)

    def _hear(self) -> None:
        """A connection that was asked for, or a word that there is none."""
        try:
            data, fds, _, _ = socket.recv_fds(self._kernel, 64, 1)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        if not data:
            self._over.set()
            return
        streamer = socket.socket(fileno=fds[0]) if fds else None
        waits = None if self._asked.empty() else self._asked.get_nowait()
        if waits is not None and not waits.done():
            waits.set_result(streamer)
        elif streamer is not None:
            streamer.close()


async def _pass(source: socket.socket, sink: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while data := await loop.sock_recv(source, CHUNK):
            await loop.sock_sendall(sink, data)


async def main(session: str, fd: int) -> None:
    with socket.socket(fileno=fd) as kernel:
        await Gate(kernel).hold(session)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--session", required=True)
    parser.add_argument("--fd", type=int, required=True)
    # With the thread that forked: the kernel's main one.
    parser.add_argument("--die-with-parent", action="store_true")
    asked = parser.parse_args()
    os.umask(0o077)
    if asked.die_with_parent:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(main(asked.session, asked.fd))
