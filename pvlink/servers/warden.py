"""Holds a ParaView server: starts it, in a network of its own if asked, and ends all of it with its kernel.

A program of its own: standard library only, any Python from 3.9. `warden.py FD`: a server, as the first message on the
socket FD says.

The wire to the kernel is a pair of seqpacket sockets. It says: the plan, as JSON; then `end`. The warden says, as JSON:
`{"ready": {"ranks": [[rank, pid]...], "mpi": pid, "display", "servers": how many said that they are ready, "closed":
whether MPI's ports are shut}}`, in a network of its own with the connected socket; and `{"ended": {...}}`, when all is
gone: `deaths.words` reads it.

A chain: the kernel holds the warden (a pidfd, the socket's end of file), the warden mpiexec and Xvfb, and mpiexec the
ranks (PDEATHSIG). Each link alone breaks the rest. A process that is stopped takes no notice of SIGTERM, hence SIGKILL;
the warden itself asks for SIGCONT, so that a stopped one wakes up, sees that its kernel is gone, and clears away.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    # Its neighbours, and not what their packages bring in.
    for _name, _folder in (("pvlink", _HERE.parent), ("pvlink.servers", _HERE)):
        sys.modules[_name] = types.ModuleType(_name)
        sys.modules[_name].__path__ = [str(_folder)]

from pvlink.servers.chain import PDEATHSIG, descendants, die_with_parent, life, state  # noqa: E402 - found only now
from pvlink.servers.network import own_network, shut_doors  # noqa: E402 - found only now
from pvlink.servers.screen import Screen  # noqa: E402 - found only now

SUBREAPER = 36
# Between asking and making, in seconds. A pvserver may hang in its own handler of SIGTERM for good.
BY_ITSELF, GRACE = 0.3, 1.4
# So long mpiexec may take to say which rank has died of what; it needs about a second to end the others.
LAST_WORDS = 1.5
# Of what the server says so much is kept, and this much when it was more.
LOG, LOG_REST = 8 << 20, 4000
# A server that says twice that it is ready is two: mpiexec is of another MPI than it is. A second word is waited for as
# long (in seconds), and on a busy machine for this part of what the first one took.
ALONE, ALONE_SHARE = 0.15, 0.4


class Warden:
    """One server, as its plan says: level, command, mpi, ranks, folder, display, xvfb, port, ready (what it prints)."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._plan: dict[str, Any] = json.loads(control.recv(1 << 20))
        self._folder = Path(self._plan["folder"])
        self._parent = os.getppid()
        # Not the end of the socket alone: whatever the kernel forks may hold that open.
        self._kernel = life(self._parent)
        self._wake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        os.set_blocking(wake, False)
        for number in (signal.SIGCHLD, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._poll = select.poll()
        for fd in (control.fileno(), self._kernel, self._wake):
            if fd is not None:
                self._poll.register(fd, select.POLLIN)
        self._screen: Screen | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._pids: dict[int, int] = {}
        # Descriptors that are readable once a rank has ended.
        self._lives: dict[int, int] = {}
        self._dead: list[int] = []
        self._line = b""
        # How many said that they are ready, and when the first did.
        self._ready, self._since, self._begun = 0, 0.0, time.monotonic()
        self._told = False
        self._closed = True

    def hold(self) -> None:
        """Until it has ended, or has to."""
        how: dict[str, Any] = {}
        try:
            self._begin()
            how = self._follow()
        except OSError as error:
            how = {"failed": str(error)}
        finally:
            self._end(gently=bool(how.get("asked")))
            self._say({"ended": {**how, "dead": self._dead}})

    def _say(self, word: dict[str, Any], *fds: int) -> None:
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack(f"{len(fds)}i", *fds))] if fds else []
        with contextlib.suppress(OSError):
            self._control.sendmsg([json.dumps(word).encode()], passed)

    # Starting.

    def _begin(self) -> None:
        plan, me = self._plan, os.getpid()
        environment = dict(os.environ, PVLINK_FOLDER=str(self._folder), DISPLAY=plan["display"])
        if plan["xvfb"]:
            # Before the network: X servers tell each other's numbers by files, and by names in the network, too.
            self._screen = Screen(plan["xvfb"], self._folder, [self._control.fileno()])
            environment["DISPLAY"] = self._screen.display
            environment["XAUTHORITY"] = str(self._screen.cookie)
        if not environment["DISPLAY"]:
            del environment["DISPLAY"]
        if plan["level"] == "namespace":
            own_network()
        if plan["mpi"]:
            environment["PVLINK_MPI"] = "1"
        become = [sys.executable, "-I", "-S", str(_HERE / "chain.py"), str(me)]
        self._server = subprocess.Popen(
            [*plan["mpi"], *become, *plan["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(signal.SIGKILL, me),
        )
        assert self._server.stdout is not None
        os.set_blocking(self._server.stdout.fileno(), False)
        self._poll.register(self._server.stdout, select.POLLIN)

    # Following.

    def _follow(self) -> dict[str, Any]:
        """What ended it, as far as it can be seen from here; mpiexec says the rest."""
        assert self._server is not None
        until = 0.0
        while True:
            # While it starts, files are looked for; later everything makes itself known.
            ready = {fd for fd, _ in self._poll.poll(1000 if self._told and not until else 20)}
            if self._wake in ready and signal.SIGTERM in os.read(self._wake, 4096):
                return {"terminated": True}
            if self._kernel in ready or os.getppid() != self._parent:
                return {"kernel": True}
            if self._control.fileno() in ready:
                return {"asked": self._control.recv(64) == b"end"}
            self._listen()
            self._meet()
            if self._screen is not None and (code := self._screen.ended()) is not None:
                return {"xvfb": code}
            if self._server.poll() is not None:
                return {"status": self._server.returncode}
            for one, pid in self._pids.items():
                if one not in self._dead and state(pid) in ("", "Z", "X"):
                    self._dead.append(one)
                    if one in self._lives:
                        self._poll.unregister(self._lives[one])
            if self._dead and not until:
                until = time.monotonic() + LAST_WORDS
            if until and time.monotonic() > until:
                return {}

    def _meet(self) -> None:
        """The ranks that have come, and the word that all are there."""
        assert self._server is not None
        if self._told:
            return
        for file in self._folder.glob("rank.*"):
            one = int(file.suffix[1:])
            if one not in self._pids:
                self._pids[one] = int(file.read_text())
                if (fd := life(self._pids[one])) is not None:
                    self._lives[one] = fd
                    self._poll.register(fd, select.POLLIN)
                self._shut(all_of_them=False)
        alone = max(ALONE, ALONE_SHARE * (self._since - self._begun)) if self._plan["mpi"] else 0.0
        if not self._ready or time.monotonic() - self._since < alone:
            return
        self._shut(all_of_them=True)
        word = {
            "ranks": sorted(self._pids.items()),
            "mpi": self._server.pid if self._plan["mpi"] else 0,
            "display": self._screen.display if self._screen else "",
            "servers": self._ready,
            "closed": self._closed,
        }
        self._told = True
        if self._plan["level"] == "namespace" and self._ready == 1:
            with socket.create_connection(("127.0.0.1", self._plan["port"]), 5) as line:
                line.setblocking(True)
                self._say({"ready": word}, line.fileno())
        else:
            self._say({"ready": word})

    def _shut(self, *, all_of_them: bool) -> None:
        if self._plan["mpi"] and self._plan["level"] != "namespace":
            others = set(descendants(os.getpid())) - {self._screen.pid if self._screen else 0, *self._pids.values()}
            self._closed = False not in [shut_doors(pid, all_of_them=all_of_them) for pid in others]

    def _listen(self) -> None:
        assert self._server is not None
        assert self._server.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._server.stdout.fileno(), 1 << 16):
                self._keep(chunk)
                *lines, self._line = (self._line + chunk)[-LOG_REST:].split(b"\n")
                for line in lines if not self._told else []:
                    if self._plan["ready"].encode() in line:
                        self._since = self._since or time.monotonic()
                        self._ready += 1
            # All who could have written have ended.
            with contextlib.suppress(KeyError):
                self._poll.unregister(self._server.stdout)

    def _keep(self, chunk: bytes) -> None:
        """Standard output is a file in memory that the kernel reads."""
        if os.fstat(1).st_size > LOG:
            os.ftruncate(1, 0)
            chunk = (self._line + chunk)[-LOG_REST:]
        os.write(1, chunk)

    # Ending.

    def _end(self, *, gently: bool) -> None:
        if self._server is not None:
            everyone = [self._server.pid, *self._pids.values()]
            if gently and self._server.poll() is None and not any(state(pid) in ("T", "t") for pid in everyone):
                # Without its client it ends, and nothing is cut short. With MPI, the other ranks are told to by it.
                for push, grace in ((None, BY_ITSELF), (self._server.terminate, GRACE)):
                    if push is not None and self._server.poll() is None:
                        push()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._server.wait(grace)
            self._kill_rest()
            self._listen()
        if self._screen is not None:
            self._screen.end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _kill_rest(self) -> None:
        """All below us: what mpiexec leaves behind is ours then."""
        deadline = time.monotonic() + 1.0
        spared = self._screen.pid if self._screen else 0
        while (rest := [pid for pid in descendants(os.getpid()) if pid != spared]) and time.monotonic() < deadline:
            for pid in rest:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in rest:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)


def main(control: int) -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(PDEATHSIG, signal.SIGCONT, 0, 0, 0)
    libc.prctl(SUBREAPER, 1, 0, 0, 0)
    with socket.socket(fileno=control) as one:
        Warden(one).hold()


if __name__ == "__main__":
    main(int(sys.argv[1]))
