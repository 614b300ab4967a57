"""A private X server for the ranks of one server. Standard library only, any Python from 3.9."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from pvlink.servers.chain import die_with_parent, state

PATIENCE = 20.0


class Screen:
    """An Xvfb that lets in who has the cookie in `folder`. OSError: it does not come, or `lives` has news."""

    def __init__(self, program: str, folder: Path, lives: Sequence[int]) -> None:
        me = os.getpid()
        self.cookie = folder / "xauthority"
        any_host = b"\xff\xff"
        fields = [b"", b"", b"MIT-MAGIC-COOKIE-1", secrets.token_bytes(16)]
        self.cookie.touch(0o600)
        self.cookie.write_bytes(any_host + b"".join(struct.pack(">H", len(field)) + field for field in fields))
        answer, given = os.pipe()
        command = [program, "-displayfd", str(given), "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset"]
        self._process = subprocess.Popen(
            [*command, "-auth", str(self.cookie)],
            pass_fds=[given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            # SIGTERM: it then removes its socket and its lock.
            preexec_fn=lambda: die_with_parent(signal.SIGTERM, me),
        )
        self.pid = self._process.pid
        os.close(given)
        self.display = ""
        text, deadline = b"", time.monotonic() + PATIENCE
        with os.fdopen(answer, "rb", 0) as pipe:
            while not text.endswith(b"\n"):
                left = max(0.0, deadline - time.monotonic())
                ready, _, _ = select.select([pipe.fileno(), *lives], [], [], left)
                chunk = pipe.read(64) if ready == [pipe.fileno()] else b""
                if not chunk:
                    # One that ends closes the pipe a moment before.
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        self._process.wait(0.2 if ready == [pipe.fileno()] else 0.0)
                    code = self._process.poll()
                    self.end()
                    raise OSError(f"{program} gave no display (exit code {code}). `Xvfb -displayfd 1` says why")
                text += chunk
        self.display = ":" + text.decode().strip()

    def ended(self) -> int | None:
        """Its exit code, once it has one."""
        return self._process.poll()

    def end(self) -> None:
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.0 if state(self.pid) == "T" else 1.0)
        self._process.kill()
        self._process.wait()
        if self.display:
            sweep(self.display)


def sweep(display: str) -> None:
    """What a killed X server could not remove, unless another has its place. (With -displayfd it makes no lock.)"""
    path = Path(f"/tmp/.X11-unix/X{display.lstrip(':')}")  # noqa: S108 - where every X server listens
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as knock:
        if knock.connect_ex(str(path)) == errno.ECONNREFUSED:
            path.unlink()
