"""The ParaView server that holds the pipeline, as its client: connected, watched, lost, come back to.

ParaView speaks to it over sockets that lead to the streamer's relay, on this machine. When the server dies ParaView
itself notices nothing (a question is answered with nothing), but those sockets do: so they are looked at after each
request, before any answer is believed.

The pipeline of this process itself stays where it is meanwhile, and is the active one again after `leave`.
"""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterator
from typing import Any, Callable

from paraview import servermanager, simple
from paraview.modules.vtkRemotingCore import vtkPVMemoryUseInformation, vtkPVSystemConfigInformation
from paraview.modules.vtkRemotingViews import vtkPVRenderingCapabilitiesInformation
from vtkmodules.vtkCommonCore import vtkObject

from pvlink.engine.departed import Departed, NoConnection

# How long the relay, on this machine, may take to answer, in seconds.
PATIENCE = 10
HOST = "127.0.0.1"
SETTINGS = "RenderViewSettings"


class Gone(RuntimeError):
    """The server is lost; the kernel makes its own exception of this one."""


class NotConnected(RuntimeError):
    """ParaView did not take the connection."""


class Server:
    """At most one at a time."""

    def __init__(self, why: Callable[[], BaseException] | None = None) -> None:
        """`why` makes what is raised where an object is used whose server is lost."""
        self._why = why or _gone
        # Or pvpython, unlike a Python that imports ParaView, ends what it has when it connects: the pipeline that is to
        # wait here, and the views of it that somebody watches.
        servermanager.vtkProcessModule.GetProcessModule().MultipleSessionsSupportOn()
        # The pipeline of this process itself.
        self._home = servermanager.ActiveConnection
        self._connection: Any = None
        self._sockets: list[int] = []
        self._departed = Departed()
        self.label = ""
        # Called when it is lost, before what was there refuses: what this side knows can still be written down.
        self.last_moment: Callable[[], None] = _nothing
        # It has died; nothing has been done about it yet.
        self.lost = False

    def _stand_before_renders(self, on: bool) -> None:
        """Where all that renders comes by, also a Render that was imported before: only while there is a server."""
        for name in ("StillRender", "InteractiveRender"):
            if on:
                setattr(servermanager.Proxy, name, self._in_two_steps(name))
            elif name in vars(servermanager.Proxy):
                delattr(servermanager.Proxy, name)

    def _in_two_steps(self, name: str) -> Callable[[Any], None]:
        """ParaView brings a view up to date and draws it in one call.

        A server that ends in the first half leaves the second one waiting for a picture at a dead connection, which
        ends this process (an abort, 4 of 4 times).
        """

        def render(view: Any) -> None:
            if self.connected:
                view.SMProxy.Update()
                self.guard()
            getattr(view.SMProxy, name)()

        return render

    @property
    def connected(self) -> bool:
        """Whether there is one, alive or lost."""
        return self._connection is not None

    @property
    def sockets(self) -> list[int]:
        """What becomes readable, for poll's POLLRDHUP, when it dies."""
        return [] if self.lost else list(self._sockets)

    # -- connecting and leaving --------------------------------------------------------------------

    def connect(self, ports: list[int], label: str) -> dict[str, Any]:
        """Connect through the relay's ports: one server, or data and render server apart. What is known of it.

        After a loss what was there waits for `bring_back`.
        """
        with quiet():
            if self.lost:
                self._drop()
            else:
                self.leave()
        before = sockets()
        where = [word for port in ports for word in (HOST, port)]
        connection = _connect(*where, timeout=PATIENCE)
        if connection is None:
            servermanager.SetActiveConnection(self._home)
            raise NotConnected(f"ParaView did not take the connection to {label}")
        if self._home not in servermanager.Connections:
            # A ParaView that holds one connection at a time.
            self._home = None
        self._connection, self.label, self.lost = connection, label, False
        self._sockets = sorted(fd for fd, _ in sockets() - before)
        self._stand_before_renders(True)
        return self.facts()

    def bring_back(self, locate: Callable[[int], Any]) -> None:
        """What was lost stands for what `locate` finds by the numbers it had."""
        label = self.label
        self._departed.come_back(locate)
        self._departed.explain(
            lambda: RuntimeError(
                f"This object did not come back with the pipeline on {label}: it was deleted, or was made in "
                "the cell in which the server was lost. Make it anew."
            )
        )

    def leave(self) -> None:
        """Disconnect; the pipeline of this process itself is the active one again."""
        if self._connection is None:
            return
        connection, self._connection = self._connection, None
        session, self._sockets = connection.Session, []
        label = self.label
        gone = self.lost

        def why() -> BaseException:
            return RuntimeError(f"This object was in the pipeline on {label}, which is not connected any more.")

        if gone:
            self._departed.explain(why)
        else:
            self._departed = Departed()
            self._departed.take(session, why)
        self.lost = False
        self._end(connection)

    def _end(self, connection: Any) -> None:
        self._stand_before_renders(False)
        with quiet():
            self._departed.let_go()
            servermanager.SetActiveConnection(connection)
            servermanager.Disconnect(connection)
            if self._home is None:
                self._home = _connect()
            servermanager.SetActiveConnection(self._home)

    # -- its death ---------------------------------------------------------------------------------

    def check(self) -> bool:
        """Whether it is lost. A microsecond; no call into ParaView."""
        if not self.lost and self._sockets:
            poll = select.poll()
            for fd in self._sockets:
                poll.register(fd, select.POLLRDHUP)
            if poll.poll(0):
                self.lose()
        return self.lost

    def lose(self) -> None:
        """Take it for dead: its sockets say so, or whoever has seen it."""
        if self.connected and not self.lost:
            self.lost = True
            self.last_moment()
            self._refuse()

    def error(self) -> BaseException:
        """What to raise where it is lost."""
        return self._why()

    def guard(self) -> None:
        """Raises when it is lost."""
        if self.check():
            raise self.error()

    def _refuse(self) -> None:
        """From here on nobody is told a wrong number."""
        self._departed = Departed()
        self._departed.take(self._connection.Session, self._why)
        servermanager.ActiveConnection = NoConnection(self._why)

    def _drop(self) -> None:
        """The lost session, without a word to it; its objects wait."""
        connection, self._connection, self._sockets, self.lost = self._connection, None, [], False
        self._end(connection)

    # -- what is known of it -----------------------------------------------------------------------

    def facts(self) -> dict[str, Any]:
        """Ranks, who draws and why, memory and host of each rank."""
        session = self._connection.Session
        about = session.GetServerInformation()
        can = vtkPVRenderingCapabilitiesInformation()
        session.GatherInformation(session.RENDER_SERVER, can, 0)
        return {
            "label": self.label,
            "ranks": int(about.GetNumberOfProcesses()),
            "apart": session.GetRenderClientMode() == session.RENDERING_SPLIT,
            # 0: it has nothing to draw with, and ParaView lets the client draw without a word.
            "draws": bool(can.GetCapabilities() & can.OPENGL),
            "memory": self.memory(),
        }

    def memory(self) -> list[dict[str, Any]]:
        """Of each rank, as ParaView has it: kB, and the name of its host."""
        session = self._connection.Session
        use, config = vtkPVMemoryUseInformation(), vtkPVSystemConfigInformation()
        for about in (use, config):
            session.GatherInformation(session.SERVERS, about, 0)
        hosts = {(config.GetProcessType(i), config.GetRank(i)): i for i in range(config.GetSize())}
        found = []
        for i in range(use.GetSize()):
            key = use.GetProcessType(i), use.GetRank(i)
            at = hosts.get(key)
            found.append(
                {
                    "rank": int(key[1]),
                    "used": int(use.GetProcMemoryUse(i)) << 10,
                    "host": "" if at is None else config.GetHostName(at),
                    "of": 0 if at is None else int(config.GetHostMemoryTotal(at)) << 10,
                }
            )
        return found

    def settle(self, threshold: float, compressor: str) -> None:
        """Where pictures are drawn (above so many MB of geometry: there), and how they are packed on the way here."""
        settings = servermanager.ProxyManager().GetProxy("settings", SETTINGS)
        if settings is None:
            return
        for name, value in (("RemoteRenderThreshold", threshold), ("CompressorConfig", compressor)):
            target = settings.SMProxy.GetProperty(name)
            if target is not None:
                target.SetElement(0, value)
        settings.SMProxy.UpdateVTKObjects()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what VTK has to say of each message that finds no server any more: hundreds of lines."""
    said = vtkObject.GetGlobalWarningDisplay()
    vtkObject.SetGlobalWarningDisplay(0)
    try:
        yield
    finally:
        vtkObject.SetGlobalWarningDisplay(said)


def _connect(*where: Any, **how: Any) -> Any:
    """ParaView's own: in a kernel's own ParaView a session's stands before it.

    A session has an interpreter of its own, which each of ParaView's classes is made known to, unless it is at the
    address of the one that was made last: a new one may well be, where that was deleted, and then the first class that
    it is asked for ends the process. One more, in between, has that address, or makes the next one another's.
    """
    spare = servermanager.vtkSMSessionClient()
    try:
        return getattr(simple.Connect, "__wrapped__", simple.Connect)(*where, **how)
    finally:
        del spare


def _nothing() -> None: ...


def _gone() -> Gone:
    return Gone("the ParaView server is gone")


def sockets() -> set[tuple[int, str]]:
    """This process's sockets, each with what it is: ParaView tells nobody which are its own, and numbers come again."""
    found = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            what = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
            if what.startswith("socket:"):
                found.add((int(name), what))
    return found
