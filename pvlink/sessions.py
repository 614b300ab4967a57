"""A session: the engine that holds ParaView and the streamer that sends its pictures, owned, brought back and ended."""

from __future__ import annotations

import atexit
import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from pvlink import direct, lost, mirror, notebook, pvpython, rendezvous
from pvlink.companions import Engine, Place, Streamer
from pvlink.errors import EngineLost, PvlinkError, ServerError, StreamerLost
from pvlink.freight import Freight, Freighter
from pvlink.monitor.monitoring import Monitoring
from pvlink.near import Near
from pvlink.progress import ProgressBar
from pvlink.protocol import Role
from pvlink.questions import Asking
from pvlink.restart import Restarting
from pvlink.saved import State
from pvlink.servers.files import Browsing
from pvlink.servers.origins import Engine as Client


class Session(Asking, Freighter, Monitoring, Restarting, Browsing):
    """One engine with its streamer, made by `pvlink.start()`. Ends with `stop()`, its block, or the kernel."""

    def __init__(
        self,
        found: pvpython.Found | None,
        *,
        display: str = "auto",
        role: Role = "owner",
        place: Callable[[str], Place] = Near,
    ) -> None:
        """`found`: none where its place knows. `place`: where its processes are, for a session's id."""
        self.id = secrets.token_hex(16)
        self.display = display
        self.role: Role = role
        self._door: direct.Place | None = None
        self._owner = os.getpid()
        self._bar = ProgressBar()
        self._freight = Freight(lambda: self._engine)
        self._stopped = False
        # One restart, or change of place, at a time.
        self._moving = threading.RLock()
        self._engines = 0
        self._streamer: Streamer | None = None
        try:
            self._place = place(self.id)
        except rendezvous.RendezvousError as error:
            raise StreamerLost(f"The process that sends the pictures cannot start: {error}") from None
        try:
            self.found = found or self._place.found
            self._engine = self._new_engine()
        except BaseException:
            self._place.close()
            raise
        atexit.register(self.stop)
        try:
            # The streamer comes up while ParaView is being imported.
            self._streamer = self._new_streamer()
            self._engine.meet(self._streamer)
            self._welcome(self._engine)
        except BaseException:
            self.stop()
            raise
        notebook.after_cells(self._cell_ended)
        self._place.joined(self)

    # -- processes -------------------------------------------------------------------------------

    def _new_engine(self) -> Engine:
        engine = Engine(self._place.engine(self.found, self.display, self._engines), self._engine_lost)
        self._engines += 1
        return engine

    def _new_streamer(self) -> Streamer:
        streamer = Streamer(self._place.streamer(self.role), self._streamer_lost)
        streamer.attach(lambda: streamer.control.serve_idle() or self._streamer_gone(streamer))
        return streamer

    def _welcome(self, engine: Engine) -> None:
        """Wait until it answers; from here on it is the one."""
        self.desk, self.about = engine.answer()
        self._engine = engine
        wire = engine.wire
        wire.on_wait = self._on_wait
        wire.on_done = self._on_done
        wire.on_show = self._show
        if self._place.shares_files:
            wire.on_move = self.desk.move
        wire.on_error = self._translated
        wire.on_interrupt = self._on_interrupt
        self._calls_seen = wire.calls
        self.desk.listen(self._bar.report, engine.output.show, self._server_gone)
        engine.attach(lambda: wire.serve_idle() or self._engine_gone(engine))

    def _engine_gone(self, engine: Engine) -> bool:
        """It has ended, or closed its wire: tell those who watch, and remove what it has left."""
        engine.let_go()
        if engine is self._engine and not self._stopped:
            message = lost.ended(self._what, engine)
            self._clear_up()
            self._tell("engine-ended", message=message)
        return False

    def _streamer_gone(self, streamer: Streamer) -> bool:
        """It has ended: remove the socket it has left."""
        # One that is being killed closes its sockets one after the other.
        streamer.process.ended()
        self._place.sweep()
        return False

    def _clear_up(self) -> None:
        """After an engine's end."""
        screen: str = self.about["screen"] if hasattr(self, "about") else ""
        self._place.sweep(screen if screen.startswith("its own X server") else "")

    def _engine_lost(self, engine: Engine) -> PvlinkError:
        """The exception for a call that found nobody."""
        if self._stopped:
            return EngineLost(lost.STOPPED)
        if not engine.wire.closed or engine.process.poll() is None:
            self._engine_gone(engine)
        if self._is_lost():
            # Its server went first: a client may not survive that.
            return self._server_lost()
        return lost.engine_lost(self._what, engine, saved=self._place.saved.newest() is not None)

    def _streamer_lost(self, streamer: Streamer) -> StreamerLost:
        if self._stopped:
            return StreamerLost(lost.STOPPED)
        return lost.streamer_lost(streamer, started=hasattr(self, "about"))

    def _tell(self, op: str, **facts: Any) -> None:
        """The streamer, if it is there; it may be too old for this."""
        try:
            if self._streamer is not None:
                self._streamer.control.ask(op, **facts)
        except (StreamerLost, ValueError):
            return

    @property
    def stopped(self) -> bool:
        """Whether it was ended on purpose."""
        return self._stopped

    @property
    def alive(self) -> bool:
        """Whether both processes are there."""
        return not self._stopped and self._engine.alive and self._streamer is not None and self._streamer.alive

    def open_door(self, wish: bool | str) -> None:
        """See `pvlink.start(direct=...)`; a new streamer opens it again."""
        self._door = direct.open_door(self, direct.place(wish))

    def save_state(self, path: str | os.PathLike[str]) -> None:
        """Write the pipeline as it was after the last cell to a state file of ParaView's, also when that has ended."""
        state = self._place.saved.newest()
        if state is None:
            raise EngineLost("Nothing of a pipeline has been saved yet.")
        Path(path).write_bytes(state.xml)

    def stop(self) -> None:
        """End both processes. May be called twice; takes a few seconds at most."""
        # A forked child runs our atexit too, and must leave its parent's processes alone.
        if self._stopped or os.getpid() != self._owner:
            return
        self._stopped = True
        atexit.unregister(self.stop)
        notebook.no_more_cells(self._cell_ended)
        self._place.left(self)
        self._engine.let_go()
        if self._streamer is not None:
            self._streamer.end()
        self._engine.end()
        self._let_server_go()
        self._freight.close()
        self._clear_up()
        self._place.close()
        mirror.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"{self.about['name']}, process {self.about['pid']}" if self.alive else "ended"
        where = f" in {self._place.label}" if self._place.label else ""
        return f"<pvlink session: {state}{where}, {self.found.path}, {self.about['screen']}>"

    @property
    def label(self) -> str:
        """In which job its ParaView is; empty for this machine."""
        return self._place.label

    @property
    def _what(self) -> str:
        return "VTK" if hasattr(self, "about") and self.about["kind"] == "vtk" else "ParaView"

    # -- what a session says of itself where servers are concerned ---------------------------------

    def _engine_facts(self) -> Client:
        if self._what == "VTK":
            raise ServerError(
                "This session draws with VTK alone, which has no servers: install ParaView, or say where its pvpython "
                "is: pvlink.start(pvpython='/path/to/bin/pvpython').",
                "vtk",
            )
        return Client(self.about["paraview"], self.found.path, self._place.label)

    def _processor_time(self) -> float:
        return self._engine.process.worked()

    def _hush(self) -> None:
        self._engine.output.skip()

    def _kept(self) -> State | None:
        return self._place.saved.newest()

    def _write_down(self) -> bool:
        return self._let_save()

    def _use(self, program: str | os.PathLike[str]) -> None:
        found = pvpython.find(program)
        if found.path != self.found.path:
            self.found = found
            print(f"pvlink: {self._restart_engine(empty=True)}")  # noqa: T201

    # -- views -----------------------------------------------------------------------------------

    def active_view(self) -> Any:
        """The view that is meant when none is named; none if there is none yet."""
        return self.desk.active()

    def view_id(self, obj: Any) -> str | None:
        """The id of one of this session's views, or None for anything else."""
        identity: str | None = self.desk.view_id(obj)
        return identity

    def watch(self, proxy: Any, width: int = 0, height: int = 0) -> str:
        """Make a view ready to be watched; its id."""
        identity: str = self.desk.watch(proxy, width, height)
        return identity

    def _ask(self, op: str, **facts: Any) -> tuple[dict[str, Any], bytes]:
        if self._streamer is None:
            raise StreamerLost(f"The process that sends the pictures is not there. {lost.RESTART} brings it back.")
        return self._streamer.control.ask(op, **facts)

    def _show(self, reference: Any) -> Any:
        from pvlink.view import shown

        return shown(self, reference)

    # -- cells -----------------------------------------------------------------------------------

    def _on_wait(self, waited: float) -> None:
        self._engine.output.show()
        self._bar.on_wait(waited)

    def _on_done(self) -> None:
        self._engine.output.show()
        self._bar.done()

    def _cell_ended(self) -> None:
        """Show what the cell changed, if it used ParaView at all."""
        engine = self._engine
        if engine.wire.calls != self._calls_seen and self.alive:
            self._calls_seen = engine.wire.calls
            engine.wire.tell(self.desk, "cell_ended")
