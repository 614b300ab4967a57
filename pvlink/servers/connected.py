"""What a session does with ParaView servers: one at a time, watched, and had again after its end."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pvlink import notebook
from pvlink.errors import PvlinkError, ServerError, ServerLost, StreamerLost, refuse_unknown
from pvlink.progress import ProgressBar
from pvlink.saved import State
from pvlink.servers import asked, patience
from pvlink.servers.link import NOTHING, NOTICE, Link
from pvlink.servers.origins import Engine, Options, Origin
from pvlink.servers.server import Server, Told
from pvlink.servers.started import Configured, Started

if TYPE_CHECKING:
    from pvlink.servers.form import Form

_ENDED = re.compile(r" has ended( \([^)]*\))?\.")
_AGAIN = "pvlink.session().reconnect()"
_ELSEWHERE = "session.connect(job) has the job's server, session.connect('cs://host:port') one that its node reaches."
_CONNECT = ("name", "pvpython", *Options.__dataclass_fields__)
_SERVE = ("ranks", "pvserver", "mpiexec", "level", "display", "arguments", *Options.__dataclass_fields__)


class Connected:
    """Mixed into a session."""

    desk: Any
    # The server that holds the pipeline; none while it is in this session itself.
    server: Server | None = None
    _origin: Origin | None = None
    # The pipeline on a server that was left on purpose.
    _parked: State | None = None
    # What this session itself holds while its pipeline is on a server.
    _home: State | None = None
    # One change of place at a time.
    _moving: threading.RLock

    # -- what a session says of itself ---------------------------------------------------------------

    def ask(self, op: str, **facts: Any) -> dict[str, Any]:
        """A question to the streamer."""
        raise NotImplementedError

    def _engine_facts(self) -> Engine:
        """Who connects."""
        raise NotImplementedError

    def _kept(self) -> State | None:
        """The pipeline as it was last written down."""
        raise NotImplementedError

    def _write_down(self) -> bool:
        """Have it written down now, if the engine answers."""
        raise NotImplementedError

    def _come_back(self, state: State | None, former: Any = None) -> str:
        """Have the pipeline brought to the server that is connected now; what did not come, in words.

        `former`: the wire of an engine that has ended, whose references are to stand for what comes back.
        """
        raise NotImplementedError

    def _processor_time(self) -> float:
        """Seconds that ParaView's own process has worked."""
        return 0.0

    def _hush(self) -> None:
        """Throw away what ParaView has just said: hundreds of lines on a server that is gone."""

    def _use(self, pvpython: str | os.PathLike[str]) -> None:
        """Draw with another ParaView from here on."""
        raise NotImplementedError

    # -- connecting --------------------------------------------------------------------------------

    @property
    def _link(self) -> Link:
        return Link(self.ask)

    def connect(self, where: str | os.PathLike[str] | asked.Offers, **options: Any) -> Server | Form:
        """Have the pipeline on a ParaView server, which begins with nothing; what was here waits for `disconnect()`.

        `where`: cs://node17:11111 (or node17), csrc://:11111 (we wait, it comes), cdsrs://data:11111//render:22221, a
        file of ParaView's server configurations (.pvsc), or the name of one of them; or a job of `pvlink.launch()`,
        which is waited for. What has options to fill in is shown as a form; `values={...}` fills it in.
        timeout=10, connect_id=0, render="server" ("client", "auto"), compression="auto", listen="127.0.0.1" (where one
        that comes is waited for), reconnect=False (have it again by itself), allow_insecure=False, pvpython=None.
        """
        values = options.pop("values", None)
        refuse_unknown("session.connect()", set(options) - set(_CONNECT), (*_CONNECT, "values"))
        name, pvpython = options.pop("name", None), options.pop("pvpython", None)
        found = asked.origin(where, name, values, options, self._engine_facts().version)
        if isinstance(found, asked.Questions):
            return found.form(self._go)
        if isinstance(found, Configured):
            self._refuse_far("this configuration starts its server")
        with self._moving:
            if pvpython is not None:
                self._use(pvpython)
            return self._go(found)

    def serve(self, ranks: int = 1, **options: Any) -> Server:
        """Start a ParaView server on this machine, with so many processes under MPI, and connect to it.

        It is the safest this machine allows: `server.safety` says how safe that is. pvserver=None and mpiexec=None
        (found beside the engine's ParaView), level=None ("namespace", "reverse", "loopback", "open"), display="auto",
        arguments=(), and what connect() takes.
        """
        refuse_unknown("session.serve()", set(options) - set(_SERVE), _SERVE)
        self._refuse_far("session.serve() starts one")
        use = {key: options.pop(key) for key in list(options) if key in Options.__dataclass_fields__}
        with self._moving:
            return self._go(Started(Options(**{"timeout": 60.0, **use}), {"ranks": ranks, **options}))

    def _refuse_far(self, what: str) -> None:
        """What starts a server on this machine is of no use to a ParaView that is elsewhere."""
        if at := self._engine_facts().at:
            raise ServerError(f"ParaView is in {at}, and {what} on this machine. {_ELSEWHERE}", "elsewhere")

    def _go(self, origin: Origin) -> Server:
        """Leave what there is, and begin with nothing on this one."""
        if self.server is not None:
            self.disconnect()
        if self._write_down():
            self._home = self._kept()
        former = self._origin
        try:
            server = self._attach(origin)
        except BaseException:
            # reconnect() leads back to the one before.
            self._origin = former
            raise
        self.desk.restored()
        self.ask("restored")
        self._parked = None
        return server

    def _attach(self, origin: Origin) -> Server:
        """Connect the engine, whose pipeline then is an empty one there."""
        link, engine = self._link, self._engine_facts()
        former, self._origin = self._origin, None
        if former is not None and former is not origin:
            former.left(self)
            former.close()
        try:
            with _waiting(origin.label) as told:
                ports = origin.open(link, engine, told)
            facts = self.desk.server_connect(ports, origin.label)
            self.desk.server_settle(origin.options.threshold, origin.packing.compressor)
        except ServerError as error:
            state = self.server_state()
            origin.close()
            found = str(state.get("server_version") or "")
            if error.reason == "wrong-version" and found:
                from pvlink.servers import versions

                said = versions.must_match(found, engine.version, versions.installed())
                raise ServerError(f"{origin.label}: {said}", error.reason) from None
            raise
        except BaseException:
            link.close()
            origin.close()
            raise
        self._origin = origin
        origin.taken(self)
        self.server = Server(self, origin, facts, origin.version or engine.minor)
        if facts["draws"] is False and origin.options.render == "server":
            print(f"pvlink: {self.server.rendering_why}", file=sys.stderr)  # noqa: T201
        return self.server

    # -- leaving, losing and coming back -------------------------------------------------------------

    def disconnect(self) -> None:
        """Leave the server, which ends with its client; the pipeline of this session itself is back.

        What was on the server comes back with `reconnect()`.
        """
        with self._moving:
            if self.server is None:
                return
            if self.server_state()["state"] == "live" and not self._answers():
                # One that hangs is cut off, or the next question would wait for ever.
                self._cut(f"{self.server.address} was left while it did not answer.")
            self._parked = self._kept()
            self.server = None
            try:
                self.desk.server_leave()
                self.desk.restored()
            finally:
                self._link.close()
                if self._origin is not None:
                    self._origin.left(self)
                    self._origin.close()
            # It may have been lost, or hang up before we did; the views of this session itself are live.
            with contextlib.suppress(StreamerLost, ValueError):
                self.ask("restored")

    def reconnect(self) -> Server:
        """Have the server again that was lost or left, with the same pipeline, cameras and cells.

        One that was started here is started anew; one that is reached or comes to us must be there again.
        """
        with self._moving:
            if self._origin is None:
                raise ServerError(
                    "There was no ParaView server in this session: session.connect(...) or serve(...).", "none"
                )
            if self.server is not None and self.server_state()["state"] == "live":
                moved = self._origin.moved()
                if self._answers() and not moved:
                    print(f"pvlink: {self.server.address} is there and answers; nothing to do.")  # noqa: T201
                    return self.server
                why = "is at another place now" if moved else "did not answer"
                self._cut(f"{self.server.address} {why}, and was given up for a new connection.")
            state = self._kept() if self.server is not None else self._parked
            said = self._again(state)
            print(f"pvlink: {self._origin.label}: {said}")  # noqa: T201
            assert self.server is not None
            return self.server

    def follow(self) -> None:
        """Go where the job is now that this session has something of."""
        self.reconnect()

    def _again(self, state: State | None, former: Any = None) -> str:
        """The same origin, a new server, and the pipeline on it."""
        origin = self._origin
        assert origin is not None
        origin.close()
        try:
            self._attach(origin)
        finally:
            self._origin = origin
        said = self._come_back(state, former)
        self.desk.restored()
        self.ask("restored")
        self._parked = None
        return said

    def notice(self, message: str) -> None:
        """Below the views, and no longer than they are of this server."""
        with contextlib.suppress(StreamerLost, ValueError):
            self.ask("notice", message=message)

    def keep(self, path: Path) -> bool:
        """Write the pipeline as it was after the last cell into a state file of ParaView's; whether there is one."""
        state = self._kept()
        if state is None:
            return False
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(state.xml)
        draft.rename(path)
        return True

    def _answers(self) -> bool:
        """Whether a live server is not known to hang; the pipeline is written down then."""
        return not (self._origin is not None and self._origin.hung()) and self._write_down()

    def server_state(self) -> dict[str, Any]:
        """How the relay to the server is (docs/wire.md)."""
        try:
            return self._link.state()
        except (StreamerLost, ValueError):
            return NOTHING

    def _cut(self, why: str) -> None:
        with contextlib.suppress(StreamerLost, ValueError):
            self._link.cut(why)

    def _let_server_go(self) -> None:
        """The session ends."""
        if self._origin is not None:
            self._origin.close()
        self.server = None

    # -- its end, in words -------------------------------------------------------------------------

    def _server_lost(self) -> ServerLost:
        """The exception for a call that needs a server that is gone."""
        label = self.server.address if self.server is not None else "The ParaView server"
        state = self.server_state()
        why = state["message"] or f"{label} is gone."
        more = self._origin.ended() if self._origin is not None else ""
        message = why
        if more:
            message, found = _ENDED.subn(lambda _: f" has ended: {more}.", why, count=1)
            if not found:
                message = f"{why} {more}."
        if _AGAIN not in message:
            message += f" {_AGAIN} brings the pipeline back, as it was after the last cell, on a new server."
        ServerLost.newest = message
        return ServerLost(message)

    def _translated(self, error: Any) -> Any:
        """The engine's word for a lost server, as the user's exception."""
        if type(error).__name__.rpartition(".")[2] != "Gone":
            return error
        self._hush()
        return self._server_lost()

    def _on_interrupt(self, look: Callable[[float], bool | None]) -> None:
        """A call that waits for a server was interrupted: one that says nothing more is cut off."""
        if self.server is not None and self._origin is not None:
            patience.interrupted(
                self.server.address, self._origin, self.server_state, self._cut, look, self._processor_time
            )

    def _is_lost(self) -> bool:
        """Whether there is a server, and it is gone."""
        return self.server is not None and self.server_state()["state"] in ("lost", "closed", "failed", "none")

    def _server_gone(self) -> None:
        """The engine says so, between cells or in one."""
        if self._origin is not None and self._origin.options.reconnect:
            # Not in the middle of whatever runs: when the kernel is free.
            notebook.later(NOTICE, self._by_itself)

    def _by_itself(self) -> None:
        if not self._is_lost():
            return
        try:
            self.reconnect()
        except PvlinkError as error:
            print(f"pvlink: {error}", file=sys.stderr)  # noqa: T201


@contextlib.contextmanager
def _waiting(label: str) -> Iterator[Told]:
    """Tell the cell for whom it waits, and for how long."""
    bar = ProgressBar()

    def told(waited: float, state: dict[str, Any]) -> None:
        bar.report(state["message"] or f"Waiting for {label}", None)
        bar.on_wait(waited)

    try:
        yield told
    finally:
        bar.done()
