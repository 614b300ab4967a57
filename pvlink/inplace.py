"""A kernel's own ParaView on a server: connected in place, its death an exception in the very call that met it.

Nothing of this process runs while ParaView waits for its server: it sits in C++ and holds the interpreter. So the
streamer, which sees the server die, writes down what happened, rings by SIGINT where a cell runs, and only then lets
ParaView's wait end; the first Python that runs afterwards is the handler of that signal, and it raises.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from pvlink import notebook, pvpython
from pvlink.errors import PvpythonNotFound, ServerError, ServerLost, SimulationError
from pvlink.interrupt import Shelter
from pvlink.saved import Saved, State
from pvlink.servers.connected import Connected
from pvlink.servers.origins import Engine

if TYPE_CHECKING:
    from pvlink.engine.keeper import Keeper
    from pvlink.engine.place import Place
    from pvlink.engine.serverdesk import ServerDesk
    from pvlink.engine.stream import Stream
    from pvlink.engine.views import Views
    from pvlink.kinds import Kinds

# To the streamer, besides the numbers of signals: a cell begins, has ended, and an interrupt was taken.
CELL, NO_CELL, TAKEN = b"C", b"E", b"\0"
# A picture that takes longer than this (seconds) is worth a word.
WORKS_AFTER = 1.5
AT_WORK = "The ParaView server draws. To give up, interrupt the kernel."


class InPlace(Connected):
    """Mixed into the session of a kernel's own ParaView."""

    _kinds: Kinds
    _stream: Stream
    _views: Views
    _shelter: Shelter
    _in_cell: bool
    # Made when the first server is connected.
    _host: Host | None = None
    _bell: Bell | None = None

    @property
    def desk(self) -> ServerDesk:
        """What an engine is asked about servers and files, without a wire between."""
        from pvlink.engine.serverdesk import ServerDesk

        return ServerDesk(self._moored())

    def monitor(self, where: object = None) -> NoReturn:
        """Not here."""
        raise SimulationError(
            "A running simulation is shown by a ParaView in a process of its own, which does not wait for this kernel: "
            "session = pvlink.start(), then session.monitor()."
        )

    def _moored(self) -> Host:
        if self._host is None:
            kind = next((kind for kind in self._kinds if kind.server is not None), None)
            if kind is None:
                raise ServerError(
                    "This kernel has no ParaView of its own, and VTK has no servers: pvlink.start() in a fresh kernel "
                    "starts one in a process of its own.",
                    "vtk",
                )
            self._host = Host(kind, self._views, self._stream)
        return self._host

    @property
    def waiting_views(self) -> set[str]:
        """Names of views that may come back with their server."""
        return set() if self._host is None else self._host.place.lost_views

    def _engine_facts(self) -> Engine:
        version = self._moored().kind.describe()["paraview"]
        try:
            found = pvpython.find()
        except PvpythonNotFound:
            return Engine(version, None)
        return Engine(version, found.path if found.kind == "paraview" else None)

    def _attach(self, origin: Any) -> Any:
        if self._bell is None:
            self._bell = Bell(self.ask, self._noticed)
            if self._in_cell:
                self._bell.cell(True)
        return super()._attach(origin)

    def _kept(self) -> State | None:
        return self._moored().saved.newest()

    def _write_down(self) -> bool:
        if self._host is not None and not self._host.place.watch():
            self._host.save()
        return True

    def _come_back(self, state: State | None, former: Any = None) -> str:
        if state is None:
            return "nothing of a pipeline had been saved."
        missing = self.desk.restore(state.facts, state.xml)
        said = f", except for {', '.join(missing)}, which ParaView could not make again" if missing else ""
        return f"the pipeline is back{said}."

    def _use(self, pvpython: Any) -> None:
        raise ServerError(
            "This kernel's own ParaView cannot be exchanged: pvlink.start(pvpython=...) in a fresh kernel starts "
            "another one.",
            "wrong-version",
        )

    # -- its end -----------------------------------------------------------------------------------

    def strike(self) -> BaseException | None:
        """For the handler of SIGINT: what to raise. None: it was only the streamer, ringing."""
        bell = self._bell
        if bell is None:
            return KeyboardInterrupt()
        news = bell.read()
        if news is None:
            bell.taken()
            return KeyboardInterrupt()
        if self.server is None:
            # One that is being left may hang up before we do.
            return None
        self._noticed()
        return ServerLost() if news["waiting"] else None

    def why(self) -> BaseException:
        """For whoever uses an object whose server is gone."""
        return ServerLost()

    def _noticed(self) -> None:
        """The server is gone: from here on nobody is told a wrong number."""
        self._server_lost()
        if self._host is not None:
            # The streamer tells before it hangs up.
            self._host.place.server.lose()
            if self._host.place.watch():
                self._server_gone()

    def server_turn(self) -> bool:
        """Before ParaView is touched between cells; False where its server is gone."""
        if self._host is None:
            return True
        if self._host.place.watch():
            self._server_lost()
            self._server_gone()
        return not self._host.place.server.lost

    @contextlib.contextmanager
    def between_cells(self) -> Iterator[None]:
        """While ParaView is touched there: who watches hears when its server takes long; an interrupt cuts it off."""
        if self._bell is None or self._in_cell or self.server is None:
            yield
            return
        self._stream.send({"op": "busy", "message": AT_WORK, "progress": None, "after": WORKS_AFTER})
        try:
            with self._bell.heeding():
                yield
        finally:
            self._stream.send({"op": "idle"})

    def server_cell(self, running: bool) -> None:
        """A cell begins, or has ended."""
        if self._bell is not None:
            self._bell.cell(running)
        if not running and self._host is not None and self.server is not None and self.server_turn():
            self._host.save()

    def leave_server(self) -> None:
        """The session ends."""
        if self._host is not None and self.server is not None:
            with contextlib.suppress(RuntimeError):
                self._host.place.leave()
        self._let_server_go()
        if self._bell is not None:
            self._bell.close()
            self._bell = None
        if self._host is not None:
            self._host.saved.close()
            self._host = None

    def _reattach_bell(self) -> None:
        """A new streamer knows nothing of the old one's."""
        if self._bell is not None:
            self._bell.close()
            self._bell = Bell(self.ask, self._noticed)


class Host:
    """The kernel, as what drives ParaView; the pipeline is written down while it is on a server."""

    def __init__(self, kind: Any, views: Views, stream: Stream) -> None:
        from pvlink.engine.keeper import Keeper
        from pvlink.engine.place import Place

        self.kind = kind
        self.saved = Saved()
        self._views = views
        self.keeper: Keeper = Keeper(self.saved.fds, 0, kind.names)
        self.place: Place = Place(kind, kind.server, self.keeper, views, stream, self.save)

    def altered(self) -> None:
        self._views.altered()

    def save(self) -> None:
        if self.keeper.keeping and self.place.server.connected:
            self.keeper.save({})


class Bell:
    """The wire on which the streamer tells of a server's end, and hears of interrupts."""

    def __init__(self, ask: Callable[..., Any], rung: Callable[[], None]) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._buffer = b""
        self._former: int | None = None
        self._rung = rung
        with theirs:
            ask("server-watch", fd=theirs.fileno())
        # Between cells.
        notebook.attach(self._socket.fileno(), self._readable)

    def _readable(self) -> bool:
        if self.read() is not None:
            self._rung()
        return self._socket.fileno() >= 0

    def read(self) -> dict[str, Any] | None:
        """What the streamer has said of a loss, if anything."""
        try:
            part = self._socket.recv(1 << 16)
        except (BlockingIOError, OSError):
            part = b""
        self._buffer += part
        line, end, rest = self._buffer.partition(b"\n")
        if not end:
            return None
        self._buffer = rest
        news: dict[str, Any] = {"waiting": False, **json.loads(line)}
        return news

    def cell(self, running: bool) -> None:
        """While one runs, C itself passes on each interrupt: Python cannot while ParaView waits."""
        self._say(CELL if running else NO_CELL)
        if threading.current_thread() is not threading.main_thread():
            return
        if running and self._former is None:
            self._former = signal.set_wakeup_fd(self._socket.fileno(), warn_on_full_buffer=False)
        elif not running and self._former is not None:
            signal.set_wakeup_fd(self._former, warn_on_full_buffer=False)
            self._former = None

    @contextlib.contextmanager
    def heeding(self) -> Iterator[None]:
        """Jupyter ignores interrupts between cells, and then C passes none on."""
        main = threading.current_thread() is threading.main_thread()
        if not main or self._former is not None or signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            yield
            return
        former = signal.set_wakeup_fd(self._socket.fileno(), warn_on_full_buffer=False)
        # It is felt as soon as Python runs: there is nothing to raise it in.
        signal.signal(signal.SIGINT, lambda *_: self.taken())
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.set_wakeup_fd(former, warn_on_full_buffer=False)

    def taken(self) -> None:
        """The interpreter runs: an interrupt was not for the server."""
        self._say(TAKEN)

    def _say(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.send(word)

    def close(self) -> None:
        """May be called twice."""
        self.cell(False)
        if self._socket.fileno() >= 0:
            notebook.detach(self._socket.fileno())
            self._socket.close()
