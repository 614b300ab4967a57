"""Another machine, by ssh: asked through the carrier, a process of its own."""

from __future__ import annotations

import getpass
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from pvlink.errors import JobError
from pvlink.launchers import remembered
from pvlink.launchers.carrier import wire
from pvlink.launchers.shells import Dialled, Done
from pvlink.launchers.site import Ssh as Facts

# Beyond what a command may take: a person may have to type a password.
PATIENCE = 330.0
DIAL_SECONDS = 60.0


class Ssh:
    """One host; its carrier starts with the first question, and anew if it has ended."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        # Which way to a job's door is tried first.
        self._first = remembered.way(facts.host)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: Sequence[str], *, given: str = "", timeout: float = 60.0) -> Done:
        said, _ = self._ask({"op": "run", "command": list(command), "given": given, "timeout": timeout}, timeout)
        return Done(said["code"], said["out"], said["err"])

    def dial(self, host: str, door: str, port: int) -> Dialled:
        began = time.monotonic()
        wish = {"op": "dial", "host": host, "door": door, "port": port, "first": self._first}
        said, fd = self._ask(wish, DIAL_SECONDS)
        if said["way"] != self._first:
            self._first = said["way"]
            remembered.keep_way(self._facts.host, self._first)
        if fd is None:
            raise JobError(f"{self._facts.host}: the way to the job's door was opened, and lost.")
        return Dialled(socket.socket(fileno=fd), (time.monotonic() - began) * 1e3, f"by ssh ({said['way']})")

    def close(self) -> None:
        with self._lock:
            self._end()

    def _ask(self, question: dict[str, Any], timeout: float) -> tuple[dict[str, Any], int | None]:
        with self._lock:
            sock = self._started()
            number = next(self._numbers)
            sock.settimeout(PATIENCE + timeout)
            try:
                wire.send(sock, {"id": number, "target": msgspec.to_builtins(self._facts), **question})
                while True:
                    heard = wire.receive(sock)
                    if heard is None:
                        raise ConnectionError
                    message, fd = heard
                    if "ask" in message:
                        wire.send(sock, {"to": message["from"], "answer": _answer(message)})
                    elif message.get("id") == number:
                        break
                    elif fd is not None:
                        # Of a question that was interrupted.
                        os.close(fd)
            except (OSError, ConnectionError, TimeoutError):
                self._end()
                raise JobError(f"{self._facts.host}: the process that holds the ssh connection has ended.") from None
        if "error" in message:
            raise JobError(f"{self._facts.host}: {message['error']}")
        return message, fd

    def _started(self) -> socket.socket:
        if self._socket is not None and self._process is not None and self._process.poll() is None:
            return self._socket
        self._end()
        ours, theirs = wire.pair()
        command = [sys.executable, "-P", "-m", "pvlink.launchers.carrier", "--fd", str(theirs.fileno())]
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
        self._socket = ours
        return ours

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            # It ends with its socket; a stopped one does not.
            try:
                self._process.wait(1.0)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGKILL)
                self._process.wait()
            self._process = None


def _answer(message: dict[str, Any]) -> str | None:
    """What the user says; none where he gives up, or is not there."""
    if threading.current_thread() is not threading.main_thread():
        # Nobody looks at what a thread would ask.
        return None
    try:
        # Both are asked below the cell in a notebook.
        return getpass.getpass(message["ask"]) if message["hidden"] else input(message["ask"])
    except (EOFError, KeyboardInterrupt):
        return None
    except Exception as error:
        if type(error).__name__ == "StdinNotImplementedError":
            return None
        raise
