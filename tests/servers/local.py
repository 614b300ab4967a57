"""A server started here, what belongs to it, and a client's first words by hand."""

from __future__ import annotations

import contextlib
import shutil
import socket
import stat
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pvlink.servers.serving import Served, choose

PVPYTHON = Path(shutil.which("pvpython") or "/usr/bin/pvpython")
# A session ends what it has started within so many seconds; so does the kernel's death.
SOON = 3.0
needs_pvserver = [
    pytest.mark.servers,
    pytest.mark.skipif(not PVPYTHON.with_name("pvserver").exists(), reason="needs ParaView with pvserver"),
    pytest.mark.skipif(shutil.which("mpiexec") is None, reason="needs mpiexec"),
]


class Local:
    """One, with a listener of ours where it is to come to us."""

    def __init__(self, level: str | None = None, ranks: int = 1, **options: Any) -> None:
        plan = choose(PVPYTHON, ranks=ranks, level=level, **options)
        self._listener = socket.create_server(("127.0.0.1", 0)) if plan.reverse else None
        try:
            self.served: Served = plan.start(self._listener.getsockname()[1] if self._listener else None)
        except BaseException:
            if self._listener:
                self._listener.close()
            raise
        self.warden = psutil.Process(self.served._warden.pid)
        self.family = [self.warden, *self.warden.children(recursive=True)]
        paths = {self.served._belongings.folder, *self._held()}
        if name := self.served._belongings.display.lstrip(":"):
            paths.add(Path(f"/tmp/.X11-unix/X{name}"))
        # And which file that is: another X server may take the number of one that has gone.
        self.files = {path: identity(path) for path in paths}
        assert None not in self.files.values(), self.files

    def _held(self) -> set[Path]:
        """Files of theirs that others can see, too."""
        found = set()
        for one in self.family:
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{one.pid}/maps").read_text().splitlines():
                    path = Path(line.split(maxsplit=5)[-1])
                    if path.is_relative_to("/dev/shm") or path.is_relative_to("/tmp"):
                        found.add(path)
        return {path for path in found if path.exists()}

    @property
    def port(self) -> int:
        """Where it listens, in its network; or where it has found us."""
        return self.served._port

    @property
    def ours(self) -> int:
        """Our listener's port, where there is one."""
        return self._listener.getsockname()[1] if self._listener else 0

    def connect(self) -> socket.socket:
        """A client's end of its connection."""
        line = self.served.line()
        if line.socket is not None:
            return line.socket
        if line.kind == "connect":
            return socket.create_connection((line.host, line.port), 10)
        assert self._listener is not None
        self._listener.settimeout(20)
        return self._listener.accept()[0]

    def rank(self, number: int) -> psutil.Process:
        return psutil.Process(self.served.pids[number])

    def called(self, name: str) -> psutil.Process:
        return next(one for one in self.family if one.name() == name)

    def left(self) -> list[str]:
        """What of it is still there, zombies and files included."""
        processes = [f"{one.pid}" for one in self.family if one.is_running()]
        return processes + [str(path) for path, it in self.files.items() if identity(path) == it]

    def gone(self, within: float = SOON) -> list[str]:
        """What is left after so many seconds; if all goes well nothing is, and sooner."""
        until(lambda: not self.left(), within)
        return self.left()

    def close(self) -> None:
        self.served.end()
        for one in self.family:
            # Not by its number alone: psutil looks whether it is still the same process.
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        if self._listener:
            self._listener.close()


def identity(path: Path) -> tuple[int, int] | None:
    """Which file it is; none: it is not there."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    # Numbers are given again; a folder's time changes with what is in it.
    return found.st_ino, found.st_ctime_ns if stat.S_ISSOCK(found.st_mode) else 0


@contextlib.contextmanager
def local(level: str | None = None, ranks: int = 1, **options: Any) -> Iterator[Local]:
    one = Local(level, ranks, **options)
    try:
        yield one
    finally:
        one.close()


def until(happened: Callable[[], object], within: float) -> bool:
    deadline = time.monotonic() + within
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


# ParaView's first words over a socket: docs/wire.md.
_ROUNDS = (
    (0x3C3C3C3C, b"\0"),
    (0x3E3E3E3E, struct.pack("<i", 100)),
    (0x3F3F3F3F, b""),
    (0x3D3D3D3D, struct.pack("<i", 1)),
)


def handshake(sock: socket.socket, connect_id: int, *, comes: bool = False) -> int:
    """As ParaView's client. 0: let in; 4: another connect-id. `comes`: the server has connected, and speaks first."""
    sock.settimeout(20)
    own = b"5e7a24e1e7033d8c49830a3775623523\0"
    for tag, body in _ROUNDS:
        body = body or own
        if not comes:
            _tell(sock, tag, body)
        assert _hear(sock) == (tag, body)
        if comes:
            _tell(sock, tag, body)
    text = f"paraview-5.11.connect_id.{connect_id}.renderingbackend.opengl2\0".encode()
    if comes:
        size = _hear(sock)
        assert size[0] == 99991
        _, theirs = _hear(sock)
        error = 0 if theirs == text else 4
        _tell(sock, 99990, struct.pack("<i", error))
        return error
    _tell(sock, 99991, struct.pack("<i", len(text)))
    _tell(sock, 99991, text)
    tag, body = _hear(sock)
    assert tag == 99990
    return int(struct.unpack("<i", body)[0])


def _tell(sock: socket.socket, tag: int, body: bytes) -> None:
    sock.sendall(struct.pack("<ii", tag, len(body)) + body)


def _hear(sock: socket.socket) -> tuple[int, bytes]:
    tag, length = struct.unpack("<ii", _exactly(sock, 8))
    return tag, _exactly(sock, length)


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        chunk = sock.recv(count - len(data))
        if not chunk:
            raise EOFError(f"the server hung up after {data!r}")
        data += chunk
    return data
