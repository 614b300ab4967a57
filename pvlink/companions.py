"""The two processes of a session, as the kernel holds them, wherever they run: each with its wire."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import socket
from typing import Any, Protocol

from pvlink import notebook, processes
from pvlink.control import Control
from pvlink.errors import EngineLost, EngineStartError, PvlinkError, StreamerLost
from pvlink.output import MemoryFile, Output
from pvlink.processes import GRACE
from pvlink.pvpython import Found
from pvlink.saved import Saved
from pvlink.wire import KernelWire


class Process(Protocol):
    """One of them, where it runs."""

    @property
    def pid(self) -> int: ...

    @property
    def socket(self) -> socket:
        """The kernel's end of its wire."""

    def poll(self) -> int | None:
        """Its exit code, once it has ended."""

    def ended(self) -> str:
        """How it ended: the end of a sentence."""

    def kill(self) -> None:
        """At once; it is gone then."""

    def end(self) -> None:
        """In bounded time."""

    def close(self) -> None:
        """Give back what is held for it."""


class EngineProcess(Process, Protocol):
    """ParaView's."""

    @property
    def found(self) -> Found: ...

    @property
    def output(self) -> Output: ...

    @property
    def descriptors(self) -> Sequence[int]:
        """What becomes readable when it ends, besides its wire."""

    def worked(self) -> float:
        """Seconds of a processor that it has used."""

    def abandon(self, number: int) -> None:
        """The user has given this request up."""

    def meet(self, control: Control) -> None:
        """Bring it together with a streamer. Raises StreamerLost."""

    def send_memory(self, fd: int, number: int) -> None:
        """A file in memory for the request that follows, which names its number."""

    def collect(self, fd: int, number: int) -> None:
        """Have in that file what the request has written into it."""


class StreamerProcess(Process, Protocol):
    """The one that sends the pictures."""

    @property
    def log(self) -> MemoryFile: ...

    def terminate(self) -> None:
        """Ask it to end."""


class Taker(Protocol):
    """A session, as those know it who can tell it something."""

    def follow(self) -> None:
        """Go where the job is now."""

    def notice(self, message: str) -> None:
        """A sentence for whoever looks at the views; empty: no more."""

    def keep(self, path: Path) -> bool:
        """Write the pipeline into a file; whether there is one."""


class Place(Protocol):
    """Where a session's processes are, and what outlives them."""

    @property
    def saved(self) -> Saved: ...

    @property
    def shares_files(self) -> bool:
        """Whether paths mean the same to the kernel and to ParaView."""

    @property
    def label(self) -> str:
        """For sentences: "job 12 at oscar"; empty for this machine."""

    @property
    def found(self) -> Found:
        """Which ParaView is there, if nobody has said which one."""

    def engine(self, found: Found, display: str, generation: int) -> EngineProcess:
        """`generation`: how many the session has had before."""

    def streamer(self, role: str) -> StreamerProcess:
        """`role`: of those who come through Jupyter."""

    def joined(self, by: Taker) -> None:
        """A session is there, and can be told things."""

    def left(self, by: Taker) -> None:
        """It is not there any more."""

    def moved(self) -> bool:
        """Whether it is somewhere else now than where its processes are: they are to be had again there."""

    def sweep(self, screen: str = "") -> None:
        """Remove what dead processes have left; `screen`: the X server that the engine had."""

    def close(self) -> None:
        """The session has ended."""


class Engine:
    """ParaView's process, from its start to its end."""

    def __init__(self, process: EngineProcess, lost: Callable[[Engine], PvlinkError]) -> None:
        """`lost` makes the exception when it is gone."""
        self.process = process
        self.output = process.output
        self.wire = KernelWire(process.socket, lambda: lost(self))
        self.wire.on_abandon = process.abandon
        # Whoever writes to a dead engine closes the wire (a reference that is collected, the end of a cell), and an
        # event loop watches a closed one no more. Nobody writes to the others between two streamers.
        self._attached = [process.socket.fileno(), *process.descriptors]
        self._last_words: str | None = None

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None and not self.wire.closed

    def meet(self, streamer: Streamer) -> None:
        """Bring the two together. Raises StreamerLost."""
        self.process.meet(streamer.control)

    def send_memory(self, fd: int, number: int) -> None:
        """A file in memory for the request that follows, which names its number."""
        self.process.send_memory(fd, number)

    def collect(self, fd: int, number: int) -> None:
        """Have in that file what the request has written into it."""
        self.process.collect(fd, number)

    def answer(self) -> tuple[Any, dict[str, Any]]:
        """Its desk and what it says of itself, once it answers. Raises EngineStartError."""
        # What never answers is no engine; its end is the end of the wait for it.
        too_late = threading.Timer(processes.START_PATIENCE, self.process.kill)
        too_late.daemon = True
        too_late.start()
        try:
            desk = self.wire.root
            return desk, desk.describe()
        except EngineLost as error:
            how = None if too_late.finished.is_set() else self.process.ended()
            found = self.process.found
            message = processes.why_not_an_engine(found.path, found.why, how, self.output)
            raise EngineStartError(message) from error.__cause__
        finally:
            too_late.cancel()

    def last_words(self) -> str:
        """The end of what it has said on standard error."""
        return self.output.stderr.tail(800) if self._last_words is None else self._last_words

    def attach(self, readable: Callable[[], bool]) -> None:
        for fd in self._attached:
            notebook.attach(fd, readable)

    def let_go(self) -> None:
        """Close the wire: it ends when it notices."""
        for fd in self._attached:
            notebook.detach(fd)
        self._attached = []
        self.wire.close_quietly()

    def kill(self) -> None:
        """At once, with its wire."""
        self.let_go()
        self.process.kill()

    def end(self) -> None:
        """In bounded time."""
        self.let_go()
        self.process.end()
        self.release()

    def release(self) -> None:
        """Give back what we hold for it."""
        self.let_go()
        self._last_words = self.last_words()
        self.wire.release()
        self.process.close()


class Streamer:
    """The process that sends the pictures, from its start to its end."""

    def __init__(self, process: StreamerProcess, lost: Callable[[Streamer], StreamerLost]) -> None:
        self.process = process
        self.log = process.log
        self.control = Control(process.socket, lambda: lost(self))
        self._fd = process.socket.fileno()

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
        self.process.end()
        self.release()

    def kill(self) -> None:
        """It is stuck, or gone: nothing to wait for."""
        notebook.detach(self._fd)
        self.process.kill()
        self.release()

    def release(self) -> None:
        self.control.close()
        self.process.close()
