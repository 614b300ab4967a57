"""ParaView servers as a user starts them at a shell: they wait, they come to us, or data and rendering are apart."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil
import pytest

from tests.integration.household import until

Way = Literal["direct", "reverse", "apart"]
WAYS: tuple[Way, ...] = ("direct", "reverse", "apart")
# What a server prints when a client may come; one that comes by itself says nothing of the kind.
READY = "Accepting connection"
# Four ranks on two cores that others use, too.
PATIENCE = 60.0
# Carried by all processes of one start, whoever their parent is by then.
MARK = "PVLINK_TEST_SERVER"
needs_servers = [
    pytest.mark.servers,
    *(
        pytest.mark.skipif(shutil.which(name) is None, reason=f"needs {name}")
        for name in ("mpiexec", "pvserver", "pvdataserver", "pvrenderserver", "Xvfb")
    ),
]


def free_ports(count: int) -> list[int]:
    """All different: each is held until the last one is known."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


class ByHand:
    """A server that can be started again at the same place; `address` is what a session is told."""

    def __init__(self, way: Way, ranks: int, display: str, *options: str) -> None:
        """`options`: more words for each program. `display`: where the ranks draw; "" for none."""
        self.way = way
        self.ranks = ranks
        self._display = display
        self._options = options
        self._port, self._render_port = free_ports(2)
        self._folder = Path(tempfile.mkdtemp(prefix="pvs-"))
        self._mark = secrets.token_hex(8)
        self._started: list[subprocess.Popen[bytes]] = []
        self._logs: list[Path] = []

    @property
    def address(self) -> str:
        if self.way == "reverse":
            return f"csrc://:{self._port}"
        if self.way == "apart":
            return f"cdsrs://127.0.0.1:{self._port}//127.0.0.1:{self._render_port}"
        return f"cs://127.0.0.1:{self._port}"

    @property
    def waits_for_us(self) -> bool:
        """It has to be there before a session looks for it; one that comes looks for the session."""
        return self.way != "reverse"

    def _commands(self) -> list[tuple[int, list[str]]]:
        """Of each program: its ranks, its words."""
        if self.way == "apart":
            # Four and four would be eight processes on two cores; ParaView lets fewer draw than have the data.
            drawing = self.ranks if self.ranks < 4 else 1
            return [
                (self.ranks, ["pvdataserver", f"--data-server-port={self._port}"]),
                (drawing, ["pvrenderserver", f"--render-server-port={self._render_port}"]),
            ]
        if self.way == "reverse":
            return [(self.ranks, ["pvserver", "-rc", "--client-host=127.0.0.1", f"-sp={self._port}"])]
        return [(self.ranks, ["pvserver", "-p", str(self._port)])]

    def _environment(self, number: int) -> dict[str, str]:
        # One for each program: two that begin at once would make the same folder of MPI's.
        folder = self._folder / str(number)
        folder.mkdir(exist_ok=True)
        # An mpiexec that finds another job's words in its environment takes itself for a part of it.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_", "PMI_"))}
        kept.pop("DISPLAY", None)
        if self._display:
            kept["DISPLAY"] = self._display
        return kept | {
            MARK: self._mark,
            "OMPI_ALLOW_RUN_AS_ROOT": "1",
            "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            # Or hwloc knocks at every X display of the machine.
            "HWLOC_COMPONENTS": "-gl",
            # Or a rank that waits keeps a core for itself.
            "OMPI_MCA_mpi_yield_when_idle": "1",
            # What a killed MPI leaves behind goes with this folder.
            "TMPDIR": str(folder),
            "OMPI_MCA_btl": "self,vader",
            "OMPI_MCA_btl_vader_backing_directory": str(folder),
        }

    def start(self) -> Self:
        """Begin; `ready` waits. What there was of it is ended first."""
        self._end_processes()
        self._started, self._logs = [], []
        for number, (ranks, command) in enumerate(self._commands()):
            log = self._folder / f"{number}-{secrets.token_hex(2)}.log"
            with log.open("wb") as said:
                one = subprocess.Popen(
                    ["mpiexec", "--oversubscribe", "-n", str(ranks), *command, *self._options],
                    env=self._environment(number),
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=said,
                    start_new_session=True,
                )
            self._started.append(one)
            self._logs.append(log)
        return self

    def ready(self) -> Self:
        """Wait until a session may look for it: at once for one that comes by itself."""
        if self.waits_for_us:
            deadline = time.monotonic() + PATIENCE
            while not all(READY in log.read_text(errors="replace") for log in self._logs):
                assert all(one.poll() is None for one in self._started), self.said()
                assert time.monotonic() < deadline, f"no server after {PATIENCE:.0f} s: {self.said()}"
                time.sleep(0.02)
        return self

    def said(self) -> str:
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in self._logs)

    def processes(self) -> list[psutil.Process]:
        """All that there is of it now: mpiexec and ranks."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(MARK) == self._mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def rank_pids(self) -> list[int]:
        """In the order of their numbers; data before rendering."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if process.name() != "mpiexec":
                    words = process.environ()
                    found.append((process.cmdline()[0], int(words["OMPI_COMM_WORLD_RANK"]), process.pid))
        return [pid for _, _, pid in sorted(found)]

    @property
    def mpi_pids(self) -> list[int]:
        return [one.pid for one in self._started]

    def gone(self, within: float = 5.0) -> None:
        """Wait until nothing of it runs."""
        until(lambda: self._reaped() and not self.processes(), within)

    def _reaped(self) -> bool:
        return all(one.poll() is not None for one in self._started)

    def _end_processes(self) -> None:
        if self._started:
            for process in self.processes():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            for one in self._started:
                one.wait(10)

    def close(self) -> None:
        """May be called twice."""
        self._end_processes()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Screen:
    """An X server for the ranks, of its own: they draw on nobody else's."""

    def __enter__(self) -> str:
        answer, given = os.pipe()
        command = ["Xvfb", "-displayfd", str(given), "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset"]
        self._process = subprocess.Popen(
            command, pass_fds=[given], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        os.close(given)
        with os.fdopen(answer) as answered:
            name = answered.readline().strip()
        assert name, "Xvfb did not start: `Xvfb -displayfd 1` says why"
        return f":{name}"

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """Its display's name."""
    with Screen() as name:
        yield name
