"""Holds what a site's command has started, and ends all of it with its kernel, also when that is killed.

A program of its own, standard library only: `attendant.py FD COMMAND...`, with FD one end of a SOCK_SEQPACKET pair. It
says `{"pid"}` or `{"error"}`, `{"code", "said"}` when the command has ended, and answers each `?` with `{"said"}`.
When the socket's other end is closed, or the kernel has ended, it ends the command and what that has started. Whatever
of that has gone into the background is its child by then (PR_SET_CHILD_SUBREAPER), so that nothing gets away.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SUBREAPER, PDEATHSIG = 36, 1
# Between asking and making, in seconds; as long again to see them gone.
GRACE = 2.0
# Of what the command says, the end.
TAIL = 4096
_libc = ctypes.CDLL(None, use_errno=True)


class Attendant:
    """One command."""

    def __init__(self, control: socket.socket, command: list[str]) -> None:
        self._control = control
        self._command = command
        self._said = b""
        self._pid = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._code: int | None = None
        self._output, self._theirs = os.pipe()
        self._wake, wake = os.pipe()
        for fd in (self._wake, wake, self._output):
            os.set_blocking(fd, False)
        # Handlers, so that the command does not inherit "ignored".
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        _libc.prctl(SUBREAPER, 1, 0, 0, 0)

    def run(self) -> None:
        if not self._start():
            return
        poll = select.poll()
        control, kernel = self._control.fileno(), _life(os.getppid())
        for fd in (control, self._wake, self._output, *([] if kernel is None else [kernel])):
            poll.register(fd, select.POLLIN)
        while True:
            ready = [fd for fd, _ in poll.poll()]
            if self._output in ready and not self._hear():
                # Nobody holds the other end any more.
                poll.unregister(self._output)
            if self._wake in ready:
                os.read(self._wake, 4096)
                self._reap()
            if kernel in ready or (control in ready and not self._answer()):
                break
        self._end()

    def _start(self) -> bool:
        try:
            # Kept: one that is collected takes the exit code of a command that has ended by then.
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=self._theirs,
                stderr=self._theirs,
                # One thread here: it is safe. Should somebody kill this process, the command goes, too.
                preexec_fn=lambda: _libc.prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0),
            )
        except (OSError, ValueError) as error:
            self._tell(error=getattr(error, "strerror", None) or str(error))
            return False
        finally:
            os.close(self._theirs)
        self._pid = self._process.pid
        self._tell(pid=self._pid)
        return True

    def _hear(self) -> bool:
        try:
            said = os.read(self._output, 1 << 16)
        except BlockingIOError:
            return True
        self._said = (self._said + said)[-TAIL:]
        return bool(said)

    def _reap(self) -> bool:
        """Take note of those that have ended; whether there are others."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if pid == 0:
                return True
            if pid == self._pid and self._code is None:
                self._code = os.waitstatus_to_exitcode(status)
                # What it said last may be in the pipe still.
                self._hear()
                self._tell(code=self._code, said=self._said.decode(errors="replace"))

    def _answer(self) -> bool:
        """Whether the other end is there."""
        try:
            if not self._control.recv(16):
                return False
        except OSError:
            return False
        self._tell(said=self._said.decode(errors="replace"))
        return True

    def _tell(self, **facts: object) -> None:
        # Whoever does not listen any more is noticed when they are read from; one who does not read misses it.
        with contextlib.suppress(OSError):
            self._control.send(json.dumps(facts).encode(), socket.MSG_DONTWAIT)

    def _end(self) -> None:
        """Ask them, then make them. Those that a dying one leaves behind come up with the next look."""
        os.killpg(0, signal.SIGTERM)
        for number, seconds in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
            deadline, asked = time.monotonic() + seconds, set[int]()
            while self._reap():
                for pid in _children():
                    if pid not in asked or number == signal.SIGKILL:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(pid, number)
                    asked.add(pid)
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)


def _children() -> list[int]:
    return [int(pid) for pid in Path("/proc/thread-self/children").read_text().split()]


def _life(pid: int) -> int | None:
    """A descriptor that is readable once the process has ended: whatever the kernel forks may hold its socket open."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


if __name__ == "__main__":
    Attendant(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:]).run()
