"""The kernel's end of the process that holds a session's socket on this machine."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from pvlink import rendezvous
from pvlink.errors import PvlinkError, StreamerLost
from pvlink.processes import GRACE, START_PATIENCE

TICK = 0.02


class Entry:
    """Open until `end`, or the end of that process."""

    def __init__(self, session: str, connect: Callable[[], socket.socket]) -> None:
        """`connect` makes a viewer's connection; it is called in a thread."""
        self._connect = connect
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-P", "-m", "pvlink.launchers.gate"]
        command += ["--session", session, "--fd", str(theirs.fileno())]
        if threading.current_thread() is threading.main_thread():
            command.append("--die-with-parent")
        with theirs:
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        threading.Thread(target=self._serve, name="pvlink-gate", daemon=True).start()
        self._wait(session)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def _wait(self, session: str) -> None:
        """Until viewers find it."""
        deadline = time.monotonic() + START_PATIENCE
        while rendezvous.find(session) is None:
            if not self.alive or time.monotonic() > deadline:
                raise StreamerLost("The process that lets viewers through to the job's node did not start.")
            time.sleep(TICK)

    def _serve(self) -> None:
        # Until one of us closes it.
        with self._socket, contextlib.suppress(OSError):
            while self._socket.recv(64):
                # One at a time: a viewer asks again at most twice a second.
                self._send()

    def _send(self) -> None:
        try:
            streamer = self._connect()
        except PvlinkError:
            self._socket.send(b"none")
            return
        with streamer:
            socket.send_fds(self._socket, [b"streamer"], [streamer.fileno()])
