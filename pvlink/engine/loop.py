"""The one thread that touches ParaView or VTK: kernel, streamer and views meet here.

Each turn takes one request of the kernel and all packets of the streamer, then draws what is due.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import time
import traceback
from typing import TYPE_CHECKING, Any, Callable

from pvlink.engine.desk import Desk
from pvlink.engine.headless import NoDisplay, Screen
from pvlink.engine.kinds import Kind
from pvlink.engine.later import Later
from pvlink.engine.rpc import FREE, Wire, is_function
from pvlink.engine.stream import Stream, remove_dead
from pvlink.engine.view import LiveView
from pvlink.engine.views import Views

if TYPE_CHECKING:
    from pvlink.engine.insitu import Insitu
    from pvlink.engine.place import Place

# What the engine has printed and nobody has read, in bytes, before it is thrown away.
OUTPUT_LIMIT = 16 << 20
# Requests of the kernel answered before the views get their turn, in seconds.
TURN = 0.01
# How long a streamer may outlive its kernel, in seconds: both may be killed at once, and not die in the same moment.
FAREWELL = 0.7
STDOUT, STDERR = 1, 2
# What of the desk's may change the pipeline.
TOUCHING = frozenset({"assign", "call", "put", "put_object", "refill"})
# What of the desk's is answered though the server is lost.
WITHOUT_SERVER = frozenset(
    {
        "describe",
        "module",
        "listen",
        "move",
        "cell_ended",
        "save",
        "recall",
        "server_connect",
        "server_leave",
        "restore",
    }
)


class EngineWire(Wire):
    """The engine's end: functions of the kernel become calls that nobody waits for."""

    # Number of the request that is being answered.
    answering: int | None = None

    def __init__(self, kernel: Any, root: Desk, kind: Kind, touch: Callable[[], None]) -> None:
        """`touch` is called before each request that may change the pipeline."""
        super().__init__(kernel, root)
        self._kind = kind
        self._touch = touch
        # What is asked needs no server.
        self._free = False

    def _dispatch_request(self, seq: int, raw_args: Any) -> None:
        self.answering = seq
        self._free = False
        if self._kind.server is not None:
            # What lives on a lost one refuses from here on.
            self._kind.server.check()
        try:
            super()._dispatch_request(seq, raw_args)
        finally:
            self.answering = None

    def vouch(self, handler: int, error: BaseException | None) -> BaseException | None:
        """No answer is believed that came after the server's end: ParaView makes up zeros then."""
        server = self._kind.server
        if server is None or self._free or handler in FREE or not server.check():
            return None
        if error is None:
            server.guard()
        return server.error()

    def _handle_callattr(self, obj: Any, name: str, args: Any, kwargs: Any = ()) -> Any:
        self._free = obj is self.service and name in WITHOUT_SERVER
        if self._kind.runs_for_good(obj, name):
            return None
        if obj is not self.service or name in TOUCHING:
            self._touch()
        return super()._handle_callattr(obj, name, args, kwargs)

    def _handle_call(self, obj: Any, args: Any, kwargs: Any = ()) -> Any:
        self._touch()
        return super()._handle_call(obj, args, kwargs)

    def _handle_setattr(self, obj: Any, name: str, value: Any) -> None:
        self._touch()
        super()._handle_setattr(obj, name, value)

    def adopt(self, reference: Any) -> Any:
        return Later(reference) if is_function(reference) else reference

    def lent(self) -> dict[Any, Any]:
        """The objects that the kernel has references to, by the names these have on the wire."""
        return {key: slot[0] for key, slot in list(self._local_objects._dict.items())}  # noqa: SLF001


class Loop:
    """Runs until the kernel's end of the wire closes."""

    def __init__(self, kernel: Any, stream: Stream, screen: Screen, kind: Kind, config: dict[str, Any]) -> None:
        """`config` names a file in memory with the last request that was given up, and where the streamer listens."""
        self.screen = screen
        self.kind = kind
        self._abandoned = mmap.mmap(config["abandoned_fd"], 8, prot=mmap.PROT_READ)
        self._socket_path: str = config["socket_path"]
        self.keeper = kind.keeper
        self._stream = stream
        # The streamer's socket that is polled.
        self._listening = -1
        self.views = Views(stream, self._moved, kind.call)
        # None where a pipeline can be in this process only.
        self.place: Place | None = None
        if kind.server is not None and kind.keeper is not None:
            from pvlink.engine.place import Place

            self.place = Place(kind, kind.server, kind.keeper, self.views, stream, self.save)
        # None where there is no ParaView that a simulation could be shown by.
        self.insitu: Insitu | None = None
        if kind.server is not None:
            from pvlink.engine.insitu import Insitu

            self.insitu = Insitu(stream, kind.server, self.views.stirred)
            self.views.others = {"simulation": self.insitu.on_simulation, "link-lost": self.insitu.on_lost}
        self.wire = EngineWire(kernel, Desk(self), kind, self.views.touch)
        self._on_progress: Callable[..., None] = _nobody
        self._on_output: Callable[..., None] = _nobody
        self._on_server: Callable[[], None] = _nobody
        self._output_seen = 0
        # Of the server's and the simulation's those that are polled, and for what.
        self._polled: dict[int, int] = {}
        kind.report_to(self._report, lambda: stream.send({"op": "idle"}), self._is_abandoned)

    # -- asked by the kernel ---------------------------------------------------------------------

    def listen(self, progress: Callable[..., None], output: Callable[..., None], server: Callable[..., None]) -> None:
        self._on_progress, self._on_output, self._on_server = progress, output, server

    def add(self, obj: Any, width: int, height: int) -> LiveView:
        name = self.kind.name_of(obj)
        if name is None:
            raise TypeError(f"{obj!r} is not a view with a picture")
        # Also one that is shown already: it may have been deleted since.
        known = self.views.get(name)
        if known is not None and not known.alive:
            raise ValueError("this view was deleted")
        return self.views.show(name, lambda: self.kind.scene(obj), width, height)

    def memory(self, number: int) -> int:
        """A file in memory that the kernel has sent; the caller closes it."""
        return self._stream.post.memory(number)

    def altered(self) -> None:
        self.views.altered()
        if self.keeper is not None:
            self.keeper.when.cell_ended(time.monotonic())

    def save(self) -> None:
        if self.keeper is not None and self.keeper.keeping:
            self.keeper.save(self.wire.lent())

    # -- the turns -------------------------------------------------------------------------------

    def run(self) -> None:
        poll = select.poll()
        poll.register(self.wire.fileno(), select.POLLIN)
        poll.register(self._stream.post.fileno(), select.POLLIN)
        x_server = self.screen.server
        if x_server is not None:
            poll.register(x_server.fileno(), select.POLLHUP)
        while True:
            self.views.invite()
            self._watch_server(poll)
            ready = dict(poll.poll(self._patience()))
            if x_server is not None and x_server.fileno() in ready:
                raise NoDisplay("its X server, a process of its own, has ended: the next picture would end this one")
            if self.wire.fileno() in ready and not self._serve_kernel():
                return
            if self._listening in ready:
                self.views.serve()
            if self._listening >= 0 and self._stream.fileno() != self._listening:
                self._streamer_gone(poll)
            if self._stream.post.fileno() in ready or self._stream.post.waiting:
                self._meet_streamer(poll)
            self._watch_server(poll)
            if self.insitu is not None:
                self.insitu.turn(bool(self.insitu.fds & ready.keys()))
            self.views.draw()
            self._watch_output()
            self._keep(poll)

    def _watch_server(self, poll: Any) -> None:
        """Hear of its end also between two requests."""
        if self.place is None:
            return
        if self.place.watch():
            self._on_server()
        wanted = dict.fromkeys(self.place.server.sockets, select.POLLRDHUP)
        for fd in self.insitu.fds if self.insitu is not None else ():
            wanted[fd] = wanted.get(fd, 0) | select.POLLIN
        for fd in self._polled.keys() - wanted.keys():
            with contextlib.suppress(KeyError):
                poll.unregister(fd)
        for fd, events in wanted.items():
            if self._polled.get(fd) != events:
                poll.register(fd, events)
        self._polled = wanted

    def _patience(self) -> float | None:
        """Milliseconds until a view comes to rest; none: nothing happens by itself, so sleep."""
        waits = [self.views.wait(), self.keeper.wait(time.monotonic()) if self.keeper is not None else None]
        if self.insitu is not None:
            waits.append(self.insitu.wait())
        known = [wait for wait in waits if wait is not None]
        return min(known) * 1e3 + 0.5 if known else None

    def _serve_kernel(self) -> bool:
        """Answer for one turn's time; False when the kernel has gone."""
        deadline = time.monotonic() + TURN
        try:
            with self.kind.call():
                while self.wire.poll():
                    if time.monotonic() > deadline:
                        break
        except (EOFError, OSError):
            return False
        finally:
            self._output_seen = _output_size()
        return True

    def _meet_streamer(self, poll: Any) -> None:
        """The kernel has sent a streamer's socket or memory, or has gone."""
        former = self._stream.fileno()
        if not self._stream.take():
            if self._stream.post.ended:
                poll.unregister(self._stream.post.fileno())
            return
        if former >= 0:
            self._streamer_gone(poll)
        self._listening = self._stream.fileno()
        poll.register(self._listening, select.POLLIN)
        self.views.meet(self.wire.service.describe())

    def _streamer_gone(self, poll: Any) -> None:
        """A streamer that was killed has left its socket's file."""
        with contextlib.suppress(KeyError):
            poll.unregister(self._listening)
        self._listening = -1
        self.views.streamer_gone()
        remove_dead(self._socket_path)

    def farewell(self) -> None:
        """The kernel has gone. If the streamer goes too, nobody but us removes its socket."""
        deadline = time.monotonic() + FAREWELL
        poll = select.poll()
        if self._stream.open:
            poll.register(self._stream.fileno(), select.POLLIN)
        while self._stream.open and (left := deadline - time.monotonic()) > 0:
            poll.poll(left * 1e3)
            self._stream.receive()
        remove_dead(self._socket_path)

    def _keep(self, poll: Any) -> None:
        """Write the pipeline's state down, when it is time and nobody waits, or has waited long enough."""
        if self.keeper is None:
            return
        now = time.monotonic()
        wait = self.keeper.wait(now)
        if wait is None or wait > 0.0 or (poll.poll(0) and not self.keeper.when.overdue(now)):
            return
        try:
            self.keeper.keep(now, self.wire.lent())
        except Exception:  # noqa: BLE001 - a state that cannot be written must not cost the user the pipeline
            traceback.print_exc()
            self.keeper.when.all_written(0.0)

    # -- to whom it concerns ---------------------------------------------------------------------

    def _moved(self, now: float) -> None:
        if self.keeper is not None:
            self.keeper.when.moved(now)

    def _is_abandoned(self) -> bool:
        # What was given up may be a request that came up while this one was answered, such as an observer's.
        answering = self.wire.answering
        return answering is not None and answering < int.from_bytes(self._abandoned[:8], "little")

    def _report(self, text: str, share: float | None) -> None:
        self._on_progress(text, share)
        self._stream.send({"op": "busy", "message": text, "progress": share})

    def _watch_output(self) -> None:
        """Tell the kernel of warnings that no call of its explains, such as those of a render after a drag."""
        size = _output_size()
        if size > OUTPUT_LIMIT:
            for fd in (STDOUT, STDERR):
                os.ftruncate(fd, 0)
            size = 0
        if size != self._output_seen:
            self._output_seen = size
            self._on_output()


def _output_size() -> int:
    return os.fstat(STDOUT).st_size + os.fstat(STDERR).st_size


def _nobody(*_: Any) -> None: ...
