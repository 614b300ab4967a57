"""A running simulation, as ParaView sees it: its sources become sources here, as fast as they are drawn.

ParaView's Catalyst Live without a window: this process (or its server) waits at a port for the simulation, which the
streamer brings there. Nothing is pushed: the simulation delivers a step when it was invited to, and it is invited when
the last one has been drawn. Observers only take notes; ParaView is not called from within one, or its socket breaks.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

from paraview import servermanager, simple

from pvlink.engine.offered import NoSimulation, Offered
from pvlink.engine.server import quiet, sockets

if TYPE_CHECKING:
    from pvlink.engine.server import Server
    from pvlink.engine.stream import Stream

# Steps that are shown in a second, at most; and where nobody looks at any of it.
RATE, IDLE_RATE = 30.0, 0.5
# An invitation that was lost on its way is another one, in seconds.
AGAIN = 1.0
# ParaView keeps for itself what it has read ahead: so it is asked this often, in seconds, whatever its sockets say.
LOOK = 0.05
# Ports for a server that may be on another machine, where nobody can be asked which are free.
PORTS = (20_000, 32_000)

# What vtkLiveInsituLink has put there: update, delivery, connection, its end.
FORGET = """
from vtkmodules.vtkParallelCore import vtkMultiProcessController
controller = vtkMultiProcessController.GetGlobalController()
if controller.GetLocalProcessId() > 0:
    for tag in (8800, 8801, 8802, 8803):
        controller.RemoveAllRMICallbacks(tag)
"""


class Insitu:
    """At most one simulation at a time."""

    def __init__(self, stream: Stream, server: Server, stirred: Callable[[], None]) -> None:
        self._stream = stream
        self._server = server
        self._stirred = stirred
        self._hello: dict[str, Any] | None = None
        # As the streamer has told of it.
        self._message: dict[str, Any] = {}
        # The proxy of the link, the connection that holds the simulation's proxies, and the one that shows them.
        self._link: Any = None
        self._there: Any = None
        self._here: Any = None
        self._fds: set[int] = set()
        self._others: set[tuple[int, str]] = set()
        self.connected = False
        self._notes: list[str] = []
        self._extracts: dict[str, Any] = {}
        # Steps that have come.
        self.updates = 0
        self._ask = False
        self._invited: float | None = None
        self._due = 0.0
        self._looked = 0.0
        self.wrong = ""

    # -- the loop ----------------------------------------------------------------------------------

    def wait(self) -> float | None:
        """Seconds until it wants to be called; none: until somebody says something."""
        if self._link is None:
            return None
        left = self._due - time.monotonic() if self.connected and self._invited is None else LOOK
        return 0.0 if self._ask and self._invited is None else min(max(left, 0.0), LOOK)

    @property
    def fds(self) -> set[int]:
        """What becomes readable when the simulation says something."""
        if self._link is None:
            return set()
        return set(self._server.sockets) if self._here is not None and self._here.IsRemote() else self._fds

    def turn(self, readable: bool) -> None:
        """Hear what there is, and invite another step where the last one was shown. `readable`: a socket of ours is."""
        if self._link is None or self._server.lost:
            return
        if servermanager.ActiveConnection is not self._here:
            # The pipeline is somewhere else now: the simulation's data are to come there.
            self.on_lost({})
            return
        now = time.monotonic()
        if readable or now - self._looked >= LOOK:
            self._looked = now
            self._listen()
        if not self.connected:
            return
        if self._invited is not None:
            if self._ask or now - self._invited > AGAIN:
                self._invite(now)
        elif self._ask or now >= self._due:
            self._invite(now)

    def _listen(self) -> None:
        before = None if self.connected else sockets()
        network = servermanager.vtkProcessModule.GetProcessModule().GetNetworkAccessManager()
        with quiet(), contextlib.nullcontext() if self.connected else _unheard():
            # 0 would mean for ever.
            while network.ProcessEvents(1) == 1:
                pass
        if before is not None:
            self._fds = {fd for fd, _ in sockets() - self._others}
        notes, self._notes = self._notes, []
        if "ConnectionCreatedEvent" in notes:
            self.connected, self._ask = True, True
        if "UpdateEvent" in notes:
            self.updates += 1
            self._invited = None
            # From when it was asked for: drawing it is a part of the time.
            self._due = time.monotonic() + (1.0 / RATE if self._extracts else 1.0 / IDLE_RATE)
            self._stirred()
        if "ConnectionClosedEvent" in notes:
            self._closed()

    def _invite(self, now: float) -> None:
        self._invited = now
        self._stream.send({"op": "next", "wanted": list(self._extracts), "ask": self._ask})
        self._ask = False

    # -- the simulation comes and goes -------------------------------------------------------------

    def on_simulation(self, message: dict[str, Any]) -> None:
        """The streamer says which one is there now."""
        hello = message.get("hello")
        if hello == self._hello or self._server.lost:
            return
        self._end()
        self._hello = hello
        if hello is None:
            return
        own = servermanager.vtkSMProxyManager
        mine = f"{own.GetVersionMajor()}.{own.GetVersionMinor()}"
        if not str(hello["paraview"]).startswith(f"{mine}."):
            self.wrong = (
                f"The simulation has ParaView {hello['paraview']}, this session {mine}: they must have the same. Start "
                "the session with that one, pvlink.start(pvpython=...)."
            )
            return
        self._begin(message)

    def on_lost(self, _message: dict[str, Any]) -> None:
        """The link is no more, though the simulation is there: another one."""
        if self._hello is not None:
            hello, self._hello = self._hello, None
            self._end()
            self.on_simulation({**self._message, "hello": hello})

    def _begin(self, message: dict[str, Any]) -> None:
        self._message = message
        self.wrong = ""
        self._here = servermanager.ActiveConnection
        remote = self._here.IsRemote()
        session = self._here.Session
        processes = int(session.GetServerInformation().GetNumberOfProcesses()) if remote else 1
        port = PORTS[0] + secrets.randbelow(PORTS[1] - PORTS[0]) if remote else _free_port()
        self._others = sockets()
        link = servermanager.ConnectToCatalyst("localhost", port)
        self._there = servermanager.ActiveConnection
        if message.get("definition"):
            manager = self._there.Session.GetProxyDefinitionManager()
            manager.LoadConfigurationXMLFromString(message["definition"])
        servermanager.SetActiveConnection(self._here)
        for event in ("ConnectionCreatedEvent", "UpdateEvent", "ConnectionClosedEvent"):
            link.AddObserver(event, lambda _caller, name: self._notes.append(name))
        with quiet(), _unheard():
            link.InvokeCommand("Initialize")
        self._link = link
        self._fds = {fd for fd, _ in sockets() - self._others}
        self._stream.send({"op": "live", "port": port, "processes": processes, "server": remote})

    def _closed(self) -> None:
        """What was delivered last stays to be seen."""
        self.connected = False
        self._invited = None

    def _end(self) -> None:
        if self._link is None:
            return
        self._stream.send({"op": "live", "port": 0})
        if not self._server.lost and self._here in servermanager.Connections and self._here.IsRemote():
            with quiet():
                _forget(self._here)
        self._link, self._fds, self.connected, self._invited = None, set(), False, None
        self._extracts = {}
        there, self._there = self._there, None
        with quiet(), contextlib.suppress(RuntimeError):
            active = servermanager.ActiveConnection
            servermanager.Disconnect(there)
            servermanager.SetActiveConnection(active)

    # -- what is asked -----------------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        return {
            "connected": self.connected,
            "updates": self.updates,
            "wrong": self.wrong,
            "extracts": list(self._extracts),
            "sources": self._offered.sources() if self.connected else {},
        }

    def extract(self, name: str) -> Any:
        """One of the simulation's sources as a source here, which has the newest step."""
        self._need()
        known = self._extracts.get(name)
        if known is not None:
            return known
        self._offered.proxy(name)
        proxy = self._link.CreateExtract("sources", name, 0)
        registered = name if simple.FindSource(name) is None else f"{name} (live)"
        self._here.Session.GetSessionProxyManager().RegisterProxy("sources", registered, proxy)
        source = servermanager._getPyProxy(proxy)  # noqa: SLF001 - there is no other way from one to the other
        self._extracts[name] = source
        self._ask = True
        return source

    def view(self, name: str) -> Any:
        """A view of one that has come: all of it, coloured by its first array."""
        source = self._extracts[name]
        source.UpdatePipeline()
        view = simple.CreateView("RenderView")
        shown = simple.Show(source, view)
        # What a contour is made of is the same all over it, and its normals say nothing.
        telling = [a for a in source.PointData.values() if a.Name != "Normals" and a.GetRange()[0] < a.GetRange()[1]]
        if telling:
            simple.ColorBy(shown, ("POINTS", telling[0].Name))
            shown.RescaleTransferFunctionToDataRange(True)
            shown.SetScalarBarVisibility(view, True)
        simple.ResetCamera(view)
        return view

    def make(self, kind: str, name: str, of: str, properties: dict[str, Any]) -> None:
        """A filter in the simulation itself: what it makes there can be an extract."""
        self._offered.make(kind, name, of, properties)
        self._push()

    def change(self, name: str, properties: dict[str, Any]) -> None:
        """Properties of one of the simulation's sources."""
        self._offered.change(name, properties)
        self._push()

    def steer(self, order: int, at: int, values: dict[str, float]) -> None:
        """Values of parameters, checked by whoever sends them, and again where they arrive."""
        self._offered.steer(order, at, values)
        self._push()

    def _push(self) -> None:
        self._link.PushUpdatedStates()
        self._ask = True

    @property
    def _offered(self) -> Offered:
        """Raises NoSimulation."""
        self._need()
        return Offered(self._link.GetInsituProxyManager())

    def _need(self) -> None:
        if not self.connected:
            raise NoSimulation(self.wrong or "No simulation is connected to ParaView.")


def _forget(connection: Any) -> None:
    """The server's other processes call back a link that is no more, and would die of it when there is another one."""
    if connection.GetNumberOfDataPartitions() < 2:
        return
    active = servermanager.ActiveConnection
    servermanager.SetActiveConnection(connection)
    source = servermanager.sources.ProgrammableSource(Script=FORGET)
    source.UpdatePipeline()
    servermanager.SetActiveConnection(active)


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Without the lines in which ParaView says, to nobody, where it waits."""
    sys.stdout.flush()
    kept = [os.dup(fd) for fd in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for fd in (1, 2):
            os.dup2(nowhere, fd)
        yield
    finally:
        for fd, former in zip((1, 2), kept):
            os.dup2(former, fd)
            os.close(former)
        os.close(nowhere)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
