"""Start-ups of server configurations: the command, held until its connection ends; or what to start by hand."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pvlink.errors import ServerError
from pvlink.servers.address import RENDER_PORT, SERVER_PORT
from pvlink.servers.attendant import GRACE
from pvlink.servers.commands import TO_THE_END
from pvlink.servers.configuration import Configuration, Settled
from pvlink.servers.options import Value

# A command that is to be waited for, and whose file does not say how long.
LONGEST = 600.0
# A cold file system and a busy machine; 30 ms are usual.
START_PATIENCE = 20.0
_TICK = 0.1
_PROGRAM = Path(__file__).with_name("attendant.py")
# What MPI leaves in the environment of a kernel that has used it: an mpiexec started from there fails.
_OF_ANOTHER_MPI = (
    "PMIX_",
    "PMI_",
    *(f"OMPI_{name}" for name in ("APP_", "ARGV", "COMM", "FILE_", "FIRST_", "NUM_", "UNIVERSE_")),
    *(f"OMPI_MCA_{name}" for name in ("ess", "initial_", "orte_", "pmix")),
)
_TELLS_OF_A_PASSWORD = ("permission denied", "host key verification failed")


def settle(configuration: Configuration, values: Mapping[str, Value] | None = None, *, version: str = "") -> Settled:
    """A configuration with these values, on this machine; `version` is the engine's. Raises OptionError."""
    return configuration.settle(values, host=socket.gethostname(), version=version, environment=os.environ)


def by_hand(settled: Settled, version: str = "") -> str:
    """What to tell a user whose server has no command: what to start, where, and what happens then."""
    server = settled.server or settled.address
    # Never the number: a sentence in a cell is saved with the notebook.
    secret = " --connect-id=<the connect-id you gave>" if settled.connect_id is not None else ""
    own = f" of ParaView {version}" if version else ""
    mine = settled.variables.get("PV_CLIENT_HOST", "this machine")
    programs = [("pvserver", "--server-port", SERVER_PORT)]
    if server.render is not None:
        programs = [
            ("pvdataserver", "--data-server-port", SERVER_PORT),
            ("pvrenderserver", "--render-server-port", RENDER_PORT),
        ]
    lines = []
    for (program, option, usual), place in zip(programs, server.places, strict=True):
        back = f" --reverse-connection --client-host={mine}" if server.reverse else ""
        port = "" if place.port == usual else f" {option}={place.port}"
        where = f"on {place.host}" if place.host else "where your data is"
        lines.append(f"    {program}{back}{port}{secret}    ({where})")
    what = "this" if len(lines) == 1 else "these"
    then = "it comes here by itself" if server.reverse else 'when it says "Accepting connection(s)", connect'
    return f"Server {settled.name!r} is started by hand. Start {what}{own}; {then}.\n" + "\n".join(lines)


class Running:
    """A settled configuration's command, from its start to `end()`; with it goes what it has left in the background."""

    def __init__(self, settled: Settled, environment: Mapping[str, str] | None = None) -> None:
        """Waits for nothing: see `wait`. Raises ServerError."""
        assert settled.argv, "a server that is started by hand has no command"
        self._settled = settled
        self._program = settled.argv[0]
        self._environment = os.environ if environment is None else environment
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._code: int | None = None
        self._said = ""
        # Of the command itself.
        self.pid = self._start()

    def _start(self) -> int:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control = ours
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", _PROGRAM, str(theirs.fileno()), *self._settled.argv],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={
                        **{name: value for name, value in self._environment.items() if not _left_by_mpi(name)},
                        **self._settled.variables,
                    },
                    # No terminal: ssh would ask for a password in the one that Jupyter was started from.
                    start_new_session=True,
                )
            first = self._receive(START_PATIENCE) or {"error": f"no answer in {START_PATIENCE:.0f} s"}
        except (OSError, ValueError) as error:
            first = {"error": str(error)}
        except BaseException:
            self.end()
            raise
        if "pid" not in first:
            self.end()
            raise ServerError(
                f"{self._name}: {self._program} cannot be run: {first['error']}. It is the command of its "
                "configuration; is it installed here, and on the PATH of this kernel?",
                "not-started",
            )
        return int(first["pid"])

    @property
    def code(self) -> int | None:
        """With what the command has ended; -9 is a signal; none while it runs."""
        self._look()
        return self._code

    @property
    def said(self) -> str:
        """The last of what it has said, 4 KB at most."""
        self._look()
        if self._control is not None and self._code is None:
            with contextlib.suppress(OSError):
                self._control.send(b"?")
                while (word := self._receive(GRACE)) is not None and "code" in word:
                    pass
        return self._said.strip()

    def wait(self, told: Callable[[float], object] = lambda _: None) -> None:
        """Wait as long as the configuration says before the first try to connect. Raises ServerError if it has failed.

        `told` is called now and then with the seconds that have passed.
        """
        delay, began = self._settled.delay, time.monotonic()
        to_the_end = delay == TO_THE_END
        limit = (self._settled.process_wait or LONGEST) if to_the_end else delay
        while True:
            self.check()
            passed = time.monotonic() - began
            if to_the_end and self._code is not None:
                return
            if passed >= limit:
                break
            told(passed)
            self._look(min(_TICK, limit - passed))
        if to_the_end:
            raise ServerError(
                f"{self._name}: {self._program} was to end before anybody connects (delay=-1), and had not after "
                f"{limit:.0f} s. process_wait= in the file gives it longer.{self._last_words()}",
                "not-started",
            )

    def check(self) -> None:
        """Raise ServerError if it has ended with an error. One that has ended well may have left a server behind."""
        self._look()
        if not self._code:
            return
        raise ServerError(f"{self._name}: {self.ended()}", "not-started")

    def ended(self) -> str:
        """How the command has ended, and its last words; nothing while it runs."""
        self._look()
        if self._code is None:
            return ""
        how = f"signal {-self._code}" if self._code < 0 else f"exit code {self._code}"
        return f"The command that starts it, {self._program}, ended with {how}{self._last_words()}{self._hint()}"

    def end(self) -> None:
        """It and what it has started, within 4 s. May be called twice."""
        control, self._control = self._control, None
        if control is not None:
            control.close()
        if self._process is None:
            return
        try:
            self._process.wait(2 * GRACE + 1)
        except subprocess.TimeoutExpired:
            # It was stopped, or does not get the time to run.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def _name(self) -> str:
        return f"Server {self._settled.name!r}"

    def _last_words(self) -> str:
        said = self.said
        return f" and said:\n{said}" if said else " and said nothing."

    def _hint(self) -> str:
        if self._settled.remote and any(word in self._said.lower() for word in _TELLS_OF_A_PASSWORD):
            return (
                "\nA notebook has no terminal to ask for a password in: use ssh-agent, or a key without one, and log "
                "in there once by hand so that the host is known."
            )
        return ""

    def _look(self, seconds: float = 0) -> None:
        """Take note of what it has told."""
        while self._receive(seconds) is not None:
            seconds = 0

    def _receive(self, seconds: float) -> dict[str, Any] | None:
        if self._control is None or not select.select([self._control], [], [], seconds)[0]:
            return None
        try:
            data = self._control.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            # Somebody has killed the one that holds it, and it with it.
            self._code = -signal.SIGKILL if self._code is None else self._code
            return None
        word: dict[str, Any] = json.loads(data)
        self._code = word.get("code", self._code)
        self._said = word.get("said", self._said)
        return word


def _left_by_mpi(name: str) -> bool:
    return name.startswith(_OF_ANOTHER_MPI)
