"""A session: the engine that holds ParaView and the streamer that sends its pictures, owned, brought back and ended."""

from __future__ import annotations

import atexit
import os
import secrets
import threading
import time
from pathlib import Path
from typing import Any, Self

from pvlink import direct, mirror, notebook, processes, pvpython, rendezvous
from pvlink.companions import Engine, Streamer, remove_x_remains
from pvlink.errors import EngineLost, StreamerLost
from pvlink.freight import Freight, Freighter
from pvlink.processes import GRACE
from pvlink.progress import ProgressBar
from pvlink.protocol import Role
from pvlink.saved import Saved, State

_RESTART = "pvlink.session().restart()"
_STOPPED = "This session was stopped. Run pvlink.start() and the cells that made the pipeline again."


class Session(Freighter):
    """One engine with its streamer, made by `pvlink.start()`. Ends with `stop()`, its block, or the kernel."""

    def __init__(self, found: pvpython.Found, *, display: str = "auto", role: Role = "owner") -> None:
        self.id = secrets.token_hex(16)
        self.found = found
        self.display = display
        self.role: Role = role
        self._door: direct.Place | None = None
        self._owner = os.getpid()
        self._bar = ProgressBar()
        self._freight = Freight(lambda: self._engine)
        self._saved = Saved()
        self._stopped = False
        # One restart at a time.
        self._turn = threading.Lock()
        self._engines = 0
        self._streamer: Streamer | None = None
        rendezvous.sweep()
        remove_x_remains()
        try:
            self._path = rendezvous.socket_path(self.id)
            self._engine = self._new_engine()
        except rendezvous.RendezvousError as error:
            self._saved.close()
            raise StreamerLost(f"The process that sends the pictures cannot start: {error}") from None
        except BaseException:
            self._saved.close()
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

    # -- processes -------------------------------------------------------------------------------

    def _new_engine(self) -> Engine:
        engine = Engine(self.found, self.display, self._saved, self._engines, self._path, self._engine_lost)
        self._engines += 1
        return engine

    def _new_streamer(self) -> Streamer:
        streamer = Streamer(self.id, self.role, self._streamer_lost)
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
        wire.on_move = self.desk.move
        self._calls_seen = wire.calls
        self.desk.listen(self._bar.report, engine.output.show)
        engine.attach(lambda: wire.serve_idle() or self._engine_gone(engine))

    def _engine_gone(self, engine: Engine) -> bool:
        """It has ended, or closed its wire: tell those who watch, and remove what it has left."""
        engine.let_go()
        if engine is self._engine and not self._stopped:
            how = processes.ended(engine.process)
            self._remove_x_remains()
            self._tell(
                "engine-ended", message=f"{self._what}'s process has ended with {how}. {_RESTART} brings it back."
            )
        return False

    def _streamer_gone(self, streamer: Streamer) -> bool:
        """It has ended: remove the socket it has left."""
        # One that is being killed closes its sockets one after the other.
        processes.ended(streamer.process)
        rendezvous.sweep()
        return False

    def _remove_x_remains(self) -> None:
        screen: str = self.about["screen"] if hasattr(self, "about") else ""
        if screen.startswith("its own X server"):
            remove_x_remains(screen)

    def _engine_lost(self, engine: Engine) -> EngineLost:
        """The exception for a call that found nobody."""
        if self._stopped:
            return EngineLost(_STOPPED)
        if not engine.wire.closed or engine.process.poll() is None:
            self._engine_gone(engine)
        hint = (
            f"{_RESTART} brings the pipeline back as it was after the last cell, pvlink.start() begins with nothing."
            if self._saved.newest() is not None
            else "Nothing of a pipeline had been saved. Run pvlink.start() and the cells that make it again."
        )
        said = engine.last_words()
        message = f"{self._what}'s process has ended with {processes.ended(engine.process)}. {hint}"
        return EngineLost(message + (f"\nIts last words:\n{said}" if said else ""))

    def _streamer_lost(self, streamer: Streamer) -> StreamerLost:
        if self._stopped:
            return StreamerLost(_STOPPED)
        message = (
            f"The process that sends the pictures does not answer; it ended with {processes.ended(streamer.process)}. "
            f"{_RESTART} brings it back; the pipeline is untouched."
        )
        if not hasattr(self, "about"):
            message = "The process that sends the pictures did not start."
        said = streamer.log.tail(800)
        return StreamerLost(message + (f"\nIts last words:\n{said}" if said else ""))

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

    # -- the way on ------------------------------------------------------------------------------

    def restart(self) -> None:
        """Bring back what died: the pipeline as it was after the last cell, its views alive in the same cells.

        Variables stand for the new objects. Where only the streamer died, ParaView goes on untouched. A ParaView that
        lives and does not answer is ended and begins anew.
        """
        if self._stopped:
            raise EngineLost(_STOPPED)
        with self._turn:
            streamer_alive = self._streamer is not None and self._streamer.answers()
            # One that hangs as its streamer did is no more worth than a dead one; one at work takes its time.
            streamer_hangs = not streamer_alive and self._streamer is not None and self._streamer.alive
            untouched = not streamer_alive and (self._let_save() or (self._engine.alive and not streamer_hangs))
            if not streamer_alive:
                if self._streamer is not None:
                    self._streamer.kill()
                self._streamer = None
                self._streamer = self._new_streamer()
                self._door = direct.open_door(self, self._door)
            if untouched and self._streamer is not None:
                self._engine.meet(self._streamer)
                print("pvlink: the pictures are back; ParaView was not touched.")  # noqa: T201
            else:
                print(f"pvlink: {self._restart_engine()}")  # noqa: T201

    def open_door(self, wish: bool | str) -> None:
        """See `pvlink.start(direct=...)`; a new streamer opens it again."""
        self._door = direct.open_door(self, direct.place(wish))

    def _restart_engine(self) -> str:
        """What came of it, in a sentence."""
        former, desk, about = self._engine, self.desk, self.about
        self._let_save()
        state = self._saved.newest()
        former.let_go()
        processes.kill(former.process)
        former.process.wait()
        former.output.show()
        self._remove_x_remains()
        fresh = self._new_engine()
        try:
            assert self._streamer is not None
            fresh.meet(self._streamer)
            self._welcome(fresh)
            said = self._bring_back(fresh, former, state)
        except BaseException as error:
            # What is there of it must go; the former one's references wait for the next try.
            self._engine, self.desk, self.about = former, desk, about
            fresh.let_go()
            processes.kill(fresh.process)
            fresh.process.wait()
            why = EngineLost(self._not_back(fresh, error)) if isinstance(error, EngineLost) else error
            fresh.release()
            raise why from error
        former.release()
        self._tell("restored")
        return said

    def _let_save(self) -> bool:
        """An engine that lives and answers writes down what the cell that runs has done."""
        engine, before = self._engine, self._saved.newest()
        if not engine.alive:
            return False
        engine.wire.tell(self.desk, "save")
        deadline = time.monotonic() + GRACE
        while engine.alive and time.monotonic() < deadline:
            newest = self._saved.newest()
            if newest is not None and (before is None or newest.number > before.number):
                return True
            time.sleep(0.02)
        return False

    def _bring_back(self, fresh: Engine, former: Engine, state: State | None) -> str:
        if state is None:
            self.desk.restored()
            return f"nothing had been saved; {self._what} starts empty. Run the cells that make the pipeline."
        missing = self.desk.restore(state.facts, state.xml)
        empty = self._freight.restore(self.desk)
        fresh.wire.inherit(former.wire, state.facts["lent"], self.desk.recall)
        self.desk.restored()
        said = f", except for {', '.join(missing)}, which ParaView could not make again" if missing else ""
        said += f"; there is no data in {', '.join(empty)}: put it again" if empty else ""
        return f"the pipeline is back{said}."

    def _not_back(self, fresh: Engine, error: EngineLost) -> str:
        said = fresh.last_words()
        return (
            f"ParaView ended again ({processes.ended(fresh.process)}) while the pipeline was brought back. Another "
            f"{_RESTART} tries again; pvlink.session().save_state('pipeline.pvsm') keeps its state in a file; "
            "pvlink.stop() and pvlink.start() begin with nothing."
        ) + (f"\nIts last words:\n{said}" if said else f"\n{error}")

    def save_state(self, path: str | os.PathLike[str]) -> None:
        """Write the pipeline as it was after the last cell to a state file of ParaView's, also when that has ended."""
        state = self._saved.newest()
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
        self._engine.let_go()
        if self._streamer is not None:
            self._streamer.end()
        self._engine.end()
        self._saved.close()
        self._freight.close()
        self._remove_x_remains()
        rendezvous.sweep()
        mirror.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"{self.about['name']}, process {self.about['pid']}" if self.alive else "ended"
        return f"<pvlink session: {state}, {self.found.path}, {self.about['screen']}>"

    @property
    def _what(self) -> str:
        return "VTK" if hasattr(self, "about") and self.about["kind"] == "vtk" else "ParaView"

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

    def picture(self, view: str, patience: float, since: float = 0.0) -> bytes:
        """The newest picture of a view, at full quality, as PNG, and not one from before `since` if that can be had."""
        _, blob = self._ask("snapshot", view=view, timeout=patience, since=since, patience=patience + 2.0)
        return blob

    def stats(self, view: str) -> dict[str, Any]:
        """What the streamer has measured."""
        stats: dict[str, Any] = self.ask("stats", view=view)["stats"]
        return stats

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        """A question to the streamer (docs/wire.md). ValueError says why it refuses, StreamerLost that it is gone."""
        answer, _ = self._ask(op, **facts)
        return answer

    def _ask(self, op: str, **facts: Any) -> tuple[dict[str, Any], bytes]:
        if self._streamer is None:
            raise StreamerLost(f"The process that sends the pictures is not there. {_RESTART} brings it back.")
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
