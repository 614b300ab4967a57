"""The first rank's way to its ferry: never waits, neither to say something nor to hear it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

FERRY = Path(__file__).resolve().parent / "ferry" / "__main__.py"
# Not taken yet: how the simulation is is said anew; what has happened is kept so long.
MAX_EVENTS = 10_000
# A ferry that died is another one after so long, in seconds, and later and later.
AGAIN, SELDOM = 1.0, 60.0


class Mailbox:
    """A ferry of its own, had again when it dies."""

    def __init__(self, hello: dict[str, Any]) -> None:
        self._hello = hello
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._in = bytearray()
        self._out = bytearray()
        # What is being sent: again, if its ferry dies meanwhile.
        self._line = b""
        self._waiting: deque[bytes] = deque(maxlen=MAX_EVENTS)
        self._wait = AGAIN
        self._again = 0.0
        self._closed = False
        self._start()

    # -- what is said ------------------------------------------------------------------------------

    def say(self, **facts: Any) -> None:
        """What has happened: in order, and once."""
        self._waiting.append(_line(facts))
        self._send()

    def show(self, status: dict[str, Any]) -> bool:
        """How things stand; nothing where something is still to be sent."""
        self._send()
        if self._out or self._waiting or self._socket is None:
            return False
        self._waiting.append(_line({"status": status}))
        self._send()
        return True

    def heard(self) -> list[dict[str, Any]]:
        """What has come since."""
        if self._socket is None:
            if not self._closed:
                self._perhaps_start()
            return []
        self._send()
        found: list[dict[str, Any]] = []
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self._lost()
                # Nobody is there any more, as far as anybody knows.
                found += [{"owner": False}, {"live": None}]
                break
            self._in += data
        while (end := self._in.find(b"\n")) >= 0:
            text = bytes(self._in[:end])
            del self._in[: end + 1]
            try:
                facts = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(facts, dict):
                found.append(facts)
        return found

    def close(self, ended: str) -> None:
        """The last word."""
        self._closed = True
        self.say(ended=ended)
        if self._socket is not None:
            self._socket.setblocking(True)
            self._socket.settimeout(1.0)
            self._send()
            self._socket.close()
            self._socket = None
        if self._process is not None and is_stopped(self._process.pid):
            # It would stay for ever.
            self._process.kill()

    # -- the ferry ---------------------------------------------------------------------------------

    def _start(self) -> None:
        ours = None
        try:
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [_python(), "-P" if sys.version_info >= (3, 11) else "-B", str(FERRY), str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    # Or whoever reads the simulation's output to its end, as mpiexec does, waits for this one's, too.
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_environment(),
                    start_new_session=True,
                )
        except OSError as error:
            if ours is not None:
                ours.close()
            self._later()
            print(f"pvlink: nobody can watch this simulation: {error}", file=sys.stderr, flush=True)
            return
        ours.setblocking(False)
        self._socket = ours
        self._out = bytearray(_line(self._hello))
        self._send()

    def _perhaps_start(self) -> None:
        if self._process is not None:
            self._process.poll()
        if time.monotonic() >= self._again:
            self._start()

    def _lost(self) -> None:
        assert self._socket is not None
        self._socket.close()
        self._socket = None
        self._in.clear()
        if self._line:
            self._waiting.appendleft(self._line)
            self._line = b""
        if self._process is not None:
            self._process.poll()
        self._later()

    def _later(self) -> None:
        self._again = time.monotonic() + self._wait
        self._wait = min(2 * self._wait, SELDOM)

    def _send(self) -> None:
        if self._socket is None:
            return
        try:
            while self._out or self._waiting:
                if not self._out:
                    self._line = self._waiting.popleft()
                    self._out = bytearray(self._line)
                sent = self._socket.send(self._out)
                del self._out[:sent]
                if not self._out:
                    self._line = b""
        except (BlockingIOError, socket.timeout):
            return
        except OSError:
            # The next look finds its end; the next ferry hears it.
            return


def is_stopped(pid: int) -> bool:
    """By a signal, or a debugger."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt"
    except (OSError, IndexError):
        return False


def _line(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def _python() -> str:
    """A code in C++ that has Python inside is no interpreter, and neither is pvbatch."""
    if Path(sys.executable or "").name.startswith("python"):
        return sys.executable
    beside = Path(sys.exec_prefix) / "bin" / "python3"
    return str(beside) if beside.exists() else shutil.which("python3") or "python3"


def _environment() -> dict[str, str]:
    """A process that MPI has started passes on that it was: this one is none of its ranks."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_", "PMI_"))}
