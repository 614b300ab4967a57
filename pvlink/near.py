"""A session's two processes on this machine: started, given what they need, ended. No wire is read in here."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from pathlib import Path

from pvlink import processes, pvpython, rendezvous
from pvlink.companions import Taker
from pvlink.control import Control
from pvlink.output import MemoryFile, Output
from pvlink.pvpython import Found
from pvlink.saved import Saved
from pvlink.wire import Abandoned

# An X server that is so old, in seconds, has begun to listen.
X_START = 30.0


class NearEngine:
    """ParaView's process, from its start to its end."""

    def __init__(
        self,
        found: Found,
        display: str,
        saved: Saved,
        generation: int,
        socket_path: Path,
        wire: socket.socket | None = None,
    ) -> None:
        """`generation`: how many the session has had before. `wire`: its end of the one to a kernel elsewhere."""
        self.found = found
        self.output = Output()
        self._abandoned = Abandoned()
        kernel, engine = socket.socketpair() if wire is None else (None, wire)
        # Over this one it is sent the sockets of its streamers.
        self._post, post = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            # Our copies of its ends must go, or nobody would notice when it dies.
            with engine, post:
                fds: dict[str, int | list[int]] = {
                    "kernel_fd": engine.fileno(),
                    "post_fd": post.fileno(),
                    "abandoned_fd": self._abandoned.fd,
                    "checkpoint_fds": saved.fds,
                }
                facts = {"kind": found.kind, "display": display, "generation": generation}
                facts["socket_path"] = str(socket_path)
                self._process = processes.start_engine(found.path, self.output, fds, **facts)
        except BaseException:
            for end in (kernel, self._post):
                if end is not None:
                    end.close()
            self.close()
            raise
        self._socket = kernel

    @property
    def socket(self) -> socket.socket:
        """The kernel's end of its wire."""
        assert self._socket is not None
        return self._socket

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def descriptors(self) -> list[int]:
        """What becomes readable when it ends, besides its wire."""
        return [self._post.fileno()]

    def poll(self) -> int | None:
        return self._process.poll()

    def ended(self) -> str:
        """How it ended: the end of a sentence."""
        return processes.ended(self._process)

    def kill(self) -> None:
        processes.kill(self._process)
        self._process.wait()

    def end(self) -> None:
        """In bounded time."""
        processes.end(self._process)

    def worked(self) -> float:
        """Seconds of a processor that it has used."""
        return processes.worked(self._process.pid)

    def abandon(self, number: int) -> None:
        """The user has given this request up."""
        self._abandoned.note(number)

    def meet(self, control: Control) -> None:
        """Bring it together with a streamer. Raises StreamerLost."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            # The first time the streamer is still coming up, while ParaView is being imported.
            control.ask("engine", fd=theirs.fileno(), pid=self.pid, patience=processes.START_PATIENCE)
            # An engine that has just ended says so when it is asked something.
            with contextlib.suppress(OSError):
                socket.send_fds(self._post, [b"streamer"], [ours.fileno()])

    def send_memory(self, fd: int, number: int) -> None:
        """A file in memory for the request that follows, which names its number."""
        # An engine that has just ended says so when it is asked.
        with contextlib.suppress(OSError):
            socket.send_fds(self._post, [f"memory {number}".encode()], [fd])

    def collect(self, fd: int, number: int) -> None:
        """What it has written into that file is there: it is the same one."""

    def close(self) -> None:
        """Give back what we hold for it."""
        self._post.close()
        self.output.close()
        self._abandoned.close()


class NearStreamer:
    """The process that sends the pictures, from its start to its end."""

    def __init__(self, session: str, role: str, *more: socket.socket) -> None:
        """`more`: its ends of further control sockets, for a kernel elsewhere."""
        self.log = MemoryFile("pvlink-streamer")
        self.socket, theirs = socket.socketpair()
        try:
            with contextlib.ExitStack() as ends:
                for end in (theirs, *more):
                    ends.enter_context(end)
                fds = [end.fileno() for end in (theirs, *more)]
                self._process = processes.start_streamer(session, role, fds, self.log)
        except BaseException:
            self.socket.close()
            self.log.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.poll()

    def ended(self) -> str:
        """How it ended: the end of a sentence."""
        return processes.ended(self._process)

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        processes.kill(self._process)
        self._process.wait()

    def end(self) -> None:
        """In bounded time."""
        processes.end(self._process)

    def close(self) -> None:
        """Give back what we hold for it."""
        self.log.close()


class Near:
    """This machine, as the place of a session."""

    # Paths mean the same to the kernel and to ParaView.
    shares_files = True
    label = ""

    def __init__(self, session: str) -> None:
        """Raises RendezvousError."""
        self.saved = Saved()
        rendezvous.sweep()
        remove_x_remains()
        try:
            self._path = rendezvous.socket_path(session)
        except BaseException:
            self.saved.close()
            raise
        self._session = session

    @property
    def found(self) -> Found:
        """Raises PvpythonNotFound."""
        return pvpython.find()

    def engine(self, found: Found, display: str, generation: int) -> NearEngine:
        return NearEngine(found, display, self.saved, generation, self._path)

    def streamer(self, role: str) -> NearStreamer:
        return NearStreamer(self._session, role)

    def joined(self, by: Taker) -> None:
        """There is nobody here who would tell it anything."""

    def left(self, by: Taker) -> None:
        """Nor who would miss it."""

    def moved(self) -> bool:
        return False

    def sweep(self, screen: str = "") -> None:
        """Remove what dead processes have left; `screen`: the X server that the engine had."""
        if screen:
            remove_x_remains(screen)
        rendezvous.sweep()

    def close(self) -> None:
        self.saved.close()


def remove_x_remains(screen: str = "") -> None:
    """Remove the sockets of our X servers that were killed together with their engines: that of `screen`, or all."""
    number = screen.rpartition(":")[2]
    for path in Path("/tmp/.X11-unix").glob("X*"):  # noqa: S108 - where every X server listens
        with contextlib.suppress(OSError):
            status = path.lstat()
            ours = stat.S_ISSOCK(status.st_mode) and status.st_uid == os.getuid()
            # One that is just starting has its socket before it listens there.
            old = time.time() - status.st_mtime > X_START
            # With a lock beside it, it is somebody's who chose the number.
            locked = Path(f"/tmp/.{path.name}-lock").exists()  # noqa: S108 - where every X server says so
            wanted = path.name == f"X{number}" if screen else old and not locked
            if ours and wanted and rendezvous.refuses(path):
                path.unlink()
