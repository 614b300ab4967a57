"""The one thread that touches ParaView: kernel, streamer and views meet here.

Each turn takes one request of the kernel and all packets of the streamer, then draws what is due. Input is taken as
late as possible, so that a frame answers the newest.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import time
import traceback
from typing import Any, Callable

from paraview import simple

from pvlink.engine.desk import Desk
from pvlink.engine.headless import NoDisplay, Screen
from pvlink.engine.keeper import Keeper
from pvlink.engine.later import Later
from pvlink.engine.progress import Progress
from pvlink.engine.rpc import Wire, is_function
from pvlink.engine.stream import Stream, remove_dead
from pvlink.engine.view import LiveView, can_watch, is_registered

# What the engine has printed and nobody has read, in bytes, before it is thrown away.
OUTPUT_LIMIT = 16 << 20
# Requests of the kernel answered before the views get their turn, in seconds.
TURN = 0.01
# How long a streamer may outlive its kernel, in seconds: both may be killed at once, and not die in the same moment.
FAREWELL = 0.7
STDOUT, STDERR = 1, 2
GONE = "This view was deleted. The picture is the last one; display another view to go on."


class EngineWire(Wire):
    """The engine's end: functions of the kernel become calls that nobody waits for."""

    # Number of the request that is being answered.
    answering: int | None = None

    def _dispatch_request(self, seq: int, raw_args: Any) -> None:
        self.answering = seq
        try:
            super()._dispatch_request(seq, raw_args)
        finally:
            self.answering = None

    def adopt(self, reference: Any) -> Any:
        return Later(reference) if is_function(reference) else reference

    def lent(self) -> dict[Any, Any]:
        """The objects that the kernel has references to, by the names these have on the wire."""
        return {key: slot[0] for key, slot in list(self._local_objects._dict.items())}  # noqa: SLF001


class Loop:
    """Runs until the kernel's end of the wire closes."""

    def __init__(self, kernel: Any, stream: Stream, screen: Screen, config: dict[str, Any]) -> None:
        """`config` names files in memory: the last request that was given up, and two for the pipeline's state."""
        self.screen = screen
        self._abandoned = mmap.mmap(config["abandoned_fd"], 8, prot=mmap.PROT_READ)
        self._socket_path: str = config["socket_path"]
        self.keeper = Keeper(config["checkpoint_fds"], config["generation"])
        self.wire = EngineWire(kernel, Desk(self))
        self._stream = stream
        self._views: dict[str, LiveView] = {}
        self._pools = 0
        self._frames = 0
        self._on_progress: Callable[..., None] = _nobody
        self._on_output: Callable[..., None] = _nobody
        self._output_seen = 0
        self._progress = Progress(self._report, lambda: stream.send({"op": "idle"}), self._is_abandoned)
        # Between two turns of a streamer's input: one packet may come for each "ready".
        self._taken = True

    # -- asked by the kernel ---------------------------------------------------------------------

    def listen(self, progress: Callable[..., None], output: Callable[..., None]) -> None:
        self._on_progress, self._on_output = progress, output

    def add(self, proxy: Any, width: int, height: int) -> LiveView:
        if not can_watch(proxy):
            raise TypeError(f"{proxy!r} is not a view with a picture")
        if not is_registered(proxy):
            raise ValueError("this view was deleted")
        key = self.keeper.name_of(proxy)
        if key not in self._views:
            view = self._adopt(key, proxy)
            if not view.sized_by_user:
                view.resize(width, height)
        view = self._views[key]
        view.pace.altered()
        return view

    def _adopt(self, key: str, proxy: Any) -> LiveView:
        view = self._views[key] = LiveView(key, proxy)
        self._stream.send({"op": "view", "view": key})
        return view

    def altered(self) -> None:
        for view in self._views.values():
            view.pace.altered()
        self.keeper.when.cell_ended(time.monotonic())

    def restore(self, facts: dict[str, Any], state: bytes) -> list[str]:
        """Bring the pipeline of a former engine back, its views under their names; what did not come."""
        missing = self.keeper.restore(facts, state)
        for key, proxy in self.keeper.views(facts):
            self._adopt(key, proxy)
        return missing

    def save(self) -> None:
        self.keeper.save(self._alive(), self.wire.lent())

    def _alive(self) -> dict[str, Any]:
        """All views by their names, also those not shown: one may be by the time the state is needed."""
        return {self.keeper.name_of(view): view for view in simple.GetViews() if can_watch(view)}

    @property
    def views(self) -> list[LiveView]:
        return list(self._views.values())

    # -- the turns -------------------------------------------------------------------------------

    def run(self, session: Any) -> None:
        self._progress.attach(session)
        poll = select.poll()
        poll.register(self.wire.fileno(), select.POLLIN)
        poll.register(self._stream.post.fileno(), select.POLLIN)
        x_server = self.screen.server
        if x_server is not None:
            poll.register(x_server.fileno(), select.POLLHUP)
        while True:
            if self._taken and self._stream.open:
                self._taken = False
                self._stream.send({"op": "ready"})
            ready = dict(poll.poll(self._patience()))
            if x_server is not None and x_server.fileno() in ready:
                raise NoDisplay("its X server, a process of its own, has ended: the next picture would end this one")
            if self.wire.fileno() in ready and not self._serve_kernel():
                return
            listening = self._stream.fileno()
            if self._stream.open and listening in ready and not self._serve_stream():
                poll.unregister(listening)
                self._streamer_gone()
            if self._stream.post.fileno() in ready:
                self._meet_streamer(poll)
            self._draw()
            self._watch_output()
            self._keep(poll)

    def _patience(self) -> float | None:
        """Milliseconds until a view comes to rest; none: nothing happens by itself, so sleep."""
        now = time.monotonic()
        waits = [
            0.0 if v.pace.due(now) and v.pool and v.pool.has_free else v.pace.wait(now) for v in self._views.values()
        ]
        waits.append(self.keeper.wait(now))
        known = [wait for wait in waits if wait is not None]
        return min(known) * 1e3 + 0.5 if known else None

    def _serve_kernel(self) -> bool:
        """Answer for one turn's time; False when the kernel has gone."""
        deadline = time.monotonic() + TURN
        self._progress.began()
        try:
            while self.wire.poll():
                if time.monotonic() > deadline:
                    break
        except (EOFError, OSError):
            return False
        finally:
            self._progress.ended()
            self._output_seen = _output_size()
        return True

    def _meet_streamer(self, poll: Any) -> None:
        """The kernel has sent a streamer's socket, or has gone."""
        former = self._stream.fileno()
        if not self._stream.take():
            poll.unregister(self._stream.post.fileno())
            return
        if former >= 0:
            with contextlib.suppress(KeyError):
                poll.unregister(former)
            self._streamer_gone()
        poll.register(self._stream.fileno(), select.POLLIN)
        self._stream.send(dict(self.wire.service.describe(), op="hello"))
        for view in list(self._views.values()):
            if view.alive:
                self._stream.send({"op": "view", "view": view.id})
            else:
                self._drop(view)
        self._taken = True

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

    def _streamer_gone(self) -> None:
        """Nobody watches any more; a streamer that was killed has left its socket's file."""
        for view in self._views.values():
            view.forget()
            view.inputs.clear()
            view.pace.altered()
        remove_dead(self._socket_path)

    def _keep(self, poll: Any) -> None:
        """Write the pipeline's state down, when it is time and nobody waits, or has waited long enough."""
        now = time.monotonic()
        wait = self.keeper.wait(now)
        if wait is None or wait > 0.0 or (poll.poll(0) and not self.keeper.when.overdue(now)):
            return
        try:
            self.keeper.keep(now, self._alive(), self.wire.lent())
        except Exception:  # noqa: BLE001 - a state that cannot be written must not cost the user the pipeline
            traceback.print_exc()
            self.keeper.when.all_written(0.0)

    def _serve_stream(self) -> bool:
        """Take what the streamer has sent; False when it has gone."""
        for message in self._stream.receive():
            handler = getattr(self, f"_on_{message.get('op')}", None)
            if handler is None:
                continue
            try:
                handler(message)
            except Exception:  # noqa: BLE001 - one bad event must not cost the user the pipeline
                traceback.print_exc()
        return self._stream.open

    def _draw(self) -> None:
        for view in list(self._views.values()):
            how = view.pace.due(time.monotonic())
            if how is None:
                continue
            if not view.alive:
                self._drop(view)
                continue
            self._progress.began()
            try:
                self._draw_one(view, how)
            except Exception:  # noqa: BLE001 - a view that cannot be drawn must not cost the user the others
                traceback.print_exc()
                view.pace.drawn(full=True)
            finally:
                self._progress.ended()

    def _draw_one(self, view: LiveView, how: str) -> None:
        pool = view.new_pool(self._pools + 1)
        if pool is not None:
            self._pools += 1
            measures = {"width": pool.width, "height": pool.height, "slots": pool.slots}
            self._stream.send({"op": "pool", "view": view.id, "pool": pool.number, **measures}, pool.fd)
        assert view.pool is not None
        slot = view.pool.take()
        if slot is None:
            return
        try:
            facts = view.draw(how, slot)
        except BaseException:
            view.pool.free(slot)
            raise
        self._frames += 1
        place = {"view": view.id, "pool": view.pool.number, "slot": slot, "frame": self._frames}
        self._stream.send({"op": "frame", **place, **facts})

    def _drop(self, view: LiveView) -> None:
        del self._views[view.id]
        view.forget()
        self._stream.send({"op": "gone", "view": view.id, "message": GONE})

    # -- told by the streamer --------------------------------------------------------------------

    def _on_watch(self, message: dict[str, Any]) -> None:
        view = self._views.get(message["view"])
        if view is not None and view.alive:
            view.resize(message["width"], message["height"])
            self.keeper.when.moved(time.monotonic())

    def _on_unwatch(self, message: dict[str, Any]) -> None:
        view = self._views.get(message["view"])
        if view is not None:
            view.forget()

    def _on_want(self, message: dict[str, Any]) -> None:
        view = self._views.get(message["view"])
        if view is not None:
            view.pace.wanted = True

    def _on_free(self, message: dict[str, Any]) -> None:
        view = self._views.get(message["view"])
        if view is not None and view.pool is not None and view.pool.number == message["pool"]:
            view.pool.free(message["slot"])

    def _on_input(self, message: dict[str, Any]) -> None:
        self._taken = True
        now = time.monotonic()
        for part in message["views"]:
            view = self._views.get(part["view"])
            if view is not None and view.alive:
                view.apply(part["events"], part["inputs"], now)
                self.keeper.when.moved(now)

    def _is_abandoned(self) -> bool:
        # What was given up may be a request that came up while this one was answered, such as an observer's.
        answering = self.wire.answering
        return answering is not None and answering < int.from_bytes(self._abandoned[:8], "little")

    # -- to whom it concerns ---------------------------------------------------------------------

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
