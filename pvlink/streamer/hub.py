"""The meeting place: viewers, views, the engine and the kernel. What each of them says ends up here."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from pvlink.protocol import PROTOCOL_VERSION, Drawn, Input, Join, Joined, Ping, Pong, Role, Size, ViewState, Visible
from pvlink.streamer.control_port import Answer, Request, RequestError
from pvlink.streamer.encoders import ENCODERS
from pvlink.streamer.engine_port import Busy, EnginePort, Hello, Idle, Packet, Ready, ViewGone, ViewMade
from pvlink.streamer.frames import Shot
from pvlink.streamer.inputs import Inputs
from pvlink.streamer.link import Link, Refused
from pvlink.streamer.views import NoPictureError, Rim, View
from pvlink.streamer.watchdog import Watchdog
from pvlink.version import __version__

LIVE = ViewState("live")
WORKING = ViewState("busy", "ParaView is working.")
STARTING = ViewState("busy", "ParaView is starting.")
LOST = ViewState(
    "lost",
    "The ParaView process ended. The picture is the last one. Run pvlink.start() and the cells again.",
)
ENDED = ViewState("ended", "The kernel ended, and ParaView with it. The picture is the last one. Run the cells again.")
UNKNOWN = ViewState("gone", "ParaView has no such view (any more). Run the cell that shows it again.")
# Through Jupyter's door comes whoever may run code in the kernel anyway.
ROLE: Role = "owner"
# A heavy scene takes a third of a second to render; a call that takes longer than this deserves a word.
PATIENCE_SECONDS = 1.5
log = logging.getLogger(__name__)


class Hub:
    """The state of a session."""

    def __init__(self) -> None:
        self.link = Link(self)
        self.stopped = asyncio.Event()
        self._executor = ThreadPoolExecutor(2, "encoder")
        self._rim = Rim(self._executor, self.link.send_frame)
        self._views: dict[str, View] = {}
        # Which view each viewer watches, and what it was last told.
        self._watching: dict[str, View] = {}
        self._told: dict[str, ViewState] = {}
        self._inputs = Inputs()
        self._engine_ready = False
        # Runs out when the engine has not taken input for a while: it is in a call that reports no progress.
        self._patience: asyncio.TimerHandle | None = None
        self._watchdog: Watchdog | None = None
        # What holds for all views: the engine starts, works or is no more.
        self._state: ViewState = STARTING

    # Viewers.

    def on_call(self, client: str, argument: Struct) -> Struct | None:
        match argument:
            case Join():
                return self._join(client, argument)
            case Ping(time):
                return Pong(time)
        view = self._watching.get(client)
        if view is None:
            raise Refused("Join a view first.")
        match argument:
            case Drawn():
                view.drawn(client, argument)
            case Input():
                self._input(client, view, argument)
            case Size():
                view.resize(client, argument)
            case Visible(visible):
                view.visible(client, visible)
        return None

    def on_written(self, client: str, milliseconds: float) -> None:
        if view := self._watching.get(client):
            view.written(client, milliseconds)

    def on_closed(self, client: str) -> None:
        self._told.pop(client, None)
        if view := self._watching.pop(client, None):
            view.leave(client)
            if view.gone is not None and not len(view):
                self._views.pop(view.name, None)

    def _join(self, client: str, join: Join) -> Joined:
        if join.protocol != PROTOCOL_VERSION:
            raise Refused(
                f"This page speaks version {join.protocol} of pvlink's protocol, the session version "
                f"{PROTOCOL_VERSION} (pvlink {__version__}). Install the same pvlink for the Jupyter server and the "
                "kernel, then reload the page."
            )
        if not ENCODERS.keys() & set(join.codecs):
            raise Refused(f"This browser decodes none of the session's codecs ({', '.join(ENCODERS)}).")
        self.on_closed(client)
        view = self._views.get(join.view)
        if view is None:
            view = self._add(join.view)
            view.gone = UNKNOWN
        self._watching[client] = view
        view.join(client, join, ROLE)
        self._told[client] = self._state_of(view)
        return Joined(PROTOCOL_VERSION, __version__, client, ROLE, self._told[client])

    def _input(self, client: str, view: View, message: Input) -> None:
        if view.gone is not None or self._rim.port is None:
            return
        if not self._inputs.add(view.name, client, ROLE, message.seq, message.events):
            raise Refused("You may look at this view, not change it.")
        if any(event.type == "down" for event in message.events):
            view.pressed(client)
        self._send_input()

    def _send_input(self) -> None:
        if self._engine_ready and self._inputs and self._rim.port is not None:
            self._engine_ready = False
            self._rim.port.input(self._inputs.take())
            self._patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._on_silence)

    def _on_silence(self) -> None:
        if self._state is LIVE and not self._engine_ready:
            self._state = WORKING
            self._tell()

    def _state_of(self, view: View) -> ViewState:
        if self._state.state in ("ended", "lost") or self._rim.port is None:
            return self._state
        return view.gone or self._state

    def _tell(self) -> None:
        """Tells each viewer what it does not know yet."""
        for client, view in self._watching.items():
            state = self._state_of(view)
            if self._told.get(client) != state:
                self._told[client] = state
                self.link.send_state(client, state)

    # The engine.

    def on_packet(self, packet: Packet) -> None:
        match packet:
            case Hello(pid, paraview, python):
                log.info("engine %d: ParaView %s, Python %s", pid, paraview, python)
            case ViewMade(name):
                view = self._views.get(name) or self._add(name)
                view.begin()
            case ViewGone(name, message):
                if gone := self._views.get(name):
                    self._inputs.forget(name)
                    gone.close(ViewState("gone", message or UNKNOWN.message))
                    if not len(gone):
                        del self._views[name]
            case Ready():
                self._engine_ready = True
                if self._patience is not None:
                    self._patience.cancel()
                if self._state is WORKING:
                    self._state = LIVE
                self._send_input()
            case Busy(message, progress) if self._state.state != "lost":
                self._state = ViewState("busy", message, progress)
            case Idle() if self._state.state != "lost":
                self._state = LIVE
        self._tell()

    def on_shot(self, shot: Shot) -> None:
        view = self._views.get(shot.facts.view)
        if view is None or view.gone is not None:
            shot.free()
        else:
            view.shot(shot)

    def on_engine_lost(self, port: EnginePort) -> None:
        if self._rim.port is not port:
            return
        self._rim.port = None
        self._engine_ready = False
        self._inputs.clear()
        if self._state.state != "lost":
            self._state = LOST
        for view in self._views.values():
            view.engine_ended()
        self._tell()

    def _add(self, name: str) -> View:
        view = self._views[name] = View(name, self._rim)
        return view

    # The kernel.

    async def on_request(self, request: Request, fd: int | None) -> Answer:
        operations: dict[str, Callable[[Request, int | None], Answer]] = {
            "engine": self._attach_engine,
            "engine-ended": self._end_engine,
            "stats": self._stats,
            "stop": self._stop,
        }
        if operation := operations.get(request.op):
            return operation(request, fd)
        if fd is not None:
            os.close(fd)
        if request.op == "snapshot":
            return await self._snapshot(request)
        raise RequestError(f"The streamer cannot do {request.op!r}. {request.message}".strip())

    def _attach_engine(self, request: Request, fd: int | None) -> Answer:
        if fd is None:
            raise RequestError("An engine comes with its socket.")
        if self._rim.port is not None:
            self._rim.port.close()
            self.on_engine_lost(self._rim.port)
        # Its views are not the former one's, even under the same name, until it says so.
        for view in list(self._views.values()):
            view.close(UNKNOWN)
        if self._watchdog is not None:
            self._watchdog.close()
        self._watchdog = Watchdog(request.pid) if request.pid > 0 else None
        self._state = LIVE
        self._rim.port = EnginePort(socket.socket(fileno=fd), self)
        self._tell()
        return {}, b""

    def _end_engine(self, request: Request, _fd: int | None) -> Answer:
        self._state = ViewState("lost", request.message or LOST.message)
        self._tell()
        return {}, b""

    def _stats(self, request: Request, _fd: int | None) -> Answer:
        return {"stats": self._known(request.view).report()}, b""

    async def _snapshot(self, request: Request) -> Answer:
        view = self._known(request.view)
        try:
            width, height, data = await view.snapshot(max(0.0, request.timeout), lambda: self._state.state == "busy")
        except NoPictureError as error:
            raise RequestError(f"{error} {self._state.message}".strip()) from error
        return {"width": width, "height": height}, data

    def _stop(self, _request: Request, _fd: int | None) -> Answer:
        # The answer goes out first: it is queued before the event is looked at.
        asyncio.get_running_loop().call_soon(self.stopped.set)
        return {}, b""

    def _known(self, name: str) -> View:
        view = self._views.get(name)
        if view is None or view.gone is not None:
            raise RequestError(f"ParaView has no view {name}.")
        return view

    async def close(self, *, kernel_gone: bool) -> None:
        """Tells the viewers, ends the engine if its kernel could not, and lets go of everything."""
        self._state = ENDED
        self._tell()
        if self._watchdog is not None and kernel_gone:
            await asyncio.gather(self.link.close(), self._watchdog.end())
        else:
            await self.link.close()
        if self._watchdog is not None:
            self._watchdog.close()
        if self._rim.port is not None:
            self._rim.port.close()
        self._executor.shutdown(wait=True, cancel_futures=True)
