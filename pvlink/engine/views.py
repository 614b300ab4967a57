"""The live views of an engine, and the streamer that takes their pictures.

The loop of a process and the event loop of a kernel have this in common.

Nothing is drawn that nobody asked for, and input is taken as late as possible, so that a frame answers the newest.
"""

from __future__ import annotations

import contextvars
import time
import traceback
from contextlib import AbstractContextManager
from typing import Any, Callable

from pvlink.engine.scenes import Scene
from pvlink.engine.stream import Stream
from pvlink.engine.view import LiveView

GONE = "This view was deleted. The picture is the last one; display another view to go on."
# Views that nobody watches and whose owner may have let go of them: so many are kept all the same. A page that is
# loaded again is away for a moment, and a cell shows its view before a browser has heard of it.
SPARE = 8


class Views:
    """By name. One thread, its owner's, calls everything here."""

    def __init__(
        self, stream: Stream, moved: Callable[[float], None], around: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """`moved` hears when a hand has moved something; each drawing happens within `around()`."""
        self._stream = stream
        self._moved = moved
        self._around = around
        self._views: dict[str, LiveView] = {}
        # Those that somebody watches.
        self._watched: set[str] = set()
        self._pools = 0
        self._frames = 0
        # Between two turns of a streamer's input: one packet may come for each "ready".
        self._taken = True
        # Input that came while the owner could not take it.
        self._postponed: list[dict[str, Any]] = []
        # What the streamer says that is of no view, by its name.
        self.others: dict[str, Callable[[dict[str, Any]], None]] = {}

    def __iter__(self) -> Any:
        return iter(list(self._views.values()))

    def get(self, name: str) -> LiveView | None:
        return self._views.get(name)

    def adopt(self, name: str, scene: Scene) -> LiveView:
        """A new view; streamer and viewers hear of it."""
        view = self._views[name] = LiveView(name, scene, self._drawn_by_user)
        self._stream.send({"op": "view", "view": name})
        self.loosen()
        return view

    def show(self, name: str, make: Callable[[], Scene], width: int, height: int) -> LiveView:
        """A view that is to be watched, at this size unless its owner or a viewer has given it one."""
        view = self._views.get(name)
        if view is None:
            view = self.adopt(name, make())
            if not view.scene.sized_by_user:
                view.resize(width, height)
        view.context = contextvars.copy_context()
        view.pace.altered()
        return view

    def watched(self, name: str) -> bool:
        return name in self._watched

    def touch(self) -> None:
        """What was rendered before may not be what is there."""
        for view in self._views.values():
            view.pace.touched = True

    def altered(self) -> None:
        """Any of them may look different now."""
        for view in self._views.values():
            view.altered()

    def stirred(self) -> None:
        """The data have changed by themselves, and will again: rough frames meanwhile, as when a hand moves."""
        now = time.monotonic()
        for view in self._views.values():
            view.pace.moved(now)

    def wait(self) -> float | None:
        """Seconds until something is to be drawn; none: nothing happens by itself."""
        now = time.monotonic()
        waits = [
            0.0 if v.pace.due(now) and v.pool and v.pool.has_free else v.pace.wait(now) for v in self._views.values()
        ]
        known = [wait for wait in waits if wait is not None]
        return min(known) if known else None

    # -- the streamer ----------------------------------------------------------------------------

    def meet(self, hello: dict[str, Any]) -> None:
        """A streamer has come, perhaps in the place of a former one."""
        self._stream.send(dict(hello, op="hello"))
        for view in self:
            if view.alive:
                self._stream.send({"op": "view", "view": view.id})
            else:
                self._drop(view)
        self._taken = True

    def streamer_gone(self) -> None:
        """Nobody watches any more."""
        self._watched.clear()
        self._postponed.clear()
        for view in self._views.values():
            view.forget()
            view.pace.altered()

    def invite(self) -> None:
        """Let the streamer send its input, if it has been told of none since the last."""
        if self._taken and self._stream.open:
            self._taken = False
            self._stream.send({"op": "ready"})

    def serve(self, hands: bool = True) -> bool:
        """Take what the streamer has sent; False when it has gone. Without `hands` its input waits."""
        messages = self._stream.receive()
        if hands:
            messages = self._postponed + messages
            self._postponed = []
        for message in messages:
            op = str(message.get("op"))
            handler = getattr(self, f"_on_{op}", None) or self.others.get(op)
            if handler is None:
                continue
            if message["op"] == "input" and not hands:
                # One at most: the next comes after we have said that we are ready.
                self._postponed.append(message)
                continue
            try:
                handler(message)
            except Exception:  # noqa: BLE001 - one bad event must not cost the user the pipeline
                traceback.print_exc()
        return self._stream.open

    def _on_watch(self, message: dict[str, Any]) -> None:
        view = self._views.get(message["view"])
        if view is not None and view.alive:
            self._watched.add(view.id)
            view.scene.hold(True)
            view.resize(message["width"], message["height"])
            view.detail.pin(message.get("rate"), message.get("scale"))
            self._moved(time.monotonic())

    def _on_unwatch(self, message: dict[str, Any]) -> None:
        view = self._views.get(message["view"])
        if view is not None:
            self._watched.discard(view.id)
            view.forget()
            # The newest of those that nobody watches.
            self._views[view.id] = self._views.pop(view.id)
            self.loosen()

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
                if view.misses(part["events"]):
                    with self._around():
                        view.catch_up()
                view.apply(part["events"], part["inputs"], now)
                self._moved(now)

    # -- drawing ---------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw what is due."""
        for view in self:
            view.settle()
            how = view.pace.due(time.monotonic())
            if how is None:
                continue
            if not view.alive:
                self._drop(view)
                continue
            with self._around():
                try:
                    self._draw_one(view, how)
                except Exception:  # noqa: BLE001 - a view that cannot be drawn must not cost the user the others
                    traceback.print_exc()
                    view.pace.drawn(full=True)

    def _drawn_by_user(self, view: LiveView) -> None:
        """Their own code has drawn it, perhaps in a loop that goes on for long: those who watch see each picture."""
        if self.serve(hands=False) and (how := view.pace.due(time.monotonic())) is not None:
            self._draw_one(view, how)

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

    def loosen(self) -> None:
        """Leave those that nobody watches to their owners, but for the newest few."""
        idle = [view for view in self if view.id not in self._watched]
        for view in idle[:-SPARE]:
            view.scene.hold(False)
            if not view.alive:
                self._drop(view)

    def end(self, message: str, which: Callable[[str], bool] = lambda _name: True) -> None:
        """Of all views, or those with names that are meant, without touching one."""
        for view in self:
            if which(view.id):
                self._stream.send({"op": "gone", "view": view.id, "message": message})
        self.lose(which)

    def lose(self, which: Callable[[str], bool]) -> set[str]:
        """The same without a word: those who watch keep the last picture, and views of these names may come back."""
        lost = {view.id for view in self if which(view.id)}
        for name in lost:
            view = self._views.pop(name)
            self._watched.discard(name)
            view.forget()
            view.scene.let_go()
        return lost

    def _drop(self, view: LiveView) -> None:
        del self._views[view.id]
        self._watched.discard(view.id)
        view.forget()
        view.scene.let_go()
        self._stream.send({"op": "gone", "view": view.id, "message": GONE})
