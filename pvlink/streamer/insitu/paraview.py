"""Where ParaView waits for a simulation, and a connection to it, also into a network of its server's own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

WITHIN = Path(__file__).with_name("within.py")
# To reach it, in seconds.
REACH = 6.0
CHUNK = 1 << 20
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Waiting:
    """ParaView, or the first of its server's processes."""

    port: int
    processes: int
    # Of a server: its host, where that is another one, and the number of its first process, where that is ours.
    host: str = ""
    pid: int = 0

    async def reach(self, place: tuple[str, int] | None) -> Streams:
        """A connection, or one to the place that one of its other processes has named. Raises OSError."""
        host, port = (self.host, self.port) if place is None else place
        try:
            async with asyncio.timeout(REACH):
                sock = await self._within(port) if self._in_a_network_of_its_own() else None
                if sock is not None:
                    reader, writer = await asyncio.open_connection(sock=sock, limit=CHUNK)
                else:
                    reader, writer = await asyncio.open_connection(_here(host), port, limit=CHUNK)
        except TimeoutError:
            raise OSError(f"no answer at port {port} within {REACH:g} s") from None
        except (OverflowError, ValueError) as error:
            # A port beyond 65535, a host that no name can be.
            raise OSError(f"{host!r} and {port} are no place: {error}") from None
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return reader, writer

    def _in_a_network_of_its_own(self) -> bool:
        if not self.pid:
            return False
        try:
            return Path(f"/proc/{self.pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
        except OSError:
            # Not ours to look at, or gone.
            return False

    async def _within(self, port: int) -> socket.socket:
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            with theirs:
                command = [sys.executable, "-P", str(WITHIN), str(self.pid), str(port), str(theirs.fileno())]
                process = await asyncio.create_subprocess_exec(
                    *command,
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                )
            try:
                _, said = await process.communicate()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                raise
            fds: list[int] = []
            with contextlib.suppress(OSError):
                _, fds, _, _ = socket.recv_fds(ours, 1, 1)
            if not fds:
                raise OSError(said.decode(errors="replace").strip() or "its server's network cannot be entered")
            return socket.socket(fileno=fds[0])


def _here(host: str) -> str:
    """ParaView's processes name their host by the name it has for itself, which may resolve to an outer address."""
    return "127.0.0.1" if host in ("", socket.gethostname(), os.uname().nodename) else host
