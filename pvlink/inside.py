"""ParaView or VTK in the kernel itself: the engine's own code, driven by the kernel's event loop, a streamer beside.

A view is as alive as the kernel is idle, and says so. While a cell runs, each picture that the user's own code renders
is shown; hands wait for the end of the cell.
"""

from __future__ import annotations

import atexit
import gc
import os
import secrets
import select
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvlink import arrival, notebook, processes, rendezvous, view
from pvlink.companions import Streamer
from pvlink.errors import EngineLost, StreamerLost, ViewError
from pvlink.inplace import InPlace
from pvlink.interrupt import Shelter
from pvlink.kinds import Kinds
from pvlink.near import NearStreamer
from pvlink.protocol import Role
from pvlink.questions import Asking
from pvlink.servers.files import Browsing

if TYPE_CHECKING:
    from pvlink.engine.timers import Timers
    from pvlink.engine.view import LiveView

_RESTART = "pvlink.session().restart()"
# A cell that takes longer than this (seconds) is worth a word; one that is over at once is not.
BUSY_AFTER = 0.5
BUSY = "The kernel runs a cell. The view goes on when it is free, or when the cell renders."
# A cell that awaits leaves the event loop free: so often, in seconds, it is seen whether this one does.
FREE_EVERY = 0.25
# Views that nobody watches: so many are no reason to look which of them their owners still hold (0.1 s).
MANY = 16
# Widgets of views that are gone: so many are kept, for those who still see the last picture.
DEPARTED = 8
NO_DISPLAY = (
    "The X server that this kernel's ParaView draws on has ended, and the next picture could end the kernel. Save what "
    "you need, and restart the kernel."
)
# How long a look at the streamer's packets takes at most, while an answer of it is awaited, in seconds.
LOOK = 0.02


class Inside(Asking, InPlace, Browsing):
    """Made when the first view of this kernel's own ParaView or VTK is shown. Ends with `stop()` or the kernel."""

    def __init__(self, role: Role) -> None:
        # Now, not before: numpy and VTK are imported, which not every `import pvlink` needs.
        from pvlink.engine.stream import Stream
        from pvlink.engine.views import Views

        self.id = secrets.token_hex(16)
        self.role = role
        self._owner = os.getpid()
        self._stopped = False
        self._moving = threading.RLock()
        self._kinds = Kinds(lambda: self._views, self._greet, self.why)
        self._post, post = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._stream = Stream(post)
        self._views = Views(self._stream, _nothing, _Quiet)
        self._alarm: Callable[[], None] = _nothing
        self._in_cell = False
        self._shelter = Shelter(str(Path(__file__).with_name("engine")), self.strike)
        # The views there were when it was last looked.
        self._known: set[str] = set()
        # Those that are gone, the newest last.
        self._departed: list[str] = []
        # Where the event loop looks for the streamer's packets.
        self._listening = -1
        rendezvous.sweep()
        self._streamer: Streamer | None = None
        atexit.register(self.stop)
        _all.add(self)
        try:
            self._streamer = self._new_streamer()
        except BaseException:
            self.stop()
            raise
        notebook.before_cells(self._cell_starts)
        notebook.after_cells(self._cell_ended)
        # The cell that shows the first view runs already.
        self._shelter.enter()

    def _new_streamer(self) -> Streamer:
        streamer = Streamer(NearStreamer(self.id, self.role), self._streamer_lost)
        streamer.attach(lambda: streamer.control.serve_idle() or self._streamer_gone(streamer))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            # No process of its own: nobody is to be ended when the kernel has gone.
            streamer.control.ask("engine", fd=theirs.fileno(), pid=0, patience=processes.START_PATIENCE)
            socket.send_fds(self._post, [b"streamer"], [ours.fileno()])
        self._let_go()
        self._stream.take()
        self._listening = self._stream.fileno()
        notebook.attach(self._listening, self._turn)
        self._views.meet(self._about())
        return streamer

    def _greet(self) -> None:
        self._stream.send(dict(self._about(), op="hello"))

    # -- what it is --------------------------------------------------------------------------------

    def _about(self) -> dict[str, Any]:
        kinds = [kind.describe()["kind"] for kind in self._kinds]
        return {"pid": os.getpid(), "name": self.name, "kind": "vtk" if kinds == ["vtk"] else "paraview"}

    @property
    def name(self) -> str:
        return " and ".join(kind.describe()["name"] for kind in self._kinds) or "nothing yet"

    @property
    def stopped(self) -> bool:
        return self._stopped

    @property
    def alive(self) -> bool:
        """Whether its streamer is there."""
        return not self._stopped and self._streamer is not None and self._streamer.alive

    def __repr__(self) -> str:
        return f"<pvlink session: {self.name} in this kernel{'' if self.alive else ', ended'}>"

    # -- views -------------------------------------------------------------------------------------

    def view_id(self, obj: Any) -> str | None:
        """The id of a view of this kernel's ParaView or VTK, or None for anything else."""
        found = self._kinds.find(obj)
        return None if found is None else found.name

    def watch(self, obj: Any, width: int = 0, height: int = 0) -> str:
        """Make a view ready to be watched; its id."""
        if arrival.display_lost():
            raise ViewError(NO_DISPLAY)
        found = self._kinds.find(obj)
        if found is None:
            raise TypeError(f"{obj!r} is not a view with a picture")
        known = self._views.get(found.name)
        if known is not None and not known.alive:
            raise ValueError("this view was deleted")
        # What a cell has changed since a render of its own, nobody tells.
        self._views.touch()
        live = self._views.show(found.name, found.scene, width, height)
        if known is None and found.size_is_nobodys:
            live.resize(width, height)
        self._miss()
        return live.id

    def _miss(self) -> None:
        """Of views that are gone a few widgets are kept, for what the cells show; their pages know by themselves."""
        if sum(not self._views.watched(live.id) for live in self._views) > MANY:
            # Each holds graphics memory that Python does not count; what its owner has let go of waits to be collected.
            gc.collect()
            self._views.loosen()
        known = {live.id for live in self._views} | self.waiting_views
        self._departed += sorted(self._known - known)
        self._known = known
        while len(self._departed) > DEPARTED:
            view.forget(self.id, self._departed.pop(0))

    def active_view(self) -> Any:
        """The view that is meant when none is named; none if there is none yet."""
        return self.handle(self._kinds.active())

    def handle(self, obj: Any) -> Any:
        """What a widget keeps of a view."""
        return self._kinds.handle(obj)

    def _ask(self, op: str, **facts: Any) -> tuple[dict[str, Any], bytes]:
        if self._streamer is None or self._stopped:
            raise StreamerLost(f"The process that sends the pictures is not there. {_RESTART} brings it back.")
        # It may ask us for a picture before it answers: nobody but the main thread can draw one.
        main = threading.current_thread() is threading.main_thread()
        return self._streamer.control.ask(op, meanwhile=self._look if main else None, **facts)

    # -- turns -------------------------------------------------------------------------------------

    def _turn(self) -> bool:
        """Between cells: take what the streamer has sent, draw what is due. False when the streamer has gone."""
        self._alarm()
        if arrival.display_lost():
            self._views.end(NO_DISPLAY)
        self.server_turn()
        with self.between_cells():
            if not self._views.serve():
                self._views.streamer_gone()
                self._listening = -1
                return False
            if self._in_cell:
                # It awaits something: hands need not wait for its end.
                self._stream.send({"op": "idle"})
                self._say_busy()
            self._tick()
            self._views.draw()
        # Last, or a press that changes nothing would be the last input ever: no packet follows it by itself.
        self._views.invite()
        self._miss()
        waits = [self._views.wait(), self._ticks(), FREE_EVERY if self._in_cell else None]
        wait = min((each for each in waits if each is not None), default=None)
        self._alarm = _nothing if wait is None else notebook.later(wait, self._turn)
        return True

    def _tick(self) -> None:
        """Timers of windows that somebody looks at."""
        for live, timers in self._timers():
            if live.context.run(timers.fire, time.monotonic()):
                live.pace.altered()

    def _ticks(self) -> float | None:
        """Seconds until the next one."""
        now = time.monotonic()
        for _, timers in self._timers():
            timers.rest(now)
        waits = (timers.wait(now) for _, timers in self._timers())
        return min((wait for wait in waits if wait is not None), default=None)

    def _timers(self) -> Iterator[tuple[LiveView, Timers]]:
        for live in self._views:
            if self._views.watched(live.id) and live.alive and (timers := getattr(live.scene, "timers", None)):
                yield live, timers

    def _look(self) -> None:
        """While an answer is awaited: hands wait, pictures do not."""
        if self._listening >= 0:
            select.select([self._listening], [], [], LOOK)
            if self._views.serve(hands=False):
                self._views.draw()

    def _cell_starts(self) -> None:
        self._in_cell = True
        self._shelter.enter()
        self.server_cell(True)
        self._say_busy()
        self._alarm()
        self._alarm = notebook.later(FREE_EVERY, self._turn)

    def _say_busy(self) -> None:
        self._stream.send({"op": "busy", "message": BUSY, "progress": None, "after": BUSY_AFTER})

    def _cell_ended(self) -> None:
        self._in_cell = False
        self._shelter.leave()
        self.server_cell(False)
        self._stream.send({"op": "idle"})
        self._views.touch()
        self._views.altered()
        # After the cell's own answer: a heavy scene takes its time.
        self._alarm()
        self._alarm = notebook.later(0.0, self._turn)

    # -- life --------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Bring back the streamer, if it died: the same cells are live again."""
        if self._stopped:
            raise EngineLost("This session was stopped. Show the view again.")
        if self._streamer is not None and self._streamer.answers():
            print("pvlink: nothing to do; ParaView or VTK is in this kernel, and restarts with it.")  # noqa: T201
            return
        if self._streamer is not None:
            self._streamer.kill()
            rendezvous.sweep()
        self._streamer = None
        self._views.streamer_gone()
        self._streamer = self._new_streamer()
        print("pvlink: the pictures are back.")  # noqa: T201
        if self.server is not None:
            # Its relay was the streamer's.
            self._reattach_bell()
            self.reconnect()

    def stop(self) -> None:
        """End the streamer. May be called twice; the user's objects are untouched."""
        # A forked child runs our atexit too, and must leave its parent's processes alone.
        if self._stopped or os.getpid() != self._owner:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        notebook.no_more_cells(self._cell_starts)
        notebook.no_more_cells(self._cell_ended)
        self._shelter.leave()
        self._alarm()
        self.leave_server()
        self._let_go()
        if self._streamer is not None:
            self._streamer.end()
        self._stream.close()
        self._post.close()
        rendezvous.sweep()

    def forked(self) -> None:
        """In a child of this process: the views are its parent's, and so is the streamer."""
        self._stopped = True
        self._stream.close()
        self._post.close()
        if self._streamer is not None:
            self._streamer.release()

    def _let_go(self) -> None:
        if self._listening >= 0:
            notebook.detach(self._listening)
            self._listening = -1

    def _streamer_gone(self, streamer: Streamer) -> bool:
        streamer.process.ended()
        rendezvous.sweep()
        return False

    def _streamer_lost(self, streamer: Streamer) -> StreamerLost:
        if self._stopped:
            return StreamerLost("This session was stopped. Show the view again.")
        said = streamer.log.tail(800)
        return StreamerLost(
            "The process that sends the pictures does not answer; it ended with "
            f"{streamer.process.ended()}. {_RESTART} brings it back; your objects are untouched."
            + (f"\nIts last words:\n{said}" if said else "")
        )


class _Quiet:
    """Nothing to report around a drawing."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _nothing(*_: object) -> None: ...


def _forked() -> None:
    for session in list(_all):
        session.forked()


_all: weakref.WeakSet[Inside] = weakref.WeakSet()
os.register_at_fork(after_in_child=_forked)
