"""A ParaView server that runs on this machine: watched, and ended with all that belongs to it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pvlink.errors import ServerError
from pvlink.output import MemoryFile
from pvlink.servers import deaths, levels, mpi, ranks
from pvlink.servers.belongings import Belongings
from pvlink.servers.levels import Level
from pvlink.servers.ranks import RankMemory

if TYPE_CHECKING:
    from pvlink.servers.serving import Plan

# The warden takes two seconds at most; when it does not, it is made to.
GRACE = 2.3


@dataclass(frozen=True)
class Line:
    """The way to a server: `socket` is connected already, `host` and `port` are to be connected to, or listened at."""

    kind: Literal["socket", "connect", "listen"]
    socket: socket.socket | None = None
    host: str = ""
    port: int = 0


class Served:
    """A running server. `end` ends it; so does the end of this process, however that comes."""

    def __init__(self, plan: Plan, port: int) -> None:
        """Until it listens, or is on its way to us. Raises ServerError."""
        self.plan = plan
        # Of its ranks, by their numbers.
        self.pids: dict[int, int] = {}
        # Of mpiexec; zero where there is none.
        self.mpi_pid = 0
        self._port = port
        self._line: socket.socket | None = None
        self._doors_shut = True
        self._ready: dict[str, Any] | None = None
        self._how: dict[str, Any] | None = None
        self._last_words = ""
        # Something is known of its start; and all of it is gone.
        self._news, self._over = threading.Event(), threading.Event()
        self._log = MemoryFile("pvlink-pvserver")
        self._belongings = Belongings()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._warden = self._belongings.start_warden(theirs.fileno(), self._log.fd, plan.mpi)
        threading.Thread(target=self._follow, daemon=True, name="pvlink server").start()
        before, command = plan.command(port, str(self._belongings.folder))
        word = {
            "level": plan.level,
            "mpi": before,
            "command": command,
            "ranks": plan.ranks,
            "folder": str(self._belongings.folder),
            "xvfb": plan.xvfb,
            "display": plan.display,
            "port": port,
            "ready": mpi.ready(plan.level),
        }
        try:
            with contextlib.suppress(BrokenPipeError):
                self._control.send(json.dumps(word).encode())
            self._wait(plan.patience)
        except BaseException:
            self.end()
            raise

    @property
    def level(self) -> Level:
        return self.plan.level

    @property
    def version(self) -> str:
        return self.plan.version

    @property
    def ranks(self) -> int:
        return self.plan.ranks

    @property
    def connect_id(self) -> int:
        return self.plan.connect_id

    @property
    def safety(self) -> str:
        """What others can do and cannot, and why it is no better."""
        name = self.plan.mpi.name if self.plan.mpi else ""
        said = levels.safety(self.level, mpi=name, doors_shut=self._doors_shut)
        return " ".join([said, *(f"Not {better!r}: {why}." for better, why in self.plan.why_not.items())])

    @property
    def alive(self) -> bool:
        """Whether it runs, as far as can be seen without asking it: a stopped one does. See `stopped_ranks`."""
        return self._how is None and self._warden.poll() is None

    def ended(self) -> str:
        """How: "rank 2 was killed by signal 9"; empty while it runs."""
        if self.alive:
            return ""
        self._over.wait(1.0)
        if self._how is None:
            return f"the process that held it {deaths.by(self._warden.returncode or 0)}"
        return deaths.words(self._how, self.last_words(), with_mpi=self.plan.mpi is not None)

    def last_words(self) -> str:
        """The end of what server and mpiexec have said."""
        return self._last_words if self._over.is_set() else self._log.tail()

    def wait(self, timeout: float | None = None) -> bool:
        """Until nothing of it is left; whether that is so."""
        return self._over.wait(timeout)

    def line(self) -> Line:
        """The way to it. A socket is handed over, once: with it goes the server. Raises ServerError."""
        if self.level == "reverse":
            return Line("listen", None, "127.0.0.1", self._port)
        if self.level != "namespace":
            if not ranks.listener_of(self.pids[0], self._port):
                self.end()
                raise ServerError(
                    f"Port {self._port} of this machine is not where the server that was started listens: somebody "
                    "else has it, or came first. Nothing was sent. Serve again, at a safer level if there is one.",
                    "stranger",
                )
            return Line("connect", None, "127.0.0.1", self._port)
        taken, self._line = self._line, None
        if taken is None:
            raise ServerError("This server's connection has been taken; it has one. Serve again.", "taken")
        return Line("socket", taken)

    def memory(self) -> list[RankMemory]:
        """What each rank holds, now; the server is not asked."""
        return ranks.memory(self.pids)

    def stopped_ranks(self) -> list[int]:
        """The numbers of the ranks that will not answer: stopped, or gone."""
        return ranks.not_running(self.pids)

    def end(self) -> None:
        """All of it, within 3 s. May be called again."""
        line, self._line = self._line, None
        if line is not None:
            # A server whose client has gone ends.
            line.close()
        if not self._over.is_set():
            with contextlib.suppress(OSError):
                self._control.send(b"end", socket.MSG_DONTWAIT)
            # It may have been stopped.
            self._warden.send_signal(signal.SIGCONT)
            if not self._over.wait(GRACE):
                self._warden.kill()
                self._over.wait(GRACE)

    def _wait(self, patience: float) -> None:
        command = " ".join([*(["mpiexec"] if self.plan.mpi else []), str(self.plan.pvserver)])
        if not self._news.wait(patience):
            raise ServerError(
                f"{command} with {self.ranks} ranks was not ready within {patience:.0f} s. {self._said()}"
                "Fewer ranks, or more patience=, may help.",
                "slow",
            )
        if self._ready is None:
            hint = " There are fewer cores than ranks; try fewer." if self.ranks > 4 * (os.cpu_count() or 1) else ""
            raise ServerError(f"{command} ended before it was ready: {self.ended()}.{hint} {self._said()}", "ended")
        if self._ready["servers"] > 1:
            raise ServerError(
                f"{self.plan.mpiexec} started {self.ranks} servers of one rank each, instead of one of {self.ranks}: "
                f"it is not of {self.plan.pvserver}'s MPI. Name the right one: serve(mpiexec='/path/to/mpiexec').",
                "mpi",
            )

    def _said(self) -> str:
        said = self.last_words()
        return f"It said:\n{said}\n" if said else "It said nothing. "

    def _follow(self) -> None:
        """What the warden says, in a thread of its own; and what is left to do when it has ended."""
        with contextlib.suppress(OSError):
            while True:
                data, fds, _, _ = socket.recv_fds(self._control, 1 << 20, 1)
                if not data:
                    break
                word = json.loads(data)
                if "ready" in word:
                    self._begin(word["ready"], fds)
                else:
                    self._how = word["ended"]
        self._warden.wait()
        self._belongings.clear()
        self._last_words = self._log.tail()
        self._over.set()
        self._news.set()
        self._log.close()
        self._control.close()

    def _begin(self, ready: dict[str, Any], fds: list[int]) -> None:
        self.pids = dict(ready["ranks"])
        self.mpi_pid = ready["mpi"]
        self._doors_shut = ready["closed"]
        self._belongings.display = ready["display"]
        if fds:
            self._line = socket.socket(fileno=fds[0])
        self._ready = ready
        self._news.set()
