"""The two processes beside a kernel, as it holds them: each with its wire and with what it has said."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pvlink import notebook, processes, rendezvous
from pvlink.control import Control
from pvlink.errors import EngineLost, EngineStartError, PvlinkError, StreamerLost
from pvlink.output import MemoryFile, Output
from pvlink.processes import GRACE
from pvlink.pvpython import Found
from pvlink.saved import Saved
from pvlink.wire import Abandoned, KernelWire

# An X server that is so old, in seconds, has begun to listen.
X_START = 30.0


class Engine:
    """ParaView's process, from its start to its end."""

    def __init__(
        self,
        found: Found,
        display: str,
        saved: Saved,
        generation: int,
        socket_path: Path,
        lost: Callable[[Engine], PvlinkError],
    ) -> None:
        """`generation`: how many the session has had before; `lost` makes the exception when it is gone."""
        self.found = found
        self.output = Output()
        self.abandoned = Abandoned()
        kernel, engine = socket.socketpair()
        # Over this one it is sent the sockets of its streamers.
        self._post, post = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            # Our copies of its ends must go, or nobody would notice when it dies.
            with engine, post:
                fds: dict[str, int | list[int]] = {
                    "kernel_fd": engine.fileno(),
                    "post_fd": post.fileno(),
                    "abandoned_fd": self.abandoned.fd,
                    "checkpoint_fds": saved.fds,
                }
                facts = {"kind": found.kind, "display": display, "generation": generation}
                facts["socket_path"] = str(socket_path)
                self.process = processes.start_engine(found.path, self.output, fds, **facts)
        except BaseException:
            for end in (kernel, self._post):
                end.close()
            self._close_files()
            raise
        self.wire = KernelWire(kernel, lambda: lost(self))
        self.wire.on_abandon = self.abandoned.note
        self._fd = kernel.fileno()
        self._last_words: str | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and not self.wire.closed

    def meet(self, streamer: Streamer) -> None:
        """Bring the two together. Raises StreamerLost."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            # The first time the streamer is still coming up, while ParaView is being imported.
            streamer.control.ask("engine", fd=theirs.fileno(), pid=self.pid, patience=processes.START_PATIENCE)
            # An engine that has just ended says so when it is asked something.
            with contextlib.suppress(OSError):
                socket.send_fds(self._post, [b"streamer"], [ours.fileno()])

    def send_memory(self, fd: int, number: int) -> None:
        """A file in memory for the request that follows, which names its number."""
        # An engine that has just ended says so when it is asked.
        with contextlib.suppress(OSError):
            socket.send_fds(self._post, [f"memory {number}".encode()], [fd])

    def answer(self) -> tuple[Any, dict[str, Any]]:
        """Its desk and what it says of itself, once it answers. Raises EngineStartError."""
        # What never answers is no engine; its end is the end of the wait for it.
        too_late = threading.Timer(processes.START_PATIENCE, processes.kill, [self.process])
        too_late.daemon = True
        too_late.start()
        try:
            desk = self.wire.root
            return desk, desk.describe()
        except EngineLost as error:
            how = None if too_late.finished.is_set() else processes.ended(self.process)
            message = processes.why_not_an_engine(self.found.path, self.found.why, how, self.output)
            raise EngineStartError(message) from error.__cause__
        finally:
            too_late.cancel()

    def last_words(self) -> str:
        """The end of what it has said on standard error."""
        return self.output.stderr.tail(800) if self._last_words is None else self._last_words

    def attach(self, readable: Callable[[], bool]) -> None:
        notebook.attach(self._fd, readable)
        # Whoever writes to a dead engine closes the wire (a reference that is collected, the end of a cell), and an
        # event loop watches a closed one no more. Nobody writes here between two streamers.
        notebook.attach(self._post.fileno(), readable)

    def let_go(self) -> None:
        """Close the wire: it ends when it notices."""
        notebook.detach(self._fd)
        notebook.detach(self._post.fileno())
        self._fd = -1
        self.wire.close_quietly()

    def end(self) -> None:
        """In bounded time."""
        self.let_go()
        processes.end(self.process)
        self.release()

    def release(self) -> None:
        """Give back what we hold for it."""
        self.let_go()
        self._last_words = self.last_words()
        self._post.close()
        self.wire.release()
        self._close_files()

    def _close_files(self) -> None:
        self.output.close()
        self.abandoned.close()


class Streamer:
    """The process that sends the pictures, from its start to its end."""

    def __init__(self, session: str, role: str, lost: Callable[[Streamer], StreamerLost]) -> None:
        self.log = MemoryFile("pvlink-streamer")
        control, theirs = socket.socketpair()
        try:
            with theirs:
                self.process = processes.start_streamer(session, role, theirs.fileno(), self.log)
        except BaseException:
            control.close()
            self.log.close()
            raise
        self.control = Control(control, lambda: lost(self))
        self._fd = control.fileno()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def answers(self) -> bool:
        """Whether it is there and not stuck."""
        if not self.alive:
            return False
        try:
            self.control.ask("hello", patience=GRACE)
        except StreamerLost:
            return False
        except ValueError:
            # It knows no such question: it is well.
            return True
        return True

    def attach(self, readable: Callable[[], bool]) -> None:
        notebook.attach(self._fd, readable)

    def end(self) -> None:
        """In bounded time."""
        notebook.detach(self._fd)
        try:
            self.control.ask("stop", patience=GRACE)
        except (PvlinkError, ValueError, KeyboardInterrupt):
            self.process.terminate()
        processes.end(self.process)
        self.release()

    def kill(self) -> None:
        """It is stuck, or gone: nothing to wait for."""
        notebook.detach(self._fd)
        processes.kill(self.process)
        self.process.wait()
        self.release()
        rendezvous.sweep()

    def release(self) -> None:
        self.control.close()
        self.log.close()


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
