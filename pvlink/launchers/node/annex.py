"""The way to ParaView's own process in this job: who comes for it is handed on to an outpost, which holds it.

An outpost is pvlink itself, as it is installed on this cluster; this part of a job only starts it and hands over the
connections. It ends with us.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from pvlink.launchers.node.greetings import Visitor
from pvlink.launchers.node.server import end_all
from pvlink.servers.chain import die_with_parent

# How a visitor is answered that cannot be let in: the sign, and the reason.
REFUSED = b"-"
MODULE = "pvlink.launchers.outpost"
_VERSION = "import importlib.metadata; print('pvlink', importlib.metadata.version('pvlink'))"
SECONDS = 20.0
# Its processes take two seconds each at most.
BY_ITSELF = 4.0


class Annex:
    """Empty until somebody comes."""

    def __init__(self, plan: dict[str, Any], watch: selectors.BaseSelector) -> None:
        self._plan = plan
        self._watch = watch
        self._process: subprocess.Popen[bytes] | None = None
        self._post: socket.socket | None = None
        # Whether somebody is in it.
        self.used = False

    def admit(self, visitor: Visitor) -> None:
        """It belongs to the outpost from here on."""
        with visitor.sock:
            try:
                if self._post is None:
                    self._start()
                assert self._post is not None
                socket.send_fds(self._post, [visitor.rest], [visitor.sock.fileno()])
            except (OSError, LookupError) as error:
                with contextlib.suppress(OSError):
                    visitor.sock.send(REFUSED + str(error).encode())

    def end(self) -> None:
        """In bounded time."""
        self._let_go()
        if self._process is not None:
            # It sees that we have closed its post.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(BY_ITSELF)
            end_all(self._process)
            self._process = None

    def _start(self) -> None:
        """Raises LookupError: there is no pvlink here."""
        python = self._python()
        if self._process is not None:
            end_all(self._process)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        me = os.getpid()
        folder = Path(self._plan["node"]) / "run"
        folder.mkdir(mode=0o700, exist_ok=True)
        with theirs, (Path(self._plan["place"]) / "outpost.log").open("ab") as log:
            self._process = subprocess.Popen(
                [python, "-P", "-m", MODULE, "--fd", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGTERM, me),
                # Its sockets go with the job's folder.
                env={**os.environ, "PVLINK_RUNTIME_DIR": str(folder), "PVLINK_OUTPOST": self._plan["pvpython"]},
            )
        self._post = ours
        self._watch.register(ours, selectors.EVENT_READ, lambda _: self._hear())

    def _python(self) -> str:
        tried: list[str] = self._plan["engine"]
        for each in tried:
            if (found := shutil.which(each)) is None:
                continue
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                done = subprocess.run(
                    [found, "-P", "-c", _VERSION], capture_output=True, text=True, timeout=SECONDS, check=False
                )
                if done.stdout.startswith("pvlink "):
                    return found
        raise LookupError(
            f"There is no pvlink on {os.uname().nodename} ({' and '.join(tried)} were tried). "
            "`pvlink site prepare NAME`, in a terminal, installs it there, in ~/.pvlink/env; or engine.python in the "
            "site's file names a Python that has it."
        )

    def _hear(self) -> None:
        assert self._post is not None
        try:
            said = self._post.recv(64)
        except OSError:
            said = b""
        if said:
            self.used = said == b"used"
        else:
            self._let_go()

    def _let_go(self) -> None:
        self.used = False
        if self._post is not None:
            self._watch.unregister(self._post)
            self._post.close()
            self._post = None
