"""A session: the engine that holds ParaView and the streamer that sends its pictures, started, owned and ended here."""

from __future__ import annotations

import atexit
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pvlink import mirror, notebook, pvpython, rendezvous
from pvlink.control import Control
from pvlink.errors import EngineLost, EngineStartError, PvlinkError, StreamerLost
from pvlink.output import MemoryFile, Output
from pvlink.progress import ProgressBar
from pvlink.wire import Abandoned, KernelWire

# How long each process may take to end by itself before it is made to, in seconds.
GRACE = 2.0
# A cold file system on a busy login node; two seconds are usual.
START_PATIENCE = 120.0
# Variables that belong to the kernel's Python and would confuse ParaView's.
_NOT_FOR_ENGINE = ("PYTHONHOME", "PYTHONSAFEPATH", "PYTHONSTARTUP", "MPLBACKEND")


class Session:
    """One engine with its streamer, made by `pvlink.start()`. Ends with `stop()`, its block, or the kernel."""

    def __init__(self, found: pvpython.Found, *, display: str = "auto") -> None:
        self.id = secrets.token_hex(16)
        self.found = found
        self.display = display
        self._owner = os.getpid()
        self._output = Output()
        self._log = MemoryFile("pvlink-streamer")
        self._bar = ProgressBar()
        self._abandoned = Abandoned()
        self._stopped = False
        rendezvous.sweep()
        kernel_end, engine_end = socket.socketpair()
        control_end, streamer_end = socket.socketpair()
        frames_engine, frames_streamer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            # Our copies of their ends must go, or nobody would notice when one of them dies.
            with engine_end, frames_engine:
                self._engine = self._start_engine(engine_end, frames_engine)
            with streamer_end:
                self._streamer = self._start_streamer(streamer_end)
        except BaseException:
            for end in (kernel_end, control_end, streamer_end, frames_streamer):
                end.close()
            self._close_files()
            raise
        self._control = Control(control_end, self._streamer_lost)
        self._wire = KernelWire(kernel_end, self._engine_lost)
        atexit.register(self.stop)
        # What never answers is no engine; its end is the end of the wait for it.
        too_late = threading.Timer(START_PATIENCE, _kill, [self._engine])
        too_late.daemon = True
        too_late.start()
        with frames_streamer:
            try:
                # The streamer comes up while ParaView is being imported.
                self._control.ask("engine", fd=frames_streamer.fileno(), pid=self._engine.pid, patience=START_PATIENCE)
                self.desk = self._wire.root
                self.about: dict[str, Any] = self.desk.describe()
            except EngineLost as error:
                message = self._start_failed(in_time=not too_late.finished.is_set())
                self.stop()
                raise EngineStartError(message) from error.__cause__
            except BaseException:
                self.stop()
                raise
            finally:
                too_late.cancel()
        self._wire.on_wait = self._on_wait
        self._wire.on_done = self._on_done
        self._wire.on_show = self._show
        self._wire.on_abandon = self._abandoned.note
        self._wire.on_move = self.desk.move
        self._calls_seen = self._wire.calls
        self.desk.listen(self._bar.report, self._output.show)
        notebook.attach(self._wire.fileno(), self._wire.serve_idle, self._cell_ended)

    # -- processes -------------------------------------------------------------------------------

    def _start_engine(self, kernel: socket.socket, frames: socket.socket) -> subprocess.Popen[bytes]:
        folder = Path(__file__).parent / "engine"
        config = {
            "kernel_fd": kernel.fileno(),
            "stream_fd": frames.fileno(),
            "abandoned_fd": self._abandoned.fd,
            "die_with_parent": _main_thread(),
            "display": self.display,
            "packages": {name: _folder(name) for name in ("rpyc",)},
        }
        environment = {key: value for key, value in os.environ.items() if key not in _NOT_FOR_ENGINE}
        # MPI's hwloc knocks at every X display from :0 to :9, other users' too, and prints each refusal.
        environment.setdefault("HWLOC_COMPONENTS", "-gl")
        try:
            return subprocess.Popen(
                [self.found.path, *_flags(self.found.path), folder / "__main__.py", json.dumps(config)],
                pass_fds=[kernel.fileno(), frames.fileno(), self._abandoned.fd],
                stdin=subprocess.DEVNULL,
                stdout=self._output.stdout.fd,
                stderr=self._output.stderr.fd,
                env=environment,
                # An interrupt of the kernel must not reach ParaView: its logger takes SIGINT for a crash.
                start_new_session=True,
            )
        except OSError as error:
            raise EngineStartError(f"{self.found.path} cannot be run: {error.strerror}.") from error

    def _start_streamer(self, control: socket.socket) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "pvlink.streamer", "--session", self.id]
        command += ["--control-fd", str(control.fileno())]
        if _main_thread():
            command.append("--die-with-parent")
        return subprocess.Popen(
            command,
            pass_fds=[control.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self._log.fd,
            stderr=self._log.fd,
            start_new_session=True,
        )

    def _start_failed(self, *, in_time: bool) -> str:
        end = f"ended with {_ended(self._engine)}" if in_time else f"gave no answer in {START_PATIENCE:.0f} s"
        said = self._output.stderr.tail() or self._output.stdout.tail()
        own = [line.removeprefix("pvlink: ") for line in said.splitlines() if line.startswith("pvlink: ")]
        if own:
            return f"{self.found.path} did not become an engine: {own[-1]}"
        return (
            f"{self.found.path} ({self.found.why}) is not a working pvpython: it {end}"
            + (f" and said:\n{said}" if said else " and said nothing.")
            + "\nName another one: pvlink.start(pvpython='/path/to/bin/pvpython')."
        )

    def _engine_lost(self) -> EngineLost:
        """The exception for a call that found nobody."""
        if self._stopped:
            return EngineLost(
                "This session was stopped. Run pvlink.start() and the cells that made the pipeline again."
            )
        code = _ended(self._engine)
        message = f"ParaView's process has ended with {code}. The pipeline is gone; pictures already shown stay."
        if not self._wire.closed:
            self._wire.close_quietly()
            self._tell_streamer(message)
        said = self._output.stderr.tail(800)
        hint = "Run pvlink.start() and the cells that made the pipeline again."
        return EngineLost(f"{message} {hint}" + (f"\nIts last words:\n{said}" if said else ""))

    def _streamer_lost(self) -> StreamerLost:
        if self._stopped:
            return StreamerLost("This session was stopped. Run pvlink.start() again.")
        message = f"The process that sends the pictures does not answer; it ended with {_ended(self._streamer)}."
        said = self._log.tail(800)
        hint = "The pipeline is still there; pvlink.stop() and pvlink.start() begin anew."
        if not hasattr(self, "about"):
            message, hint = "The process that sends the pictures did not start.", ""
        return StreamerLost(f"{message} {hint}".strip() + (f"\nIts last words:\n{said}" if said else ""))

    def _tell_streamer(self, message: str) -> None:
        try:
            self._control.ask("engine-ended", message=message)
        except (StreamerLost, ValueError):
            return

    @property
    def alive(self) -> bool:
        """Whether both processes are there."""
        ended = self._engine.poll() is not None or self._streamer.poll() is not None
        return not (self._stopped or ended or self._wire.closed)

    def stop(self) -> None:
        """End both processes. May be called twice; takes a few seconds at most."""
        # A forked child runs our atexit too, and must leave its parent's processes alone.
        if self._stopped or os.getpid() != self._owner:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        notebook.detach(self._wire.fileno() if not self._wire.closed else -1)
        self._wire.close_quietly()
        try:
            self._control.ask("stop", patience=GRACE)
        except (PvlinkError, ValueError, KeyboardInterrupt):
            self._streamer.terminate()
        _end(self._engine)
        _end(self._streamer)
        self._control.close()
        self._wire.release()
        self._close_files()
        rendezvous.sweep()
        mirror.forget()

    def _close_files(self) -> None:
        self._output.close()
        self._log.close()
        self._abandoned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"ParaView {self.about['paraview']}, process {self.about['pid']}" if self.alive else "ended"
        return f"<pvlink session: {state}, {self.found.path}, {self.about['screen']}>"

    # -- views -----------------------------------------------------------------------------------

    def view_id(self, obj: Any) -> str | None:
        """The id of one of this session's views, or None for anything else."""
        identity: str | None = self.desk.view_id(obj)
        return identity

    def watch(self, proxy: Any, width: int = 0, height: int = 0) -> str:
        """Make a view ready to be watched; its id."""
        identity: str = self.desk.watch(proxy, width, height)
        return identity

    def picture(self, view: str, patience: float) -> bytes:
        """The newest picture of a view, at full quality, as PNG."""
        _, blob = self._control.ask("snapshot", view=view, timeout=patience, patience=patience + 2.0)
        return blob

    def stats(self, view: str) -> dict[str, Any]:
        """What the streamer has measured."""
        answer, _ = self._control.ask("stats", view=view)
        stats: dict[str, Any] = answer["stats"]
        return stats

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        """A question to the streamer (docs/wire.md). ValueError says why it refuses, StreamerLost that it is gone."""
        answer, _ = self._control.ask(op, **facts)
        return answer

    def _show(self, reference: Any) -> Any:
        from pvlink.view import shown

        return shown(self, reference)

    # -- cells -----------------------------------------------------------------------------------

    def _on_wait(self, waited: float) -> None:
        self._output.show()
        self._bar.on_wait(waited)

    def _on_done(self) -> None:
        self._output.show()
        self._bar.done()

    def _cell_ended(self) -> None:
        """Show what the cell changed, if it used ParaView at all."""
        if self._wire.calls != self._calls_seen and self.alive:
            self._calls_seen = self._wire.calls
            self._wire.tell(self.desk, "cell_ended")


def _main_thread() -> bool:
    # PDEATHSIG watches the thread that forked, not its process.
    return threading.current_thread() is threading.main_thread()


def _flags(program: Path) -> tuple[str, ...]:
    """What pvpython is told before the script; a plain Python that can import ParaView knows none of it.

    Without MPI, which one process has no use for, ParaView starts 0.4 s sooner, and OpenMPI starts no daemon and leaves
    no folder in /tmp for each engine that did not end by itself.
    """
    return ("--no-mpi",) if program.name.startswith("pvpython") else ()


def _folder(package: str) -> str:
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent)


def _ended(process: subprocess.Popen[bytes]) -> str:
    try:
        code = process.wait(GRACE)
    except subprocess.TimeoutExpired:
        return "no exit code yet"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let it end by itself, then ask it to, then make it."""
    for push in (_nothing, subprocess.Popen.terminate, _kill):
        push(process)
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            continue
        return


def _nothing(_: object) -> None: ...


def _kill(process: subprocess.Popen[bytes]) -> None:
    """With all that a wrapper script may have started: each of our processes leads a group of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
