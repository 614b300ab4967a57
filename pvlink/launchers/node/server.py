"""One ParaView server: its ranks, and the port on loopback where it comes to us."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pvlink.servers.chain import descendants, die_with_parent, state
from pvlink.streamer.pvserver import peers

# Where the site says nothing else. MPI's hwloc knocks at every X display of the node, other users' too, and prints each
# refusal; ranks that wait for a client leave their core to who wants it.
USUALLY = {"HWLOC_COMPONENTS": "-gl", "OMPI_MCA_mpi_yield_when_idle": "1"}
# Between asking it to end and making it; first it is let end by itself.
BY_ITSELF, GRACE = 0.3, 1.5
# Of what it has said, the end.
TAIL = 4000


class Server:
    """It runs from here on. `came` is given the socket of whoever is this user's and comes to the port."""

    def __init__(
        self, plan: dict[str, Any], number: int, watch: selectors.BaseSelector, came: Callable[[socket.socket], None]
    ) -> None:
        self._watch = watch
        self._came = came
        self._landing: socket.socket | None = socket.socket()
        self._landing.bind(("127.0.0.1", 0))
        self._landing.listen(8)
        self._landing.setblocking(False)
        watch.register(self._landing, selectors.EVENT_READ, lambda _: self._land())
        port = self._landing.getsockname()[1]
        place = Path(plan["place"])
        # On each of its nodes; that of the one before may still be being cleared away.
        self._screen = f"{plan['node']}-{number}"
        rank = [sys.executable, "-I", "-S", str(place / "lib" / "rank.py"), str(place / "plan.json")]
        reverse = ["--reverse-connection", "--client-host=127.0.0.1", f"--server-port={port}"]
        me = os.getpid()
        log = os.open(place / "server.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            self._process = subprocess.Popen(
                [*plan["launcher"], *rank, self._screen, *plan["arguments"], *reverse],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # So that nothing is left where we are killed: mpiexec goes with us, and its ranks go with that.
                preexec_fn=lambda: die_with_parent(signal.SIGKILL, me),
                env={**USUALLY, **os.environ},
            )
        except OSError:
            self.has_come()
            raise
        finally:
            os.close(log)

    def code(self) -> int | None:
        """Its exit code, once it has ended."""
        return self._process.poll()

    def has_come(self) -> None:
        """Nobody else is to come."""
        if self._landing is not None:
            self._watch.unregister(self._landing)
            self._landing.close()
            self._landing = None

    def end(self, *, gently: bool) -> None:
        """With all it has started."""
        self.has_come()
        if gently:
            # Without its client it ends by itself; MPI has it told to the other ranks.
            self._wait(BY_ITSELF)
            if self.code() is None:
                self._process.terminate()
                self._wait(GRACE)
        end_all(self._process)
        shutil.rmtree(self._screen, ignore_errors=True)

    def _wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def _land(self) -> None:
        if self._landing is None:
            return
        try:
            sock, _ = self._landing.accept()
        except OSError:
            return
        # Another user may have found the port.
        if peers.uid(sock) == os.getuid():
            self._came(sock)
        else:
            sock.close()


def end_all(process: subprocess.Popen[bytes]) -> None:
    """It, and what it has started."""
    below = descendants(process.pid)
    for pid in below:
        # The keeper of an X server is a session of its own, and clears away when its rank is gone.
        if _session(pid) == process.pid:
            _kill(pid)
    _kill(process.pid)
    process.wait()
    deadline = time.monotonic() + GRACE
    while (left := [pid for pid in below if state(pid) not in ("", "Z", "X")]) and time.monotonic() < deadline:
        time.sleep(0.02)
    for pid in left:
        _kill(pid)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def last_words(place: Path) -> str:
    """What the server has said, the end of it."""
    with contextlib.suppress(OSError), (place / "server.log").open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
        return file.read().decode(errors="replace")
    return ""
