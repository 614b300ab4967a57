"""A session's way on after one of its processes has died or hangs: the pipeline as it was, in the same cells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from pvlink import direct, lost
from pvlink.companions import Engine, Place, Streamer
from pvlink.errors import EngineLost
from pvlink.freight import Freight
from pvlink.processes import GRACE
from pvlink.saved import State
from pvlink.servers.connected import Connected
from pvlink.servers.server import Server
from pvlink.wire import KernelWire


class Restarting(Connected):
    """Mixed into a session with processes of its own."""

    about: dict[str, Any]
    _door: direct.Place | None
    _engine: Engine
    _freight: Freight
    _moving: threading.RLock
    _new_engine: Callable[[], Engine]
    _new_streamer: Callable[[], Streamer]
    _clear_up: Callable[[], None]
    _place: Place
    _stopped: bool
    _streamer: Streamer | None
    _tell: Callable[..., None]
    _welcome: Callable[[Engine], None]

    @property
    def alive(self) -> bool:
        """Whether both processes are there."""
        raise NotImplementedError

    @property
    def _what(self) -> str:
        raise NotImplementedError

    def restart(self) -> None:
        """Bring back what died: the pipeline as it was after the last cell, its views alive in the same cells.

        Variables stand for the new objects. Where only the streamer died, ParaView goes on untouched. A ParaView that
        lives and does not answer is ended and begins anew.
        """
        if self._stopped:
            raise EngineLost(lost.STOPPED)
        with self._moving:
            moved = self._place.moved()
            if moved:
                # Before what is there is let go of.
                self._let_save()
            streamer_alive = not moved and self._streamer is not None and self._streamer.answers()
            # One that hangs as its streamer did is no more worth than a dead one; one at work takes its time.
            streamer_hangs = not streamer_alive and self._streamer is not None and self._streamer.alive
            untouched = (
                not streamer_alive and not moved and (self._let_save() or (self._engine.alive and not streamer_hangs))
            )
            if not streamer_alive:
                if self._streamer is not None:
                    self._streamer.kill()
                    self._place.sweep()
                self._streamer = None
                self._streamer = self._new_streamer()
                self._door = direct.open_door(self, self._door)
                self._listen_again()
            if untouched and self._streamer is not None:
                self._engine.meet(self._streamer)
                print("pvlink: the pictures are back; ParaView was not touched.")  # noqa: T201
                if self.server is not None:
                    # Its relay was the streamer's.
                    self.reconnect()
            else:
                print(f"pvlink: {self._restart_engine()}")  # noqa: T201

    def _listen_again(self) -> None:
        """A new streamer is there: whatever else the former one listened for."""
        raise NotImplementedError

    def reconnect(self) -> Server:
        """Have the server again that was lost or left; where ParaView's own process has ended, that first."""
        with self._moving:
            if self.server is None or self._engine.alive or self._stopped:
                return super().reconnect()
            self.restart()
            return self.server

    def follow(self) -> None:
        """Go where the job is now that this session has something of."""
        with self._moving:
            if self._place.moved():
                # And its server after it.
                self.restart()
            else:
                super().follow()

    def _restart_engine(self, *, empty: bool = False) -> str:
        """What came of it, in a sentence."""
        former, desk, about = self._engine, self.desk, self.about
        self._let_save()
        state = None if empty else self._place.saved.newest()
        former.kill()
        former.output.show()
        self._clear_up()
        fresh = self._new_engine()
        try:
            assert self._streamer is not None
            fresh.meet(self._streamer)
            self._welcome(fresh)
            said = self._bring_back(fresh, former, state)
        except BaseException as error:
            # What is there of it must go; the former one's references wait for the next try.
            self._engine, self.desk, self.about = former, desk, about
            fresh.kill()
            why = lost.not_back(fresh, error) if isinstance(error, EngineLost) else None
            fresh.release()
            if why is not None:
                raise why from error
            raise
        former.release()
        self._tell("restored")
        return said

    def _let_save(self) -> bool:
        """An engine that lives and answers writes down what the cell that runs has done."""
        engine, before = self._engine, self._place.saved.newest()
        if not engine.alive:
            return False
        engine.wire.tell(self.desk, "save")
        deadline = time.monotonic() + GRACE
        while engine.alive and time.monotonic() < deadline:
            newest = self._place.saved.newest()
            if newest is not None and (before is None or newest.number > before.number):
                return True
            time.sleep(0.02)
        return False

    def _bring_back(self, fresh: Engine, former: Engine, state: State | None) -> str:
        if self.server is not None:
            # What this process itself held, and then what was on a server, on a new one.
            if self._home is not None:
                self._come_back(self._home, former.wire, part=True)
            said = self._again(state, former.wire)
        elif state is None:
            said = f"nothing had been saved; {self._what} starts empty. Run the cells that make the pipeline."
        else:
            said = self._come_back(state, former.wire)
        self.desk.restored()
        return said

    def _come_back(self, state: State | None, former: KernelWire | None = None, *, part: bool = False) -> str:
        """Bring the pipeline back to where the engine is now, and the references of a former one."""
        if state is None:
            return "nothing of a pipeline had been saved."
        missing = self.desk.restore(state.facts, state.xml)
        empty = self._freight.restore(self.desk, part=part or former is None)
        if former is not None:
            self._engine.wire.inherit(former, state.facts["lent"], self.desk.recall)
        said = f", except for {', '.join(missing)}, which ParaView could not make again" if missing else ""
        said += f"; there is no data in {', '.join(empty)}: put it again" if empty else ""
        return f"the pipeline is back{said}."
