"""The meeting place: viewers, views, the engine and the kernel. What each of them says ends up here."""

from __future__ import annotations

import asyncio
import logging
import socket
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct, structs

from pvlink.protocol import (
    PROTOCOL_VERSION,
    Drawn,
    Input,
    Join,
    Joined,
    Password,
    Ping,
    Pong,
    Refresh,
    Revoke,
    Role,
    ShareName,
    Size,
    Undecodable,
    ViewState,
    Visible,
    Way,
)
from pvlink.streamer.doors import JupyterDoor
from pvlink.streamer.engine_port import Busy, EnginePort, Hello, Idle, Live, Next, Packet, Ready, ViewGone, ViewMade
from pvlink.streamer.frames import Shot
from pvlink.streamer.inputs import Inputs
from pvlink.streamer.insitu.harbour import Harbour
from pvlink.streamer.limits import MAX_UNKNOWN_VIEWS
from pvlink.streamer.link import Link
from pvlink.streamer.pvserver.desk import ServerDesk
from pvlink.streamer.receiver import Refused
from pvlink.streamer.reception import Reception
from pvlink.streamer.shares import UnknownShare
from pvlink.streamer.states import AGAIN, ENDED, LIVE, LOST, STARTING, UNKNOWN, WORKING
from pvlink.streamer.tickets import Guest, Ticket
from pvlink.streamer.views import Rim, View
from pvlink.streamer.watchdog import Watchdog
from pvlink.version import __version__

# A heavy scene takes a third of a second to render; a call that takes longer than this deserves a word.
PATIENCE_SECONDS = 1.5
log = logging.getLogger(__name__)


class Hub:
    """The state of a session."""

    def __init__(self, role: Role = "owner") -> None:
        """`role`: what those who come through Jupyter may be at most."""
        self.link = Link(self)
        self.reception = Reception(self.link, role, self._tell_people)
        self.door = JupyterDoor(self.link, self.reception)
        self.servers = ServerDesk(self.engine_ended, self._found_again, self._tell)
        self.stopped = asyncio.Event()
        self._executor = ThreadPoolExecutor(2, "encoder")
        self._rim = Rim(self._executor, self.link.send_frame)
        self.harbour = Harbour(self._rim.tell, self.servers.at)
        self._views: dict[str, View] = {}
        # Which view each viewer watches, and what it was last told.
        self._watching: dict[str, View] = {}
        self._told: dict[str, ViewState] = {}
        self._inputs = Inputs()
        self._engine_ready = False
        # Runs out when the engine has not taken input for a while: it is in a call that reports no progress.
        self._patience: asyncio.TimerHandle | None = None
        # Runs out when what keeps the engine busy has lasted long enough for a word.
        self._lasting: asyncio.TimerHandle | None = None
        self._watchdog: Watchdog | None = None
        self._what = "ParaView"
        # What holds for all views: the engine starts, works or is no more.
        self._state: ViewState = STARTING

    # Viewers.

    def redeem(self, ticket: str, way: Way) -> Ticket | None:
        return self.reception.redeem(ticket, way)

    def on_entered(self, client: str, guest: Guest) -> bool:
        return self.reception.entered(client, guest)

    def on_call(self, client: str, argument: Struct) -> Struct | None:
        match argument:
            case Join():
                return self._join(client, argument)
            case Ping(time):
                return Pong(time)
            case ShareName() | Revoke():
                return self._as_owner(client, argument)
        view = self._watching.get(client)
        if view is None:
            raise Refused("Join a view first.")
        match argument:
            case Drawn():
                view.drawn(client, argument)
            case Undecodable():
                view.undecodable(client, argument)
            case Refresh():
                view.refresh(client)
            case Input():
                self._input(client, view, argument)
            case Size() if self._role(client) != "view":
                view.resize(client, argument)
            case Visible(visible):
                view.visible(client, visible)
        return None

    def on_written(self, client: str, milliseconds: float) -> None:
        if view := self._watching.get(client):
            view.written(client, milliseconds)

    def on_closed(self, client: str) -> None:
        self.reception.left(client)
        self._leave(client)

    def _leave(self, client: str) -> None:
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
        if not {"jpeg", "png"} & set(join.codecs):
            raise Refused("This browser decodes neither JPEG nor PNG.")
        guest = self.reception.guest(client)
        if guest is None or join.view != guest.view:
            raise Refused("This ticket is for another view.")
        self._leave(client)
        view = self._views.get(join.view)
        if view is None:
            if sum(view.gone is not None for view in self._views.values()) >= MAX_UNKNOWN_VIEWS:
                raise Refused("Too many pages ask for views that ParaView does not have. Close some.")
            view = self._add(join.view)
            view.gone = UNKNOWN
        self._watching[client] = view
        view.join(client, join, guest.role, self.link.round_trip(client))
        self._told[client] = self._state_of(view)
        if guest.role == "owner":
            self.link.send_news(client, self.reception.people(view.name))
        return Joined(PROTOCOL_VERSION, __version__, client, guest.role, self._told[client])

    def _role(self, client: str) -> Role:
        guest = self.reception.guest(client)
        return "view" if guest is None else guest.role

    def _as_owner(self, client: str, argument: ShareName | Revoke) -> Password | None:
        guest = self.reception.guest(client)
        if guest is None or guest.role != "owner":
            raise Refused("Only the owner of this view may do that.")
        try:
            if isinstance(argument, ShareName):
                if guest.way == "comm":
                    raise Refused("Others could read it: print the share's `password` in a cell.")
                return Password(self.reception.password(argument.share, guest.view))
            self.reception.revoke(argument.share, guest.view)
        except UnknownShare:
            raise Refused("This link has ended already.") from None
        return None

    def _tell_people(self, view: str) -> None:
        """The owners of a view hear who watches it."""
        people = None
        for client, watched in self._watching.items():
            if watched.name == view and self._role(client) == "owner":
                people = people or self.reception.people(view)
                self.link.send_news(client, people)

    def _input(self, client: str, view: View, message: Input) -> None:
        if view.gone is not None or self._rim.port is None:
            return
        if not self._inputs.add(view.name, client, self._role(client), message.seq, message.events):
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
        everywhere = self._state.state in ("ended", "lost") or self._rim.port is None
        state = self._state if everywhere else view.gone or self.servers.named(self._state)
        # The sentences above are written for the usual case.
        return structs.replace(state, message=state.message.replace("ParaView", self._what))

    def _tell(self) -> None:
        """Tells each viewer what it does not know yet."""
        for client, view in self._watching.items():
            state = self._state_of(view)
            if self._told.get(client) != state:
                self._told[client] = state
                self.link.send_news(client, state)

    # The engine.

    def on_packet(self, packet: Packet) -> None:
        match packet:
            case Hello(pid, name, kind):
                log.info("engine in process %d: %s", pid, name)
                self._what = "VTK" if kind == "vtk" else "ParaView"
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
            case Live() | Next():
                self.harbour.on_packet(packet)
            case Busy(message, progress, after) if self._state.state != "lost":
                self._expect(None)
                if after > 0.0:
                    self._expect(asyncio.get_running_loop().call_later(after, self._on_lasting, packet))
                else:
                    self._state = ViewState("busy", message, progress)
            case Idle() if self._state.state != "lost":
                self._expect(None)
                self._state = LIVE
        self._tell()

    def _expect(self, end: asyncio.TimerHandle | None) -> None:
        if self._lasting is not None:
            self._lasting.cancel()
        self._lasting = end

    def _on_lasting(self, busy: Busy) -> None:
        if self._state in (LIVE, WORKING):
            self._state = ViewState("busy", busy.message, busy.progress)
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
        # A server that takes nothing hides from us that its client has ended.
        self.servers.close_link()
        self.harbour.engine_left()
        if self._state.state != "lost":
            self._state = LOST
        for view in self._views.values():
            view.engine_ended()
        self._tell()

    def _add(self, name: str) -> View:
        view = self._views[name] = View(name, self._rim)
        return view

    # The kernel (errands.py).

    def attach_engine(self, pid: int, sock: socket.socket) -> None:
        if self._rim.port is not None:
            self._rim.port.close()
            self.on_engine_lost(self._rim.port)
        # Its views are not the former one's, even under the same name, until it says so.
        for view in list(self._views.values()):
            view.close(view.gone or AGAIN)
        if self._watchdog is not None:
            self._watchdog.close()
        self._watchdog = Watchdog(pid) if pid > 0 else None
        self._state = LIVE
        self._rim.port = EnginePort(sock, self)
        self.harbour.engine_came()
        self._tell()

    def restored(self) -> None:
        """The new engine has brought back what it could: a view it has not named is no more."""
        for view in self._views.values():
            if view.gone is AGAIN:
                view.gone = UNKNOWN
        self._found_again()
        self._tell()

    def _found_again(self) -> None:
        """A server was lost, and there is another one: the engine has been there all the time."""
        if self._state.state == "lost" and self._rim.port is not None:
            self._state = LIVE
            self._tell()

    def engine_ended(self, message: str) -> None:
        self._state = ViewState("lost", message or LOST.message)
        self._tell()

    @property
    def state(self) -> ViewState:
        """What holds for all views."""
        return self._state

    @property
    def views(self) -> list[View]:
        """Those that the engine has."""
        return [view for view in self._views.values() if view.gone is None]

    def known(self, name: str) -> View | None:
        """A view that the engine has."""
        view = self._views.get(name)
        return None if view is None or view.gone is not None else view

    async def close(self, *, kernel_gone: bool) -> None:
        """Tells the viewers, ends the engine if its kernel could not, and lets go of everything."""
        self._state = ENDED
        self._tell()
        end = [self._watchdog.end()] if self._watchdog is not None and kernel_gone else []
        await asyncio.gather(self.link.close(), *end)
        await asyncio.gather(self.door.close(), self.reception.close(), self.servers.close(), self.harbour.close())
        if self._watchdog is not None:
            self._watchdog.close()
        if self._rim.port is not None:
            self._rim.port.close()
        self._executor.shutdown(wait=True, cancel_futures=True)
